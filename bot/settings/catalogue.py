"""The runtime catalogue as data: shipped with refrom, overlaid by a file of the user's."""

import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.core.errors import RefromError, SettingsError
from bot.core.platforms import Platform
from bot.core.runtimes import Catalogue, Runtime

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
    except (OSError, UnicodeDecodeError) as reason:
        raise SettingsError([f"{overlay}: cannot be read: {reason}"]) from None
    return catalogue.overlay(_runtimes(text, str(overlay)))


def _runtimes(text: str, name: str) -> list[Runtime]:
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise SettingsError([f"{name}: is no TOML: {reason}"]) from None
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
            yield f"{key} is missing or no text"
    for key in _DATES:
        if key in row and not isinstance(row[key], date):
            yield f"{key} is no date; write 2029-06-30 without quotes"
    platforms = row.get("platforms", [])
    try:
        for platform in platforms if isinstance(platforms, list) else [platforms]:
            Platform.parse(str(platform))
    except RefromError as fault:
        yield str(fault)


def _runtime(identifier: str, row: dict[str, Any]) -> Runtime:
    return Runtime(
        identifier=identifier,
        repository=row["repository"],
        tag=row["tag"],
        os=row["os"],
        platforms=tuple(Platform.parse(str(platform)) for platform in row.get("platforms", _BOTH)),
        preview=bool(row.get("preview", False)),
        **{key: row.get(key) for key in _DATES},
    )
