"""Can the store be read, and its file and folder be written?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.store.store import snapshot
from bot.core.errors import StoreError
from bot.ports.examination import ACCESS, Check, checked


@dataclass(frozen=True, slots=True)
class StoreExamination:
    """Looks at the store as a dry run does, and makes nothing."""

    path: Path

    @property
    def subject(self) -> str:
        """There is one."""
        return "store"

    def examine(self) -> Iterator[Check]:
        """Read it, and ask for the right to write it."""
        yield checked(self.subject, ACCESS, self._read)
        yield checked(self.subject, "write", self._may_write)

    def _read(self) -> str:
        with snapshot(self.path):
            return f"{self.path} {'can be read' if self.path.exists() else 'is not there yet, the first run makes it'}"

    def _may_write(self) -> str:
        folder = next(parent for parent in self.path.absolute().parents if parent.exists())
        for place in (folder, self.path):
            if place.exists() and not os.access(place, os.W_OK, effective_ids=True):
                raise StoreError(f"store {self.path}: {place} cannot be written; make it writable, or name another")
        return f"{folder} can be written"
