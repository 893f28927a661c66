"""Compares values with the shapes of botocore's service models: members, types, enums, patterns, bounds, required."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
}


def faults(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Say in what a value breaks a shape of botocore's, one sentence for each fault; nothing if it keeps it."""
    where = path or shape.name
    if not _has_type(shape, value):
        yield f"{where} is {type(value).__name__}, not {shape.type_name}"
        return
    if shape.type_name == "structure":
        yield from _structure(shape, value, where)
    elif shape.type_name == "list":
        yield from _bounds(shape, len(value), f"length of {where}")
        for position, item in enumerate(value):
            yield from faults(shape.member, item, f"{where}[{position}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from faults(shape.key, key, f"{where} key")
            yield from faults(shape.value, item, f"{where}.{key}")
    elif shape.type_name == "string":
        yield from _string(shape, value, where)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _bounds(shape, value, where)


def _has_type(shape: Any, value: object) -> bool:
    kinds = _TYPES[shape.type_name]
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _structure(shape: Any, value: Any, where: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{where}.{name} is required"
    for name, item in value.items():
        if name not in shape.members:
            yield f"{where}.{name} is unknown"
        else:
            yield from faults(shape.members[name], item, f"{where}.{name}")


def _string(shape: Any, value: str, where: str) -> Iterator[str]:
    yield from _bounds(shape, len(value), f"length of {where}")
    if shape.enum and value not in shape.enum:
        yield f"{where} is {value!r}, none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"{where} is {value!r} and does not match {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate the few Unicode classes that the models use and Python does not know."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def _bounds(shape: Any, number: float, where: str) -> Iterator[str]:
    if number < shape.metadata.get("min", number) or number > shape.metadata.get("max", number):
        yield f"{where} is {number}, outside {shape.metadata.get('min')} to {shape.metadata.get('max')}"
