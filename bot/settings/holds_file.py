"""Editing refrom.holds.yaml: what a person declared by a command, written beside what people wrote by hand.

Comments, quotes and order stay. The new text is read again before it replaces the old one, in one step; a file that was
faulty before is refused, for nobody could say what it meant. Writers take turns.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import IO, Final, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from bot.core.digest import Digest
from bot.core.errors import SettingsError
from bot.core.policy import Block, Declarations, FunctionMode, Hold
from bot.settings.documents import read_document
from bot.settings.loading import load_declarations

D = TypeVar("D", bound=Hold | Block | FunctionMode)

_NAMED: Final = ("repository", "path", "runtime", "function")
"""What a hold names."""
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


Rewrite = Callable[[str, CommentedMap], str]
"""From the text of the file, and what it says, to the new text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of what the file declares: how it is written, and what the file is `expected` to say then."""

    rewrite: Rewrite
    expected: Callable[[Declarations], Declarations]

    def changes(self, path: Path) -> bool:
        """Say whether it would change anything. Raises `SettingsError` as `apply` does."""
        before = load_declarations(path)
        return self.expected(before) != before

    def apply(self, path: Path) -> bool:
        """Write it, unless the file says so already; it need not be there yet. Says whether it changed anything.

        Raises `SettingsError` with the file and the cure, and then leaves it as it was.
        """
        try:
            with _alone(path.parent):
                before = load_declarations(path)
                declared = self.expected(before)
                if declared == before:
                    return False
                text = path.read_text(encoding="utf-8") if path.exists() else ""
                _replace(path, self.rewrite(text, _read(path)), declared)
                return True
        except OSError as fault:
            cure = "make its folder writable"
            raise SettingsError([f"{path}: cannot be written ({fault.strerror}); {cure}"]) from fault


def declare_mode(path: Path, mode: FunctionMode) -> None:
    """Put a function into an update mode, in place of what was declared for it before. Raises `SettingsError`."""
    said = mode.mode
    entry = _entry(function=mode.function, mode=str(said.mode), reason=said.reason or None, until=said.until)
    Edit(
        rewrite=_put("modes", ("function",), entry),
        expected=lambda before: replace(before, modes=_with(before.modes, mode)),
    ).apply(path)


def hold(declared: Hold) -> Edit:
    """Hold something, in place of what was declared for exactly the same before."""
    parts = {name: getattr(declared, name) for name in (*_NAMED, "reason", "until", "by")}
    return Edit(
        rewrite=_put("holds", _NAMED, _entry(**parts)),
        expected=lambda before: replace(before, holds=_with(before.holds, declared)),
    )


def release(named: Hold) -> Edit:
    """Take out the hold on exactly what is named; that there is none is a `SettingsError`."""
    return Edit(
        rewrite=_take_out("holds", _NAMED, {name: getattr(named, name) for name in _NAMED}),
        expected=lambda before: replace(before, holds=_without(before.holds, named, f"{named.names} is not held")),
    )


def block(declared: Block) -> Edit:
    """Block a digest, in place of what was declared for it before."""
    entry = _entry(digest=str(declared.digest), reason=declared.reason, until=declared.until, by=declared.by)
    return Edit(
        rewrite=_put("blocks", ("digest",), entry),
        expected=lambda before: replace(before, blocks=_with(before.blocks, declared)),
    )


def unblock(digest: Digest) -> Edit:
    """Take out the block of a digest; that there is none is a `SettingsError`."""
    named, fault = Block(digest=digest, reason=""), f"{digest} is not blocked"
    return Edit(
        rewrite=_take_out("blocks", ("digest",), {"digest": str(digest)}),
        expected=lambda before: replace(before, blocks=_without(before.blocks, named, fault)),
    )


def _entry(**parts: object) -> CommentedMap:
    return CommentedMap({name: str(part) for name, part in parts.items() if part is not None})


def _put(kind: str, names: Sequence[str], entry: CommentedMap) -> Rewrite:
    """Write an entry in place of the one that names the same, else after all others."""

    def put(document: CommentedMap) -> None:
        entries = document.setdefault(kind, CommentedSeq())
        there = next((one for one in entries if _named(one, names) == _named(entry, names)), None)
        if there is None:
            entries.append(entry)
            return
        for key in there.keys() - entry.keys():
            del there[key]
        there.update(entry)

    return by_document(put)


def by_document(change: Callable[[CommentedMap], None]) -> Rewrite:
    """Rewrite a text by a change of what it says; ruamel keeps comments and quotes of all that is not changed."""

    def rewrite(text: str, document: CommentedMap) -> str:
        change(document)
        written = StringIO()
        _yaml(text).dump(document, written)
        return written.getvalue()

    return rewrite


def _take_out(kind: str, names: Sequence[str], named: Mapping[str, object]) -> Rewrite:
    """Delete the lines of the entries that name exactly this; ruamel would delete the comments below, too."""

    def rewrite(text: str, document: CommentedMap) -> str:
        entries, lines = document[kind], text.splitlines(keepends=True)
        gone = [number for number, one in enumerate(entries) if _named(one, names) == _named(named, names)]
        if len(gone) == len(entries):
            place = document.lc.key(kind)[0]
            lines[place] = lines[place].replace(":", ": []", 1)
        for number in reversed(gone):
            start = entries.lc.item(number)[0]
            del lines[start : _end(lines, start)]
        return "".join(lines)

    def in_one_line(document: CommentedMap) -> None:
        document[kind] = [one for one in document[kind] if _named(one, names) != _named(named, names)]

    return lambda text, document: (by_document(in_one_line) if document[kind].fa.flow_style() else rewrite)(
        text, document
    )


def _end(lines: Sequence[str], start: int) -> int:
    """Where an entry of a list ends that starts in a line: before the first one that is not indented more."""
    dash = _indent(lines[start])
    end = start + 1
    for number in range(start + 1, len(lines)):
        if not lines[number].strip():
            continue
        if _indent(lines[number]) <= dash:
            break
        end = number + 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _named(entry: Mapping[str, object], names: Sequence[str]) -> list[object]:
    return [entry.get(name) for name in names]


def _with(entries: tuple[D, ...], new: D) -> tuple[D, ...]:
    """Put an entry in the place of the first that names the same, else after all others."""
    place = next((number for number, one in enumerate(entries) if _is_same(one, new)), len(entries))
    return (*entries[:place], new, *entries[place + 1 :])


def _without(entries: tuple[D, ...], named: D, fault: str) -> tuple[D, ...]:
    left = tuple(one for one in entries if not _is_same(one, named))
    if len(left) == len(entries):
        raise SettingsError([f"{fault}; name what was declared, see refrom.holds.yaml"])
    return left


def _is_same(one: Hold | Block | FunctionMode, other: Hold | Block | FunctionMode) -> bool:
    """Whether two entries name the same thing."""
    match one, other:
        case Hold(), Hold():
            return one.names == other.names
        case Block(), Block():
            return one.digest == other.digest
        case FunctionMode(), FunctionMode():
            return one.function == other.function
        case _:
            return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other writers out; the folder is locked, so that no lock file is left beside the settings."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> CommentedMap:
    return read_document(path) if path.exists() else CommentedMap(version=1)


def _replace(path: Path, text: str, expected: Declarations) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
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


def _yaml(text: str) -> YAML:
    """Write lists indented as the text has them."""
    found = _ENTRY.search(text)
    offset = len(found[1]) if found else 2
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = _WIDEST
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml
