"""The runtime catalogue as data: shipped with refrom, overlaid by a file of the user's."""

import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.core.errors import InvalidReference, SettingsError
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import REGISTRY, Catalogue, Runtime

_FIELDS = frozenset(("repository", "tag", "os", "platforms", "deprecation", "block_create", "block_update", "preview"))
_DATES = ("deprecation", "block_create", "block_update")
_BOTH = ("linux/amd64", "linux/arm64")


def load_catalogue(overlay: Path | None = None) -> Catalogue:
    """Load the catalogue; rows of `overlay` add to it or replace whole rows. Raises `SettingsError`."""
    shipped = files("bot.settings").joinpath("runtimes.toml").read_text(encoding="utf-8")
    catalogue = Catalogue(_runtimes(shipped, "runtimes.toml"))
    if overlay is None:
        return catalogue
    try:
        text = overlay.read_text(encoding="utf-8")
    except OSError as reason:
        raise SettingsError([f"{overlay}: cannot be read ({reason.strerror}); name a file that is there"]) from None
    except ValueError:  # a name that no file can have, or bytes that are no text
        raise SettingsError([f"{str(overlay)!a}: is no text file; save it as UTF-8"]) from None
    return catalogue.overlay(_runtimes(text, str(overlay)))


def _runtimes(text: str, name: str) -> list[Runtime]:
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise SettingsError([f"{name}: is no TOML: {reason}"]) from None
    except RecursionError:
        raise SettingsError([f"{name}: is nested too deep; write one row for each runtime"]) from None
    faults, runtimes = list[str](), list[Runtime]()
    for identifier, row in rows.items():
        wrong = list(_faults(row))
        if wrong:
            faults += [f"{name}: {identifier}: {fault}" for fault in wrong]
        else:
            runtimes.append(_runtime(identifier, row))
    if faults:
        raise SettingsError(faults)
    return runtimes


def _faults(row: object) -> Iterator[str]:
    if not isinstance(row, dict):
        yield "is no table; write { repository = ..., tag = ..., os = ... }"
        return
    for key in sorted(row.keys() - _FIELDS):
        yield f"{key} is no key here; use {', '.join(sorted(_FIELDS))}"
    for key in ("repository", "tag", "os"):
        if not isinstance(row.get(key), str):
            yield f"{key} is missing or no text; write it in quotes"
    for key in _DATES:
        if key in row and type(row[key]) is not date:  # a datetime is a date too, but compares with none
            yield f"{key} is no date; write 2029-06-30 without quotes"
    if not isinstance(row.get("preview", False), bool):
        yield "preview is neither true nor false; write it without quotes"
    yield from _malformed(row)


def _malformed(row: dict[str, Any]) -> Iterator[str]:
    """What the grammars of references and platforms say against a row."""
    platforms = row.get("platforms", _BOTH)
    if not isinstance(platforms, list | tuple):
        yield 'platforms is no list; write ["linux/amd64"]'
        return
    try:
        Reference.parse(f"{REGISTRY}/{row.get('repository', 'lambda')}:{row.get('tag', 'latest')}")
        for platform in platforms:
            Platform.parse(str(platform))
    except InvalidReference as fault:
        yield str(fault)


def _runtime(identifier: str, row: dict[str, Any]) -> Runtime:
    return Runtime(
        identifier=identifier,
        repository=row["repository"],
        tag=row["tag"],
        os=row["os"],
        platforms=tuple(Platform.parse(str(platform)) for platform in row.get("platforms", _BOTH)),
        preview=row.get("preview", False),
        **{key: row.get(key) for key in _DATES},
    )
