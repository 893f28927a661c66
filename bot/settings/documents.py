"""YAML documents with positions: read safely, checked against a model, every fault with its line.

Anchors, aliases and tags are refused, so that what is written is what is there, and nothing can expand.
"""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    TagToken,
)

from bot.core.errors import SettingsError
from bot.settings.models import all_keys
from bot.settings.surroundings import Surroundings

_LARGEST: Final = 1024 * 1024
_DEEPEST: Final = 32
_REFERENCES: Final = {
    AliasToken: "uses a YAML alias (*name); write the value out",
    AnchorToken: "has a YAML anchor (&name); leave it out",
    TagToken: "has a YAML tag (!name); leave it out",
}
_STARTS: Final = (BlockMappingStartToken, BlockSequenceStartToken, FlowMappingStartToken, FlowSequenceStartToken)
_ENDS: Final = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)
_NOT_OF_KIND: Final = {
    "model_type": "is no mapping; write KEY: VALUE",
    "dict_type": "is no mapping; write KEY: VALUE",
    "list_type": "is no list; write [ENTRY, ...]",
    "string_type": "is no text; put it in quotes",
    "float_type": "is no number; write it without quotes",
}
_SIMPLE_KEY: Final = re.compile(r"[A-Za-z0-9_.:-]+\Z")
Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class _Constructor(RoundTripConstructor):
    """Leaves dates as text, so that a malformed one is a fault with its place."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


def check_document(path: Path, raw: CommentedMap, model: type[M], surroundings: Surroundings | None = None) -> M:
    """Check a document. Raises `SettingsError` with all faults in line order, each as FILE:LINE: key: what; hint."""
    try:
        return model.model_validate(raw, context=surroundings)
    except ValidationError as refused:
        keys = all_keys(model.model_json_schema())
        errors = refused.errors()
        newer = [error for error in errors if error["loc"] == ("version",) and error["type"] == "literal_error"]
        found = [(_place(raw, error), _what(error, keys)) for error in newer or errors]
        faults = sorted((_line(raw, place), _name(place) or "the file", what) for place, what in found)
        raise SettingsError([f"{path}:{line}: {name}: {what}" for line, name, what in faults]) from None


def read_document(path: Path) -> CommentedMap:
    """Read a YAML file that holds a mapping, safely: bounded, without aliases. Raises `SettingsError`."""
    return _mapping(path, _load(path))


def parse_document(path: Path, content: bytes, largest: int) -> CommentedMap:
    """Read a YAML mapping out of bytes that are not trusted; the path is for the faults. Raises `SettingsError`."""
    if len(content) > largest:
        raise SettingsError([f"{path}: is larger than {largest} bytes; write less"])
    try:
        return _mapping(path, _parse(path, content.decode()))
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: is no UTF-8; save it as UTF-8"]) from None


def _mapping(path: Path, raw: object) -> CommentedMap:
    if not isinstance(raw, CommentedMap):
        raise SettingsError([f"{path}:1: is no mapping of keys to values; start with version: 1"])
    return raw


def _load(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        cure = "write it, as refrom init does, or name another with --config"
        raise SettingsError([f"{path}: is not there; {cure}"]) from None
    except OSError as reason:
        raise SettingsError([f"{path}: cannot be read ({reason.strerror}); make it readable"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: is no UTF-8; save it as UTF-8"]) from None
    if len(text) > _LARGEST:
        raise SettingsError([f"{path}: is larger than {_LARGEST} characters; this is no settings file"])
    return _parse(path, text)


def _parse(path: Path, text: str) -> object:
    try:
        _require_simple(path, text)
        yaml = YAML()
        yaml.preserve_quotes = True  # for what is written again
        yaml.Constructor = _Constructor
        return yaml.load(text)
    except MarkedYAMLError as reason:
        line = reason.problem_mark.line + 1 if reason.problem_mark else 1
        problem = (reason.problem or "malformed").partition(" with value")[0]  # the value may be a secret
        raise SettingsError([f"{path}:{line}: is no YAML: {problem}"]) from None
    except ReaderError as reason:
        line = text.count("\n", 0, reason.position) + 1
        raise SettingsError([f"{path}:{line}: holds a control character; leave it out"]) from None
    except (ValueError, OverflowError):  # both are how ruamel.yaml ends at \UFFFFFFFF and its like
        raise SettingsError([f"{path}: holds an escape that is no character; leave it out"]) from None


def _require_simple(path: Path, text: str) -> None:
    """Refuse what could expand, and what is nested so deep that reading it would take very long."""
    depth = 0
    for token in YAML().scan(StringIO(text)):
        depth += isinstance(token, _STARTS) - isinstance(token, _ENDS)
        what = _REFERENCES.get(type(token))
        if depth > _DEEPEST:
            what = f"is nested deeper than {_DEEPEST} levels; write it flatter"
        if what:
            raise SettingsError([f"{path}:{token.start_mark.line + 1}: {what}"])


def _what(error: Mapping[str, Any], keys: set[str]) -> str:
    """Word one fault of pydantic for a person."""
    key = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            close = get_close_matches(key, keys, n=1)
            return f"is no key here; did you mean {close[0]}?" if close else "is no key here; take it out"
        case "missing":
            return "is missing; add it"
        case "literal_error" if key == "version":
            return "is a version that this refrom does not read; write 1, or upgrade refrom"
        case "union_tag_not_found":
            return "has no kind; add it"
        case "union_tag_invalid":
            return f"has a kind that refrom does not know; use {error['ctx']['expected_tags']}"
        case kind if kind in _NOT_OF_KIND:
            return _NOT_OF_KIND[kind]
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            message = str(error["msg"])
            return message[:1].lower() + message[1:]


def _place(raw: object, error: Mapping[str, Any]) -> Place:
    """Leave out what pydantic adds to a location beside the document's own keys, such as a union's tag."""
    place: list[str | int] = []
    here = raw
    location = [part for part in error["loc"] if part != "[key]"]
    for number, part in enumerate(location):
        inside = _inside(here, part)
        if inside is not None:
            here = inside
            place.append(part)
        elif number == len(location) - 1 and (error["type"] == "missing" or _has(here, part)):
            place.append(part)
    return tuple(place)


def _inside(here: object, part: str | int) -> object | None:
    if isinstance(here, CommentedMap):
        held: object = here.get(part)
        return held
    if isinstance(here, CommentedSeq) and isinstance(part, int) and part < len(here):
        found: object = here[part]
        return found
    return None


def _has(here: object, part: str | int) -> bool:
    """Whether a key is written, with nothing behind it."""
    return isinstance(here, CommentedMap) and part in here


def _line(raw: object, place: Place) -> int:
    """The 1-based line of a key, or of what should hold it."""
    line, here = 1, raw
    for part in place:
        if isinstance(here, CommentedMap) and part in here:
            line = here.lc.key(part)[0] + 1
        elif isinstance(here, CommentedSeq) and isinstance(part, int) and part < len(here):
            line = here.lc.item(part)[0] + 1
        here = _inside(here, part)
    return line


def _name(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_quote(str(part))}" for part in place).lstrip(".")


def _quote(key: str) -> str:
    """Keep a fault on one line, whatever its key is made of."""
    return key if _SIMPLE_KEY.match(key) else json.dumps(key)[:80]
