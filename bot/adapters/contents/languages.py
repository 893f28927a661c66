"""The language version of a Lambda runtime, read off its files.

All of this is UNVERIFIED for the real images, which were not at hand: where nothing matches, the version is unknown,
and a report says so instead of calling it unchanged.
"""

import re
from collections.abc import Mapping
from typing import Final

from bot.core.layer import Language

_RELEASE: Final = re.compile(rb'^JAVA_VERSION="([^"\n]{1,64})"', re.MULTILINE)
_PYTHON: Final = re.compile(rb'^#define PY_VERSION\s+"([^"\n]{1,64})"', re.MULTILINE)
_RUBY: Final = re.compile(rb'CONFIG\["RUBY_PROGRAM_VERSION"\] = "([^"\n]{1,64})"')
_NODE: Final = re.compile(rb"^#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d{1,5})", re.MULTILINE)
_DOTNET: Final = re.compile(r"var/lang/(?:bin/)?shared/Microsoft\.NETCore\.App/(\d+\.\d+\.\d+)(?:/|\Z)")

_PROBES: Final = (
    ("python", re.compile(r"var/lang/include/python3\.\d+/patchlevel\.h\Z"), _PYTHON),
    ("java", re.compile(r"var/lang/release\Z"), _RELEASE),
    ("ruby", re.compile(r"var/lang/lib/ruby/(?:[^/]+/){2}rbconfig\.rb\Z"), _RUBY),
    ("node", re.compile(r"var/lang/include/node/node_version\.h\Z"), _NODE),
)
LARGEST_PROBE: Final = 1024 * 1024


def is_probe(path: str) -> bool:
    """Say whether the content of a file may tell a language version."""
    return any(where.match(path) for _, where, _ in _PROBES)


def read_language(probes: Mapping[str, bytes], paths: Mapping[str, object]) -> Language | None:
    """Read the version out of the probes that a layer has; .NET is told by the name of a folder alone."""
    for path, content in sorted(probes.items()):
        for name, where, pattern in _PROBES:
            if where.match(path) and (version := _version(pattern, content)):
                return Language(name, version)
    dotnet = [match[1] for path in paths if (match := _DOTNET.match(path))]
    return Language("dotnet", max(dotnet, key=_numbers)) if dotnet else None


def _version(pattern: re.Pattern[bytes], content: bytes) -> str | None:
    if pattern is _NODE:
        parts = {name: number.decode() for name, number in pattern.findall(content)}
        return ".".join(parts[name] for name in (b"MAJOR", b"MINOR", b"PATCH")) if len(parts) == 3 else None
    found = pattern.search(content)
    return found[1].decode("utf-8", "replace") if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
