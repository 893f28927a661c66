"""Is there a Docker Engine, and a `docker` command that builds with BuildKit?"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from bot.adapters.builder.docker_command import docker_environment, find_docker
from bot.adapters.builder.docker_engine import connect
from bot.ports.examination import ACCESS, Check, checked


@dataclass(frozen=True, slots=True)
class DockerExamination:
    """Looks for what `DockerBuilder` needs; `host` is as there."""

    host: str | None = None

    @property
    def subject(self) -> str:
        """The engine's address."""
        with docker_environment(self.host) as environment:
            return f"Docker Engine {environment['DOCKER_HOST']}"

    def examine(self) -> Iterator[Check]:
        """Connect, then find the command."""
        yield checked(self.subject, ACCESS, self._reach)
        yield checked(self.subject, "command", self._find)

    def _reach(self) -> str:
        with docker_environment(self.host) as environment, closing(connect(environment)) as engine:
            return f"answers with API version {engine.api.api_version}"

    def _find(self) -> str:
        with docker_environment(self.host) as environment:
            return f"{find_docker(environment)} builds with BuildKit"
