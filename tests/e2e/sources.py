"""Where the scene's source repositories are, and what people do there: in a folder, or on the GitHub fake over it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from bot.adapters.engine.clock import VirtualClock
from bot.adapters.forge.github import FixedToken, GitHub, GitHubForge, Sender, Site
from bot.adapters.forge.local import LocalForge
from bot.adapters.transport import Transport
from bot.core.pull_request import BRANCH
from bot.ports.forge import PullRequest
from tests.lab.github.fake import FakeGitHub, github_fake


class Sources(Protocol):
    """A forge as people and settings see it."""

    def settings(self) -> str:
        """The entry under `forges`."""
        ...

    def pull_requests(self, repository: str) -> Sequence[PullRequest]:
        """All pull requests of ours in a repository."""
        ...

    def merge(self, repository: str, number: int) -> None:
        """Press the merge button."""
        ...

    def writes(self) -> list[str]:
        """All that was changed so far, or the state that every change would alter."""
        ...


class LocalSources:
    """The forge in a folder."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self._root, self._forge = folder / "repositories", LocalForge(folder / "repositories", clock)

    def settings(self) -> str:
        return "{kind: local, root: repositories}"

    def pull_requests(self, repository: str) -> Sequence[PullRequest]:
        return self._forge.pull_requests(repository, BRANCH)

    def merge(self, repository: str, number: int) -> None:
        self._forge.merge(repository, number)

    def writes(self) -> list[str]:
        references = (path for path in sorted(self._root.rglob("refs/**/*")) if path.is_file())
        return [f"{path.relative_to(self._root)} {path.read_text().strip()}" for path in references]


class GitHubSources:
    """The fake, as an Enterprise Server."""

    def __init__(self, fake: FakeGitHub, folder: Path, transport: Transport, clock: VirtualClock) -> None:
        self.fake = fake
        token = folder / "github-token"
        token.touch(mode=0o600)
        token.write_text(fake.token("refrom[bot]"))
        sender = Sender(transport, Site.of(fake.enterprise_url), clock)
        self._forge = GitHubForge(GitHub(sender, FixedToken(fake.token("a-reader"))), ["acme/*"])

    def settings(self) -> str:
        return f'{{kind: github, url: "{self.fake.enterprise_url}", token: {{file: github-token}}, include: [acme/*]}}'

    def pull_requests(self, repository: str) -> Sequence[PullRequest]:
        return self._forge.pull_requests(repository, BRANCH)

    def merge(self, repository: str, number: int) -> None:
        self.fake.merge(repository, number)

    def writes(self) -> list[str]:
        return list(self.fake.writes)


@contextmanager
def sources(kind: str, folder: Path, clock: VirtualClock) -> Iterator[Sources]:
    """Give the forge of a kind, `local` or `github`."""
    if kind == "local":
        yield LocalSources(folder, clock)
        return
    with github_fake(folder, clock=clock) as fake, closing(Transport(clock)) as transport:
        yield GitHubSources(fake, folder, transport, clock)
