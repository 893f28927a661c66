"""Can the folder of bare repositories be listed, and each repository be written?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import ForgeError
from bot.ports.examination import ACCESS, Check, checked


@dataclass(frozen=True, slots=True)
class LocalExamination:
    """Looks at the folder that the settings name."""

    root: Path

    @property
    def subject(self) -> str:
        """The folder."""
        return f"repositories in {self.root}"

    def examine(self) -> Iterator[Check]:
        """Look for repositories, and for the right to write them."""
        access = checked(self.subject, ACCESS, self._count)
        yield access
        if not access.is_failed:
            yield checked(self.subject, "write", self._may_write)

    def _count(self) -> str:
        if not self.root.is_dir():
            raise ForgeError(f"the folder of repositories {self.root} is not there; create it, or name another")
        return f"{len(self._repositories())} bare repositories"

    def _may_write(self) -> str:
        for path in self._repositories():
            if not os.access(path, os.W_OK, effective_ids=True):
                raise ForgeError(f"{path} cannot be written; make it writable for the user that refrom runs as")
        return "can be written"

    def _repositories(self) -> list[Path]:
        return sorted(self.root.glob("*/*.git"))
