"""`refrom init`: settings for the repository at hand, found by looking at it; whatever is there already stays."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from rich.console import Console

from bot.core.errors import SettingsError
from bot.entrypoints.scan import scan_document
from bot.entrypoints.tables import say, show
from bot.settings.remote import forge_of
from bot.settings.schema import schema_json
from bot.settings.starter import SCHEMA_FILE, TOKEN_VARIABLE, starter
from bot.settings.values import GitHubForge, LocalForge
from bot.wiring import read_origin, read_working_trees

_NAME: Final = "refrom.yaml"
_IGNORED: Final = "# Made by refrom: its store, which may be deleted.\n*\n"


def write_starter(console: Console, folder: Path, environ: Mapping[str, str]) -> None:
    """Write refrom.yaml into a folder of a git work tree, and say what was found and what comes next.

    Raises `SettingsError` if there is one already, or if nothing tells which repository on which forge is meant.
    """
    path = folder / _NAME
    if path.exists() or path.is_symlink():
        raise _there(path)
    top, forge = _look(folder)
    document = scan_document(read_working_trees([top]))
    uses = [use for use in document["uses"] if use["lambda"]]
    runtimes = sorted({use["runtime"] for use in uses if use["runtime"]})
    dockerfiles = [use["path"] for use in uses if use["carrier"] == "dockerfile" and use["final"]]
    with _translated(path):
        _write_beside(folder)
        if not _write_new(path, starter(forge, runtimes, dockerfiles)):
            raise _there(path)
    _tell(console, path, forge, uses, document["skipped"])
    _tell_next(console, folder, forge, environ)


def _look(folder: Path) -> tuple[Path, GitHubForge | LocalForge]:
    clone = read_origin(folder)
    if clone is None:
        raise SettingsError([f"{folder} is in no git work tree; run refrom init in a clone of the source repository"])
    if clone.origin is None:
        cure = "add it (git remote add origin ADDRESS)"
        raise SettingsError([f"{clone.top} has no remote origin, so nothing says where its pull requests go; {cure}"])
    return clone.top, forge_of(clone.origin)


def _there(path: Path) -> SettingsError:
    return SettingsError([f"{path} is there already and stays as it is; move it away to have a new one written"])


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        cure = "make the folder writable"
        raise SettingsError([f"{path} cannot be written ({fault.filename}: {fault.strerror}); {cure}"]) from fault


def _write_beside(folder: Path) -> None:
    """Make the folder of the store, which git ignores by a file in it, with the schema for editors.

    A link is not followed: a repository may bring one that leads anywhere.
    """
    schema = folder / SCHEMA_FILE
    if schema.parent.is_symlink():
        raise SettingsError([f"{schema.parent} is a link, but the store lies there; put a folder in its place"])
    schema.parent.mkdir(exist_ok=True)
    _write_new(schema.parent / ".gitignore", _IGNORED)
    _write_new(schema, schema_json())


def _write_new(path: Path, text: str) -> bool:
    """Write a file whole or not at all; False, and nothing happens, if something has that name (link(2))."""
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _tell(
    console: Console,
    path: Path,
    forge: GitHubForge | LocalForge,
    uses: list[dict[str, Any]],
    skipped: list[dict[str, Any]],
) -> None:
    (repository,) = forge.include
    where = forge.url if isinstance(forge, GitHubForge) else str(forge.root)
    say(console, f"Source repository: {repository}, on {where}")
    rows = [(f"{use['path']}:{use['line']}", use["runtime"], use["raw"]) for use in uses]
    show(console, "Lambda bases here", ("where", "runtime", "reference"), rows)
    for entry in skipped:
        say(console, f"not read: {entry['path']}:{entry['line'] or ''}: {entry['reason']}", "yellow")
    if not uses:
        say(console, "refrom has nothing to do until a Dockerfile or the like names one.", "yellow")
    say(console, f"Wrote {path}; its deploy is a comment to fill in.", "green")


def _tell_next(console: Console, folder: Path, forge: GitHubForge | LocalForge, environ: Mapping[str, str]) -> None:
    here = "" if folder == Path() else f" --config {shlex.quote(str(folder / _NAME))}"
    say(console, "\nNext:")
    if isinstance(forge, GitHubForge) and not environ.get(TOKEN_VARIABLE):
        say(console, f"  export {TOKEN_VARIABLE}=...   # a token with contents: write and pull requests: write")
    say(console, f"  refrom doctor{here}   # is everything reached?")
    say(console, f"  refrom run --dry-run{here}   # what would be done?")
