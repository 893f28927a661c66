"""The forms of an audit: each is a function of the document `refrom.audit/1`, and reads nothing else."""
