"""What settings are checked against besides themselves: the environment, files beside them, the runtime catalogue."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.core.runtimes import Catalogue


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a settings file stands. Its methods raise `ValueError` with what is wrong and the cure."""

    folder: Path
    environ: Mapping[str, str]
    catalogue: Catalogue

    def require_runtime(self, identifier: str) -> None:
        """Refuse a runtime identifier that the catalogue lacks."""
        if identifier not in self.catalogue:
            raise ValueError(f"runtime {identifier!r} is unknown; {self.catalogue.hint(identifier)}")

    def secret(self, env: str | None, file: str | None) -> str:
        """Look a secret up; its text is in no message."""
        if env is not None:
            found = self.environ.get(env)
            if not found:
                raise ValueError(f"the environment variable {env} is not set; set it")
            return found
        path = self.folder / (file or "")
        try:
            mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as reason:
            raise ValueError(f"{path} cannot be read ({type(reason).__name__}); write the secret there") from None
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise ValueError(f"{path} can be read by everybody; chmod 600 it")
        return text
