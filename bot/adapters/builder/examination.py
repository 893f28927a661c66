"""Is there what builds images: an engine and a command, a project of CodeBuild, a program of one's own?"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.builder.codebuild import CodeBuild
from bot.adapters.builder.docker_command import docker_environment, find_docker
from bot.adapters.builder.docker_engine import connect
from bot.core.errors import BuildError
from bot.ports.examination import ACCESS, Check, checked, failed, passed, skipped


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


@dataclass(frozen=True, slots=True)
class CodeBuildExamination:
    """Asks for a project; whether builds may be started shows when the first one is."""

    jobs: CodeBuild
    project: str

    @property
    def subject(self) -> str:
        """The project."""
        return f"CodeBuild {self.project}"

    def examine(self) -> Iterator[Check]:
        """List its builds."""
        yield checked(self.subject, ACCESS, self.jobs.reach)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandExamination:
    """Looks for the program that `CommandBuilder` runs, and for the variables that it is given."""

    command: Sequence[str]
    passed: Sequence[str] = ()

    @property
    def subject(self) -> str:
        """The program."""
        return f"command {self.command[0]}"

    def examine(self) -> Iterator[Check]:
        """Look, and run nothing: what it does is not known."""
        yield self._find(self.command[0])
        missing = [name for name in self.passed if name not in os.environ]
        if missing:
            fault = BuildError(f"not set: {', '.join(missing)}; set them, or take them from pass_env of deploy.builder")
            yield failed(self.subject, "environment", fault)

    def _find(self, program: str) -> Check:
        if os.sep in program and not Path(program).is_absolute():
            return skipped(self.subject, "program", "it lies in the source repositories, and is looked for at a build")
        found = shutil.which(program)
        if found is None:
            why = f"{program} is no program that can be run here; install it, or correct run of deploy.builder"
            return failed(self.subject, "program", BuildError(why))
        return passed(self.subject, "program", f"is {found}")
