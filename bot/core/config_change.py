"""What differs between two image configs, as far as a container, or a build on the image, would notice.

Builders add times, their own version and a history; those say nothing about the image.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.core.image import ImageConfig

_WORDS: Final = {
    "User": "user",
    "ExposedPorts": "ports",
    "Volumes": "volumes",
    "StopSignal": "stop signal",
    "Healthcheck": "health check",
    "Shell": "shell",
    "OnBuild": "on-build triggers",
}
"""Parts that no Lambda function reads, by their name in the image config (OCI image-spec, config.md; Docker's own)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """One setting that was added (`old` is None), removed (`new` is None) or changed.

    `name` is the variable's or the label's; other parts have no name.
    """

    part: str
    name: str
    old: str | None
    new: str | None


def compare_settings(before: ImageConfig, after: ImageConfig) -> tuple[ConfigChange, ...]:
    """List what differs, the order of environment variables and labels aside."""
    old, new = dict(_settings(before)), dict(_settings(after))
    return tuple(
        ConfigChange(part=part, name=name, old=old.get((part, name)), new=new.get((part, name)))
        for part, name in dict.fromkeys((*old, *new))
        if old.get((part, name)) != new.get((part, name))
    )


def parts_of(changes: Iterable[ConfigChange]) -> tuple[str, ...]:
    """Name the parts that differ, each once."""
    return tuple(dict.fromkeys(change.part for change in changes))


def _settings(config: ImageConfig) -> Iterator[tuple[tuple[str, str], str]]:
    for variable in config.env:
        name, _, value = variable.partition("=")
        yield ("environment", name), value
    yield from _listed("entry point", config.entrypoint)
    yield from _listed("command", config.cmd)
    if config.working_dir:
        yield ("working directory", ""), config.working_dir
    for name, value in config.labels.items():
        yield ("labels", name), value
    container = config.document.get("config") or {}
    for key, part in _WORDS.items():
        if found := container.get(key):
            yield (part, ""), found if isinstance(found, str) else json.dumps(found, sort_keys=True)


def _listed(part: str, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, str], str]]:
    if words:
        yield (part, ""), json.dumps(words)
