"""The forge of settings that name none: functions can be audited, sources cannot."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

from bot.core.errors import ForgeError
from bot.ports.forge import PullRequest, SourceRepository, TreeEntry

_CURE = "name a forge under forges in the settings"


class NoForge:
    """Keeps the shape of the ports `Forge` and `PullRequests`; there is no source repository."""

    def repositories(self) -> Sequence[SourceRepository]:
        """List nothing."""
        return ()

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """Say what is missing."""
        self._refuse(f"{repository} at {commit[:12]}")

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Say what is missing."""
        self._refuse(f"{len(paths)} files of {repository} at {commit[:12]}")

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        """Say what is missing."""
        self._refuse(f"pull requests from {branch} of {repository}")

    def checkout(self, repository: str, commit: str) -> AbstractContextManager[Path]:
        """Say what is missing."""
        self._refuse(f"{repository} at {commit[:12]}")

    def _refuse(self, what: str) -> NoReturn:
        raise ForgeError(f"{what} cannot be read; {_CURE}")
