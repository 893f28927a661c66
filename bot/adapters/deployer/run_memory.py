"""What one audit has read of a fleet, so that the next one goes on where it was interrupted.

An audit that ended leaves nothing behind for the next: that one is to see what changed since, and not an hour later.
Which version an ARN of a runtime names never changes, so that is remembered for good.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

from bot.core.errors import InvalidReference
from bot.core.runtime_version import InitStart, RuntimeVersion
from bot.ports.clock import Clock
from bot.ports.store import DocumentMemory, Kept

LIFE: Final = timedelta(hours=1)
"""An audit that was interrupted longer ago begins anew."""

_RUN: Final = "audit"
_UNDERWAY: Final = "underway"
_DONE: Final = "done"
_FORM: Final = 1
"""Raised whenever what is kept of a function has another form, so that it is read again."""


class RunMemory:
    """Keeps what was read in one run; `scope` says of which places, `number` which run it is."""

    def __init__(self, documents: DocumentMemory, clock: Clock, scope: str, number: int, began: datetime) -> None:
        self._documents = documents
        self._clock = clock
        self._scope = scope
        self._number = number
        self._began = began

    @classmethod
    def begin(cls, documents: DocumentMemory, clock: Clock, scope: str) -> Self:
        """Begin a run, or go on with the one of the same places that did not come to its end."""
        last, now = documents.get(_RUN), clock.now()
        number = int(last.content) if last else 0
        if last and (last.etag, last.source) == (_UNDERWAY, scope) and timedelta() <= now - last.confirmed < LIFE:
            return cls(documents, clock, scope, number, last.confirmed)
        memory = cls(documents, clock, scope, number + 1, now)
        memory._mark(_UNDERWAY)
        return memory

    def end(self) -> None:
        """Say that the run came to its end, so that what it read counts no more."""
        self._mark(_DONE)

    def get(self, name: str, revision: str) -> Mapping[str, Any] | None:
        """Return what this run kept under a name, if it was of the same revision."""
        kept = self._documents.get(f"{_RUN} {name}")
        if kept is None or (kept.etag, kept.source) != (f"{_FORM} {revision}", str(self._number)):
            return None
        document: Mapping[str, Any] = json.loads(kept.content)
        return document

    def put(self, name: str, revision: str, document: Mapping[str, Any]) -> None:
        """Keep what was read."""
        content = json.dumps(document, separators=(",", ":")).encode()
        kept = Kept(source=str(self._number), etag=f"{_FORM} {revision}", confirmed=self._clock.now(), content=content)
        self._documents.put(f"{_RUN} {name}", kept)

    def version_of(self, arn: str) -> InitStart | None:
        """Return the runtime version of an ARN, if any run has seen it."""
        kept = self._documents.get(f"runtime {arn}")
        try:
            return InitStart(RuntimeVersion.parse(kept.content.decode()), arn) if kept else None
        except InvalidReference:  # kept by another release in another form
            return None

    def learn(self, started: InitStart) -> None:
        """Keep which version an ARN names."""
        content, now = str(started.version).encode(), self._clock.now()
        self._documents.put(f"runtime {started.arn}", Kept(source="log", etag="", confirmed=now, content=content))

    def _mark(self, state: str) -> None:
        number = str(self._number).encode()
        self._documents.put(_RUN, Kept(source=self._scope, etag=state, confirmed=self._began, content=number))
