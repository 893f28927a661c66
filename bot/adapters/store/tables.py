"""The tables, and the version of their form.

Each value lies in a `document` (see `encoding`); other columns hold only what rows are found and ordered by.
"""

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

VERSION: Final = 1
"""Raised whenever older code could not read what newer code writes."""

metadata: Final = MetaData()

schema = Table(
    "schema",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)
observations = Table(
    "observations",
    metadata,
    Column("runtime", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
    Column("last_seen", Text, nullable=False),
    Column("document", Text, nullable=False),
)
bases = Table(
    "bases",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("document", Text, nullable=False),
)
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("document", Text, nullable=False),
)
pauses = Table(
    "pauses",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
)
rollouts = Table(
    "rollouts",
    metadata,
    Column("runtime", Text, primary_key=True),
    Column("document", Text, nullable=False),
)
sources = Table(
    "sources",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
layers = Table(
    "layers",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
documents = Table(
    "documents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("confirmed", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
