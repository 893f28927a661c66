"""Editing refrom.holds.yaml: what a person declared by a command, written beside what people wrote by hand.

Comments, quotes and order stay. The new text is read again before it replaces the old one, in one step; a file that was
faulty before is refused, for nobody could say what it meant. Writers take turns.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from bot.core.errors import SettingsError
from bot.core.policy import Declarations, FunctionMode
from bot.settings.documents import read_document
from bot.settings.loading import load_declarations

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z")
_ENTRY: Final = re.compile(r"^( *)- ", re.MULTILINE)
_WIDEST: Final = 10_000
"""Characters before a value is folded; nobody's lines are broken anew."""


class _Representer(RoundTripRepresenter):
    """Writes dates as they were read, which is as text."""

    def represent_text(self, data: str) -> ScalarNode:
        if _DAY.match(data):
            node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:timestamp", data)
            return node
        text: ScalarNode = self.represent_str(data)
        return text


_Representer.add_representer(str, _Representer.represent_text)


def declare_mode(path: Path, mode: FunctionMode) -> None:
    """Put a function into an update mode, in place of what was declared for it before. Raises `SettingsError`."""

    def put(document: CommentedMap) -> None:
        entries = document.setdefault("modes", CommentedSeq())
        until = mode.mode.until.isoformat() if mode.mode.until else None
        said = {"function": mode.function, "mode": str(mode.mode.mode), "reason": mode.mode.reason or None}
        entry = CommentedMap({key: value for key, value in {**said, "until": until}.items() if value})
        there = [number for number, one in enumerate(entries) if one["function"] == mode.function]
        if there:
            for key in entries[there[0]].keys() - entry.keys():
                del entries[there[0]][key]
            entries[there[0]].update(entry)
        else:
            entries.append(entry)

    def expected(before: Declarations) -> Declarations:
        there = [one.function for one in before.modes]
        if mode.function in there:
            return replace(before, modes=tuple(mode if one.function == mode.function else one for one in before.modes))
        return replace(before, modes=(*before.modes, mode))

    edit(path, put, expected)


def edit(path: Path, change: Callable[[CommentedMap], None], expected: Callable[[Declarations], Declarations]) -> None:
    """Change what the file declares to what is `expected` of what it declared; it need not be there yet.

    Raises `SettingsError` with the file and the cure, and then leaves it as it was.
    """
    try:
        with _alone(path.parent):
            declared = expected(load_declarations(path))
            document = read_document(path) if path.exists() else CommentedMap(version=1)
            change(document)
            _replace(path, document, declared)
    except OSError as fault:
        raise SettingsError([f"{path}: cannot be written ({fault.strerror}); make its folder writable"]) from fault


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other writers out; the folder is locked, so that no lock file is left beside the settings."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, document: CommentedMap, expected: Declarations) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            _yaml(path).dump(document, file)
            _settle(file)
        if load_declarations(temporary) != expected:
            raise SettingsError([f"{path}: would not say what was meant; write the entry by hand, and report this"])
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _settle(file: IO[str]) -> None:
    """Have it on the disk before it takes the other one's place."""
    file.flush()
    os.fsync(file.fileno())


def _yaml(path: Path) -> YAML:
    """Write lists indented as the file has them."""
    found = _ENTRY.search(path.read_text(encoding="utf-8")) if path.exists() else None
    offset = len(found[1]) if found else 2
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = _WIDEST
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml
