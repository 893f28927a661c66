"""What a step did, as a value that the journal, the summary and the exit code all read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Result(StrEnum):
    """What became of a step."""

    OPENED = "opened"
    REFRESHED = "refreshed"
    FINISHED = "finished"
    COMMENTED = "commented"
    CLOSED = "closed"
    UNCHANGED = "unchanged"
    BUILT = "built"
    STARTED = "started"
    UPDATED = "updated"
    SHIFTED = "shifted"
    HANDED_OVER = "handed-over"
    MOVED = "moved"
    SETTLED = "settled"
    ROLLED_BACK = "rolled-back"
    WARNED = "warned"
    DECLARED = "declared"
    WITHDRAWN = "withdrawn"
    PROVEN = "proven"
    WAITING = "waiting"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One step for one subject (a source repository, a function or a stream), done at most once."""

    step: str
    subject: str
    result: Result
    message: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: the step failed, was refused, or was taken back."""
        return self.result in (Result.FAILED, Result.REFUSED, Result.ROLLED_BACK)
