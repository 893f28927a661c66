"""YAML documents with positions: read safely, checked against a model, every fault with its line."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import AliasToken

from bot.core.errors import SettingsError
from bot.settings.models import all_keys
from bot.settings.surroundings import Surroundings

_LARGEST: Final = 1024 * 1024
Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


def check_document(path: Path, raw: CommentedMap, model: type[M], surroundings: Surroundings | None = None) -> M:
    """Check a document. Raises `SettingsError` with all faults in line order, each as FILE:LINE: key: what; hint."""
    try:
        return model.model_validate(raw, context=surroundings)
    except ValidationError as refused:
        keys = all_keys(model.model_json_schema())
        found = [(_place(raw, error["loc"]), _what(error, keys)) for error in refused.errors()]
        faults = sorted((_line(raw, place), _name(place) or "the file", what) for place, what in found)
        raise SettingsError([f"{path}:{line}: {name}: {what}" for line, name, what in faults]) from None


def read_document(path: Path) -> CommentedMap:
    """Read a YAML file that holds a mapping, safely: bounded, without aliases. Raises `SettingsError`."""
    raw = _load(path)
    if not isinstance(raw, CommentedMap):
        raise SettingsError([f"{path}:1: is no mapping of keys to values; start with version: 1"])
    return raw


def _load(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError([f"{path}: is not there; write it, or name another with --config"]) from None
    except (OSError, UnicodeDecodeError) as reason:
        raise SettingsError([f"{path}: cannot be read: {reason}"]) from None
    if len(text) > _LARGEST:
        raise SettingsError([f"{path}: is larger than {_LARGEST} characters; this is no settings file"])
    try:
        if any(isinstance(token, AliasToken) for token in YAML().scan(StringIO(text))):
            raise SettingsError([f"{path}: uses a YAML alias (*name); write the value out"])
        return YAML().load(text)
    except MarkedYAMLError as reason:
        line = reason.problem_mark.line + 1 if reason.problem_mark else 1
        raise SettingsError([f"{path}:{line}: is no YAML: {reason.problem or 'malformed'}"]) from None
    except (YAMLError, ValueError, RecursionError) as reason:
        raise SettingsError([f"{path}: is no YAML that can be read: {type(reason).__name__}"]) from None


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
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            message = str(error["msg"])
            return message[:1].lower() + message[1:]


def _place(raw: object, location: Sequence[str | int]) -> Place:
    """Leave out what pydantic adds to a location beside the document's own keys, such as a union's tag."""
    place: list[str | int] = []
    here = raw
    for number, part in enumerate(location):
        inside = _inside(here, part)
        if inside is not None:
            here = inside
            place.append(part)
        elif number == len(location) - 1:
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
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
