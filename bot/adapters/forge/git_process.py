"""Running git on a repository whose configuration, hooks, attributes and remotes are not trusted.

Only plumbing commands are run, through GitPython. The folder is named by `GIT_DIR`, so nothing is discovered;
hooks and monitors are switched off, no transport is allowed (a repository may promise objects that it would fetch by a
command of its choice), and replaced objects are ignored, so that a commit is what its id says.
"""

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import IO, BinaryIO, Final, cast

from git import Git
from git.exc import GitCommandNotFound

from bot.core.errors import ForgeError

_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
_OVERRIDES: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "i18n.commitEncoding=utf-8",
)
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_LONGEST_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What git printed, and with which status it ended."""

    status: int
    output: bytes
    fault: str

    @property
    def text(self) -> str:
        """The output without white space around it."""
        return self.output.decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class GitProcess:
    """Runs git for one bare repository; `name` is for messages."""

    name: str
    path: Path
    git: Git = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        git = Git(self.path)
        git.update_environment(**_ENVIRONMENT, GIT_DIR=str(self.path), GIT_OBJECT_DIRECTORY=str(self.path / "objects"))
        object.__setattr__(self, "git", git)

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        environment: Mapping[str, str] = _NOTHING,
        accept: Container[int] = (0,),
    ) -> Answer:
        """Run one command to its end; raises `ForgeError` if it ends with a status that is not to be accepted."""
        with self._translated(), TemporaryFile() as stdin:
            stdin.write(given)
            stdin.seek(0)
            status, output, fault = self.git.execute(
                _command(arguments),
                istream=cast("BinaryIO", stdin),
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                env=environment,
            )
        if status not in accept:
            raise self.error(arguments[0], fault)
        return Answer(status, output, fault)

    @contextmanager
    def start(self, *arguments: str) -> Iterator["Conversation"]:
        """Start a command to talk to; it is ended, if it has not ended, when the block is left."""
        with self._translated():
            # GitPython ends the process once nothing holds this object.
            holder = self.git.execute(_command(arguments), as_process=True, istream=PIPE)
        with cast("Popen[bytes]", holder.proc) as running:
            try:
                yield Conversation(self, arguments[0], running)
            finally:
                running.kill()

    def error(self, verb: str, fault: str) -> ForgeError:
        """Say that git failed, in git's own words."""
        cure = "check the repository with git fsck and the rights on its folder"
        return ForgeError(f"{self.name}: git {verb} failed ({fault.strip()[:_LONGEST_FAULT]}); {cure}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GitCommandNotFound as fault:
            raise ForgeError(f"{self.name}: the git command is not there; install git") from fault
        except OSError as fault:
            raise ForgeError(f"{self.name}: git could not be run ({fault.strerror}); free memory and disk") from fault


class Conversation:
    """A running git that answers on `output`."""

    def __init__(self, git: GitProcess, verb: str, process: Popen[bytes]) -> None:
        self._git = git
        self._verb = verb
        self._process = process
        self.output = cast("IO[bytes]", process.stdout)

    def ask(self, line: str) -> bytes:
        """Write a line and return the first line of the answer; raises `ForgeError` if git ended instead."""
        with suppress(BrokenPipeError):
            os.write(cast("IO[bytes]", self._process.stdin).fileno(), f"{line}\n".encode())
        answer = self.output.readline()
        if not answer:
            self._process.wait()
            raise self._git.error(self._verb, self._fault())
        return answer

    def finish(self) -> None:
        """Wait for the end, once all output is read; raises `ForgeError` if git failed."""
        if self._process.wait() != 0:
            raise self._git.error(self._verb, self._fault())

    def _fault(self) -> str:
        return cast("IO[bytes]", self._process.stderr).read(_LONGEST_FAULT).decode(errors="replace")


def _command(arguments: Sequence[str]) -> list[str]:
    overrides = [part for override in _OVERRIDES for part in ("-c", override)]
    return [Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *overrides, *arguments]
