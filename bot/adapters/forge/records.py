"""The record of a pull request as a JSON document, kept in the repository that it belongs to.

Each record is a blob under `refs/refrom/pulls/<number>`, so it lives and dies with the repository, and git's own
compare-and-swap on references decides between two bots.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final, Self

from bot.core.errors import ForgeError
from bot.ports.forge import PullRequestState

RECORDS: Final = "refs/refrom/pulls/"
LARGEST_RECORD: Final = 2**20
"""Bytes; forges limit the text of a pull request to 65,536 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was written down of a pull request; `head` and `state` as they were at the time of writing."""

    number: int
    branch: str
    base: str
    head: str
    title: str
    body: str
    state: PullRequestState = PullRequestState.OPEN
    closed_by_us: bool = False
    comment: str = ""
    opened: str = ""
    """When, in ISO 8601; a record of an older release does not say it."""

    @property
    def reference(self) -> str:
        """Where the record is kept."""
        return f"{RECORDS}{self.number}"

    @classmethod
    def decode(cls, content: bytes, *, repository: str, reference: str) -> Self:
        """Read a record; raises `ForgeError` if it is not what `encode` wrote."""
        try:
            document = json.loads(content)
            record = cls(**{**document, "state": PullRequestState(document["state"])})
        except (ValueError, LookupError, TypeError, RecursionError) as fault:
            raise _malformed(repository, reference) from fault
        if record.reference != reference or not all(map(_has_its_type, asdict(record).items())):
            raise _malformed(repository, reference)
        return record

    def encode(self) -> bytes:
        """Write the record."""
        return json.dumps(asdict(self), indent=1).encode("ascii")


def _has_its_type(item: tuple[str, object]) -> bool:
    name, value = item
    return type(value) in {"number": (int,), "closed_by_us": (bool,)}.get(name, (str, PullRequestState))


def _malformed(repository: str, reference: str) -> ForgeError:
    cure = f"delete it with git update-ref -d {reference}"
    return ForgeError(f"{repository}: the record {reference} is malformed; {cure}")
