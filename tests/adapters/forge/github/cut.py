"""A transport and a git on which the process or the connection ends at a chosen write."""

import json
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, NoReturn, TypeVar

from bot.adapters.forge.bare_repository import BareRepository
from bot.adapters.forge.git_process import Answer
from bot.adapters.forge.github.calls import Standing
from bot.adapters.forge.github.pushing import GitCommits
from bot.adapters.transport import Opened, Transport, TransportError

T = TypeVar("T")


class End(Enum):
    """How it ends."""

    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()
    NO_ANSWER = auto()
    """The thing is done, and nobody says so."""
    NOT_SENT = auto()


class Killed(BaseException):
    """The process ends here; nothing that an adapter catches."""


class Cut:
    """Ends at the n-th write, counted from 1, whatever it is made with."""

    def __init__(self, *, at: int, end: End) -> None:
        self._at, self._end, self.writes = at, end, 0

    def around(self, send: Callable[[], T], silence: Callable[[], T], spend: Callable[[T], object] = bool) -> T:
        """Send, unless this is the turn: then what comes is spent, and `silence` is given or raised in its place."""
        self.writes += 1
        if self.writes != self._at:
            return send()
        if self._end is End.KILLED_BEFORE:
            raise Killed
        if self._end is not End.NOT_SENT:
            spend(send())
        if self._end is End.KILLED_AFTER:
            raise Killed
        return silence()


class CutTransport(Transport):
    """Ends at a request that writes."""

    def __init__(self, *arguments: Any, cut: Cut, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._cut = cut

    def open(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Opened:
        def send() -> Opened:
            return super(CutTransport, self).open(method, url, headers=headers, body=body)

        def silence() -> NoReturn:
            raise TransportError(method, url, "failed: Connection reset by peer", retryable=True)

        return self._cut.around(send, silence, Opened.whole) if _writes(method, url, body) else send()


class CutCommits(GitCommits):
    """Ends at a push."""

    def __init__(self, commits: GitCommits, cut: Cut) -> None:
        super().__init__(commits._github, commits._branches)
        self._cut = cut

    def push(self, bare: BareRepository, url: str, head: str, seen: Standing) -> Answer:
        return self._cut.around(
            lambda: super(CutCommits, self).push(bare, url, head, seen),
            lambda: Answer(128, b"", "fatal: the remote end hung up unexpectedly"),
        )


def _writes(method: str, url: str, body: object) -> bool:
    if url.endswith("/graphql"):
        return isinstance(body, bytes) and json.loads(body)["query"].startswith("mutation")
    return method not in ("GET", "HEAD")
