"""The files of a commit in a folder, written by ourselves: no filter, attribute or hook of the repository takes part.

Symbolic links come last, so that no file is written through one; then those that lead out of the folder go again.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.adapters.forge.bare_repository import ObjectReader
from bot.adapters.forge.entries import LINK, TreeEntry
from bot.core.errors import ForgeError

_LARGEST: Final = 2 * 2**30
"""Bytes of all files together; a container image may have 10 GB, its source should have less."""
_LONGEST_TARGET: Final = 4096
_EXECUTABLE: Final = "100755"
_FORBIDDEN: Final = frozenset(("", ".", "..", ".git"))


def export(repository: str, files: Sequence[TreeEntry], objects: ObjectReader, folder: Path) -> None:
    """Write all files; raises `ForgeError` if they are too large, or a path that no honest git makes is among them."""
    if sum(file.size for file in files) > _LARGEST:
        raise ForgeError(f"{repository}: its files have over {_LARGEST} bytes together; exclude the repository")
    for file in files:
        if _FORBIDDEN & set(file.path.casefold().split("/")):
            raise ForgeError(
                f"{repository}: {file.path!r} is no path that may be written; remove it from the repository"
            )
    try:
        _write_all(files, objects, folder)
    except OSError as fault:
        where = f"{fault.filename}: {fault.strerror}"
        raise ForgeError(
            f"{repository}: its files cannot be written ({where}); free some space, or exclude it"
        ) from fault


def _write_all(files: Sequence[TreeEntry], objects: ObjectReader, folder: Path) -> None:
    links = [file for file in files if file.mode == LINK]
    for file in files:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
    for file in files:
        if file.mode != LINK:
            _write_file(file, objects, folder / file.path)
    for link in links:
        _write_link(link, objects, folder / link.path)
    for astray in [place for link in links if not _stays(place := folder / link.path, folder)]:
        astray.unlink()


def _write_file(file: TreeEntry, objects: ObjectReader, place: Path) -> None:
    with place.open("xb") as target:
        objects.copy(file.id, target, _LARGEST)
    if file.mode == _EXECUTABLE:
        place.chmod(0o755)


def _write_link(link: TreeEntry, objects: ObjectReader, place: Path) -> None:
    """Write a link; one that no system can hold leads nowhere and is left out."""
    target = objects.read(link.id, _LONGEST_TARGET)
    if target and b"\0" not in target:
        place.symlink_to(os.fsdecode(target))


def _stays(place: Path, folder: Path) -> bool:
    """Whether what a link leads to, through other links too, is in the folder; judged once all links are there."""
    return Path(os.path.realpath(place)).is_relative_to(folder)
