"""Shows: what an issue must show, run whole, each figure beside its goal. `python -m tests.show loop`, or `reading`."""
