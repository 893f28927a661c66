"""The store in one SQLite file, or in memory for a dry run."""
