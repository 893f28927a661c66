"""The forge of settings that name none: functions can be audited, sources cannot."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

from bot.core.errors import ForgeError
from bot.ports.forge import PullRequest, SourceRepository, Sources

_CURE = "name a forge under forges in the settings"


class NoForge:
    """Keeps the shape of the ports `Forge` and `PullRequests`; there is no source repository."""

    def repositories(self) -> Sequence[SourceRepository]:
        """List nothing."""
        return ()

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        """Say what is missing, of each."""
        del wanted
        for repository in repositories:
            yield repository, _missing(repository.name)

    def tree(self, repository: str, commit: str) -> NoReturn:
        """Say what is missing."""
        raise _missing(f"{repository} at {commit[:12]}")

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> NoReturn:
        """Say what is missing."""
        raise _missing(f"{len(paths)} files of {repository} at {commit[:12]}")

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        """Say what is missing."""
        raise _missing(f"pull requests from {branch} of {repository}")

    def checkout(self, repository: str, commit: str) -> AbstractContextManager[Path]:
        """Say what is missing."""
        raise _missing(f"{repository} at {commit[:12]}")


def _missing(what: str) -> ForgeError:
    return ForgeError(f"{what} cannot be read; {_CURE}")
