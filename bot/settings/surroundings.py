"""What settings are checked against besides themselves: the environment, files beside them, the runtime catalogue."""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.runtimes import Catalogue

_USUAL_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a settings file stands. Its methods raise `ValueError` with what is wrong and the cure."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    catalogue: Catalogue

    def require_runtime(self, identifier: str) -> None:
        """Refuse a runtime identifier that the catalogue lacks."""
        if identifier not in self.catalogue:
            raise ValueError(f"runtime {identifier!r} is unknown; {self.catalogue.hint(identifier)}")

    def require_system(self, name: str) -> None:
        """Refuse an operating system that no runtime of the catalogue stands on."""
        systems = sorted({self.catalogue.get(identifier).os for identifier in self.catalogue})
        if name not in systems:
            raise ValueError(f"operating system {name!r} is under no runtime; use one of {', '.join(systems)}")

    def secret(self, env: str | None, file: str | None) -> str:
        """Look a secret up; its text is in no message."""
        if env is not None:
            found = self.environ.get(env)
            if not found:
                # A name in other letters may be the secret itself, written in the wrong place.
                name = env if _USUAL_NAME.match(env) else "that it names"
                raise ValueError(f"the environment variable {name} is not set; set it")
            return found
        path = self.folder / (file or "")
        try:
            mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as reason:
            raise ValueError(f"{path} cannot be read ({type(reason).__name__}); write the secret there") from None
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise ValueError(f"{path} can be read by everybody; chmod 600 it")
        if not text:
            raise ValueError(f"{path} is empty; write the secret there")
        return text
