"""Where a work tree comes from: its top folder and the address of its remote `origin`, as git would use it.

The repository may be somebody else's, so git is asked as in `working_tree`: nothing of the repository runs.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from git import Git
from git.exc import GitCommandNotFound

from bot.adapters.forge.working_tree import GIT, UNTRUSTED
from bot.core.errors import ForgeError

_NO_SUCH_REMOTE: Final = 2
"""git-remote(1), "EXIT STATUS"."""


@dataclass(frozen=True, slots=True)
class Clone:
    """A git work tree; `origin` is None where it has no such remote, and may hold a login."""

    top: Path
    origin: str | None = field(repr=False)


def read_origin(folder: Path) -> Clone | None:
    """Look at the work tree that a folder belongs to, None if to none; raises `ForgeError` if git cannot."""
    git = Git(folder)
    git.update_environment(**UNTRUSTED)
    status, top = _ask(git, folder, "rev-parse", "--show-toplevel")
    if status:
        if any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents)):
            raise ForgeError(f"{folder}: git cannot read this repository ({top}); see what git status says there")
        return None
    status, address = _ask(git, folder, "remote", "get-url", "origin")
    if status not in (0, _NO_SUCH_REMOTE):
        raise ForgeError(f"{folder}: git cannot tell its remotes ({address}); see what git remote -v says there")
    return Clone(Path(top), None if status else _existing(address))


def read_user(folder: Path) -> str | None:
    """Return the person that git knows in a folder, None if it knows nobody there."""
    try:
        status, name = _ask(Git(folder), folder, "config", "--get", "user.name")
    except ForgeError:  # git is not there
        return None
    return None if status else name


def _existing(address: str) -> str:
    """A path as git finds it: `orders` may be `orders.git`."""
    path = Path(address)
    bare = path.with_name(f"{path.name}.git") if path.is_absolute() and path.suffix != ".git" else path
    return str(bare) if bare != path and bare.is_dir() else address


def _ask(git: Git, folder: Path, *arguments: str) -> tuple[int, str]:
    """Return git's status with the line that it printed, or what it complained of."""
    try:
        status, output, complaint = git.execute(
            [*GIT, *arguments], with_extended_output=True, with_exceptions=False, strip_newline_in_stdout=True
        )
    except GitCommandNotFound as fault:
        raise ForgeError(f"{folder}: git is not there; install git") from fault
    return status, " ".join(complaint.split())[:300] if status else str(output)
