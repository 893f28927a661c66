"""The record of a pull request as a JSON document, kept in the repository that it belongs to.

Each record is a blob under `refs/refrom/pulls/<number>`, so it lives and dies with the repository, and git's own
compare-and-swap on references decides between two bots.
"""

import json
from dataclasses import asdict, dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bot.core.errors import ForgeError
from bot.ports.forge import PullRequestState

RECORDS: Final = "refs/refrom/pulls/"
LARGEST_RECORD: Final = 2**20
"""Bytes; forges limit the text of a pull request to 65,536 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was written down of a pull request; `head` and `state` as they were at the time of writing.

    `comment` says why we closed it; what has a default is missing in the records of earlier versions.
    """

    __pydantic_config__: ClassVar = ConfigDict(strict=True, extra="forbid")

    number: int
    branch: str
    base: str
    head: str
    title: str
    body: str
    state: PullRequestState = PullRequestState.OPEN
    closed_by_us: bool = False
    comment: str = ""
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    opened: str = ""
    """When, in ISO 8601; a record of an older release does not say it."""

    @property
    def reference(self) -> str:
        """Where the record is kept."""
        return f"{RECORDS}{self.number}"

    @staticmethod
    def decode(content: bytes, *, repository: str, reference: str) -> "Record":
        """Read a record; raises `ForgeError` if it is not what `encode` wrote, now or earlier."""
        try:
            record = _RECORD.validate_json(content)
        except ValidationError as fault:
            raise _malformed(repository, reference) from fault
        if record.reference != reference:
            raise _malformed(repository, reference)
        return record

    def encode(self) -> bytes:
        """Write the record."""
        return json.dumps(asdict(self), indent=1).encode("ascii")


_RECORD: Final = TypeAdapter(Record)


def _malformed(repository: str, reference: str) -> ForgeError:
    cure = f"delete it with git update-ref -d {reference}"
    return ForgeError(f"{repository}: the record {reference} is malformed; {cure}")
