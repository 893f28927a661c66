"""A YAML file as plain data with the line of every key (YAML 1.2, core schema).

Only what settings need is read: one document of mappings, lists, text, numbers, true, false and null.
Anchors, aliases and tags are refused, so that what is written is what is there, and nothing can expand.
"""

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLWarning
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bot.core.errors import SettingsError

Key = tuple[str | int, ...]
"""The way to a value: mapping keys and list positions."""

LARGEST: Final = 4 * 1024**2
"""Bytes of a file."""
DEEPEST: Final = 16

_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,15}\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}\Z", re.ASCII)
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong in one line of a file, with the cure; `key` is empty where the file as a whole is meant."""

    line: int
    key: Key
    message: str

    def show(self, path: Path) -> str:
        """Write the fault as one line."""
        key = f"{show_key(self.key)}: " if self.key else ""
        return f"{path}:{self.line}: {key}{self.message}"


@dataclass(slots=True)
class Document:
    """A file that was read: its data, the line of every key in it, and what was wrong with its form."""

    path: Path
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """Return the line of a key, or of the closest thing around it that is there."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def refuse(self, key: Key, message: str) -> None:
        """Note a fault at a key."""
        self.faults.append(Fault(self.line(key), key, message))

    def error(self) -> SettingsError:
        """Return all faults as one error, in the order of their lines."""
        ordered = sorted(self.faults, key=lambda fault: (fault.line, show_key(fault.key), fault.message))
        return SettingsError([fault.show(self.path) for fault in ordered])


def read_document(path: Path) -> Document:
    """Read a file; a `SettingsError` says why it cannot be read, faults of form are left in the document."""
    document = Document(path)
    reader = _Reader(document, _parse(_read_text(path)))
    try:
        reader.read()
    except _Unreadable as fault:
        document.faults.append(Fault(fault.line, (), str(fault)))
        raise document.error() from None
    return document


def show_key(key: Key) -> str:
    """Write a key as `registries."public.ecr.aws".url` or `forges[0].root`."""
    return "".join(_show_step(step) for step in key).removeprefix(".")


def _show_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step if _PLAIN_KEY.match(step) else json.dumps(step)}"[:_SHOWN]


class _Unreadable(Exception):
    """A fault after which nothing more can be read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as fault:
        raise SettingsError([f"{path}:1: cannot be read ({fault.strerror}); name a file that is there"]) from fault
    if len(content) > LARGEST:
        raise SettingsError([f"{path}:1: is larger than {LARGEST} bytes; split what it is for"])
    try:
        return content.decode()
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise SettingsError([f"{path}:{line}: is not UTF-8; save it as UTF-8"]) from fault


def _parse(text: str) -> Iterator[Event]:
    """Give the parse events; whatever ruamel.yaml raises becomes an `_Unreadable`."""
    line = 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", YAMLWarning)
            for event in YAML(typ="safe", pure=True).parse(text):
                line = event.start_mark.line + 1
                yield event
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise _Unreadable(mark.line + 1 if mark else line, f"is no YAML: {fault.problem or fault.context}") from fault
    except (YAMLWarning, Exception) as fault:
        raise _Unreadable(line, "is no YAML") from fault


@dataclass(slots=True)
class _Reader:
    document: Document
    events: Iterator[Event]

    def read(self) -> None:
        """Fill the document from the events of its file."""
        documents = 0
        for event in self.events:
            documents += isinstance(event, DocumentStartEvent)
            if documents > 1:
                raise _Unreadable(event.start_mark.line + 1, "holds a second document; keep one")
            if isinstance(event, NodeEvent):
                self.document.data = self._value(event, ())

    def _value(self, event: Event, key: Key) -> Any:  # noqa: ANN401 - what a file may hold
        line = event.start_mark.line + 1
        self.document.lines.setdefault(key, line)
        if len(key) > DEEPEST:
            raise _Unreadable(line, f"is nested deeper than {DEEPEST} levels; write it flatter")
        self._refuse_references(event, key)
        match event:
            case MappingStartEvent():
                return self._mapping(key)
            case SequenceStartEvent():
                return self._sequence(key)
            case ScalarEvent():
                return self._scalar(event, key)
        return None

    def _refuse_references(self, event: Event, key: Key) -> None:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            self.document.refuse(key, "anchors and aliases are not used here; write the value out")
        elif getattr(event, "tag", None):
            self.document.refuse(key, "tags are not used here; leave it out")

    def _mapping(self, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, ScalarEvent):
                raise _Unreadable(line, "has a key that is no text; write key: value")
            name = self._text(event, key)
            if name in found:
                self.document.faults.append(Fault(line, (*key, name), "is there twice; keep one"))
            else:
                self.document.lines[*key, name] = line
            value = self._value(next(self.events), (*key, name))
            found.setdefault(name, value)
        return found

    def _sequence(self, key: Key) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self._value(event, (*key, len(found))))
        return found

    def _scalar(self, event: ScalarEvent, key: Key) -> str | float | bool | None:
        text = self._text(event, key)
        if event.style is not None:
            return text
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if _INTEGER.match(text):
            return int(text)
        return float(text) if _NUMBER.match(text) else text

    def _text(self, event: ScalarEvent, key: Key) -> str:
        """Return the text of a scalar; YAML's escapes can spell what no UTF-8 can."""
        text = str(event.value)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _Unreadable(event.start_mark.line + 1, "holds an escape that is no character; leave it out") from None
        return text
