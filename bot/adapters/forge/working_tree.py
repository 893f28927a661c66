"""Working trees on disk: the files that a scan reads, by git's ignore rules where there is git.

Nothing outside the named folders is read: symbolic links are followed to files inside only. The checkout may be
somebody else's, so git runs without its hooks, monitors and transports.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from git import Git
from git.exc import GitCommandError, GitCommandNotFound

from bot.core.carriers import LARGEST, SourceFile, is_candidate
from bot.core.errors import ForgeError

UNTRUSTED: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
"""The environment in which git is asked about a repository of somebody else."""
GIT: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_LIST: Final = (*GIT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")


def read_working_trees(paths: Sequence[Path]) -> Iterator[SourceFile]:
    """Yield the files below some folders that may name a base image, in path order, and any file named itself.

    Paths are relative to a folder that is the only one, else they begin with the folder as it was named. What cannot be
    read is yielded with its fault. Raises `ForgeError` if a path is not there or git cannot list a work tree.
    """
    for path in paths:
        if path.is_dir():
            prefix = path.as_posix().rstrip("/") + "/" if len(paths) > 1 else ""
            yield from _read_tree(path, prefix)
        elif path.exists():
            yield _read(path, path.as_posix()) if is_candidate(path.as_posix()) else _of_no_kind(path)
        else:
            raise ForgeError(f"{path} is not there; name a folder or a file")


def _of_no_kind(path: Path) -> SourceFile:
    return SourceFile(
        path=path.as_posix(), fault="its name is that of no kind of file that names base images; rename it"
    )


def _read_tree(root: Path, prefix: str) -> Iterator[SourceFile]:
    within = Path(os.path.realpath(root))
    for name in sorted(set(_names(root, within))):
        if is_candidate(name) and _belongs(root / name, within):
            yield _read(root / name, prefix + os.fsencode(name).decode(errors="backslashreplace"))


def _belongs(path: Path, within: Path) -> bool:
    """Whether a path is a file of the tree, or a link to one that is not listed by itself."""
    if not path.is_symlink():
        return path.is_file() and Path(os.path.realpath(path)).is_relative_to(within)
    target = Path(os.path.realpath(path))
    return target.is_file() and target.is_relative_to(within) and not is_candidate(target.name)


def _read(path: Path, name: str) -> SourceFile:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return SourceFile(path=name, fault="it is no regular file")
        if status.st_size > LARGEST:
            return SourceFile(path=name, fault=f"the file is larger than {LARGEST} bytes")
        return SourceFile(path=name, content=path.read_bytes())
    except OSError as fault:
        return SourceFile(path=name, fault=f"it cannot be read: {fault.strerror}")


def _names(root: Path, within: Path) -> Iterator[str]:
    """List the files of a tree: by git in a work tree, also in one inside another, else all there are."""
    git_above = any((parent / ".git").exists() for parent in within.parents)
    waiting = [""]
    while waiting:
        below = waiting.pop()
        folder = root / below
        by_git = (folder / ".git").exists() or (git_above and not below)
        for name in _listed_by_git(folder) if by_git else _listed(folder):
            if not name.endswith("/"):
                yield below + name
            elif not by_git or (folder / name / ".git").exists():
                waiting.append(below + name)


def _listed(folder: Path) -> Iterator[str]:
    """List a folder; names of folders end with a slash."""
    for entry in _entries(folder):
        yield f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as fault:
        raise ForgeError(f"{folder} cannot be listed: {fault.strerror}; check its rights") from fault


def _listed_by_git(folder: Path) -> Iterator[str]:
    """List what git tracks or would track in a work tree; names of work trees inside end with a slash."""
    git = Git(folder)
    git.update_environment(**UNTRUSTED)
    try:
        output = git.execute(_LIST, stdout_as_string=False, strip_newline_in_stdout=False)
    except GitCommandNotFound as fault:
        raise ForgeError(f"{folder} is a git work tree, but git is not there; install git") from fault
    except GitCommandError as fault:
        words = str(fault.stderr).strip()[:300]
        raise ForgeError(f"{folder}: git cannot list its files ({words}); repair it, or name single files") from fault
    for listed in bytes(output).split(b"\0"):
        name = os.fsdecode(listed)
        path = folder / name
        # A submodule is listed without a slash.
        is_folder = name and not name.endswith("/") and path.is_dir() and not path.is_symlink()
        if name:
            yield f"{name}/" if is_folder else name
