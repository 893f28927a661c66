"""What persons do to source repositories, with plain git, and the world of a contract test made of it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.core.errors import ForgeError
from bot.ports.forge import Forge, PullRequests, Sources

LINK = "120000"
EXECUTABLE = "100755"
REGULAR = "100644"


@dataclass(frozen=True, slots=True)
class File:
    """A file as a person commits it; of a link, the content is its target."""

    content: bytes
    mode: str = REGULAR


Files = Mapping[str, File]


class Bot(Forge, PullRequests, Protocol):
    """Both ports of a forge, with a life of its own: what another one does is not known to it."""


class World(Protocol):
    """A forge with persons around it; every implementation of the ports brings one."""

    def bot(self) -> Bot:
        """Return a new bot, as a process that just started has it."""
        ...

    def create_repository(self, name: str, files: Files, *, branch: str = "main") -> str:
        """Create a repository with one commit on its default branch and return that commit; no files, no commit."""
        ...

    def push(self, name: str, branch: str, files: Files) -> str:
        """Let a person push a commit that adds or replaces these files to a branch, made if it is not there."""
        ...

    def merge(self, name: str, number: int) -> None:
        """Let a person press the merge button."""
        ...

    def merge_with_git(self, name: str, branch: str) -> None:
        """Let a person merge a branch into the default branch with plain git, and push."""
        ...

    def close(self, name: str, number: int) -> None:
        """Let a person press the close button."""
        ...

    def delete_branch(self, name: str, branch: str) -> None:
        """Let a person delete a branch."""
        ...

    def rename_default_branch(self, name: str, new: str) -> None:
        """Let a person rename the default branch."""
        ...

    def forget_pull_request(self, name: str, number: int) -> None:
        """Leave the branch without its pull request, as a crash between the two does."""
        ...

    def add_reviewer(self, name: str, login: str) -> None:
        """Let a person be one who may be asked to review."""
        ...

    def label(self, name: str, number: int, labels: Sequence[str]) -> None:
        """Let a person give a pull request these labels and no others."""
        ...

    def reviewers(self, name: str, number: int) -> Sequence[str]:
        """Return who was asked to review."""
        ...

    def comments(self, name: str, number: int) -> Sequence[str]:
        """Return what was said on a pull request, oldest first."""
        ...

    def is_draft(self, name: str, number: int) -> bool:
        """Whether a pull request is a draft."""
        ...

    def branches(self, name: str) -> Mapping[str, str]:
        """Return all branches with their commits."""
        ...

    def files(self, name: str, commit: str) -> Files:
        """Return all files of a commit."""
        ...

    def parents(self, name: str, commit: str) -> list[str]:
        """Return the parents of a commit."""
        ...

    def message(self, name: str, commit: str) -> str:
        """Return what a commit says, without white space around it."""
        ...


class BareRepositories:
    """Persons with plain git before a folder of bare repositories: all of a `World` that needs no forge.

    What they push was made at the moment `at`, else at one long ago that is always the same.
    """

    def __init__(self, root: Path, desk: Path, at: datetime | None = None) -> None:
        self.root, self.desk, self.at = root, desk, at

    def path(self, name: str) -> Path:
        return self.root / f"{name}.git"

    def create_repository(self, name: str, files: Files, *, branch: str = "main") -> str:
        git(self.desk, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(self.path(name)))
        return self.push(name, branch, files) if files else ""

    def push(self, name: str, branch: str, files: Files) -> str:
        clone = self._clone(name)
        if branch in self.branches(name):
            git(clone, "checkout", "--quiet", branch)
        else:
            git(clone, "checkout", "--quiet", "-B", branch)
        for path, file in files.items():
            _put(clone / path, file)
        git(clone, "add", "--all", "--force")
        git(clone, "commit", "--quiet", "--allow-empty", "--message", "A person's work", at=self.at)
        git(clone, "push", "--quiet", "origin", branch)
        return git(clone, "rev-parse", "HEAD").decode().strip()

    def merge_with_git(self, name: str, branch: str) -> None:
        clone = self._clone(name)
        git(clone, "merge", "--quiet", "--no-edit", f"origin/{branch}")
        git(clone, "push", "--quiet")

    def delete_branch(self, name: str, branch: str) -> None:
        git(self._clone(name), "push", "--quiet", "--delete", "origin", branch)

    def rename_default_branch(self, name: str, new: str) -> None:
        git(self.path(name), "branch", "--move", new)

    def create_broken(self, name: str) -> None:
        """Create a repository whose default branch is not there, so that nothing of it can be read."""
        self.create_repository(name, {"Dockerfile": File(b"FROM x\n")})
        git(self.path(name), "symbolic-ref", "HEAD", "refs/heads/gone")

    def branches(self, name: str) -> Mapping[str, str]:
        lines = git(self.path(name), "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").decode().split()
        return {ref.removeprefix("refs/heads/"): commit for ref, commit in zip(lines[::2], lines[1::2], strict=True)}

    def files(self, name: str, commit: str) -> Files:
        records = git(self.path(name), "ls-tree", "-r", "-z", commit).decode().split("\0")[:-1]
        found: dict[str, File] = {}
        for fields, _, path in (record.partition("\t") for record in records):
            mode, kind, oid = fields.split()
            found[path] = File(git(self.path(name), "cat-file", kind, oid) if kind == "blob" else oid.encode(), mode)
        return found

    def parents(self, name: str, commit: str) -> list[str]:
        return git(self.path(name), "show", "--no-patch", "--format=%P", commit).decode().split()

    def message(self, name: str, commit: str) -> str:
        return git(self.path(name), "show", "--no-patch", "--format=%B", commit).decode().strip()

    def _clone(self, name: str) -> Path:
        """Clone anew, in a numbered folder: a person's folder knows nothing of the last time."""
        clone = self.desk / f"clone{len(list(self.desk.iterdir()))}"
        git(self.desk, "clone", "--quiet", str(self.path(name)), str(clone))
        return clone


def undated(found: Sources | ForgeError) -> Sources | ForgeError:
    """What was read, whenever somebody changed it."""
    return found if isinstance(found, ForgeError) else replace(found, changed=None)


def git(folder: Path, *arguments: str, given: bytes = b"", at: datetime | None = None) -> bytes:
    """Run git as a person whose own configuration is empty."""
    date = f"{int(at.timestamp()) if at else 1_700_000_000} +0000"
    person = {"NAME": "Ada", "EMAIL": "ada@example.com", "DATE": date}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout


def _put(place: Path, file: File) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if file.mode == LINK:
        place.symlink_to(os.fsdecode(file.content))
    else:
        place.write_bytes(file.content)
        place.chmod(0o755 if file.mode == EXECUTABLE else 0o644)
