"""`refrom watch --catalogue`: what is known of each runtime without asking anybody, as `refrom.catalogue/1`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from rich.console import Console

from bot.core.runtimes import Runtime
from bot.core.tags import other_names
from bot.entrypoints.tables import show

Document = dict[str, Any]


def catalogue_document(
    runtimes: Iterable[Runtime], today: date, *, watched: Collection[str], mirrors: Sequence[str] = ()
) -> Document:
    """`refrom.catalogue/1`; `watched` are the streams that `refrom watch` asks for, `mirrors` those of the settings."""
    return {
        "schema": "refrom.catalogue/1",
        "runtimes": [_row(runtime, today, runtime.identifier in watched, mirrors) for runtime in runtimes],
    }


def show_catalogue(console: Console, document: Document) -> None:
    """Show `refrom.catalogue/1` to a person, so far as a terminal of 80 columns has room; the JSON has all."""
    rows = [
        (row["runtime"], row["tag"], row["os"], _architectures(row), _deprecation(row), row["block_update"])
        for row in document["runtimes"]
    ]
    show(console, "Runtimes", ("runtime", "tag", "OS", "CPU", "deprecated", "blocked"), rows)


def _row(runtime: Runtime, today: date, watched: bool, mirrors: Sequence[str]) -> Document:
    return {
        "runtime": runtime.identifier,
        "reference": str(runtime.reference),
        "repository": runtime.repository,
        "tag": runtime.tag,
        "mirrors": list(other_names(runtime.reference, mirrors=mirrors)),
        "os": runtime.os,
        "platforms": [str(platform) for platform in runtime.platforms],
        "preview": runtime.preview,
        "deprecation": _day(runtime.deprecation),
        "deprecated": runtime.deprecation is not None and runtime.deprecation < today,
        "block_create": _day(runtime.block_create),
        "block_update": _day(runtime.block_update),
        "watched": watched,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _architectures(row: Document) -> str:
    names = [platform.partition("/")[2] for platform in row["platforms"]]
    return "both" if len(names) == 2 else " ".join(names)


def _deprecation(row: Document) -> str | None:
    return "in preview" if row["preview"] else row["deprecation"]
