"""The language version of a Lambda runtime, read off the files under `/var/lang`.

How each language writes its version down is known from its own sources, named below.
That the Lambda base images keep these files, and keep them in these places, is UNVERIFIED for all five: the images
were not at hand. So Python and Node.js are also read off the program itself, which no image can do without.
Where nothing matches, the version is None and a report says so; it is never called unchanged.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from bot.core.layer import Language

_LONGEST_VERSION = 64
_PATCH: Final = rb"\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?\+?"


class _Witness(NamedTuple):
    """One kind of file that tells a version: the groups of `version` joined by dots."""

    language: str
    path: re.Pattern[str]
    version: re.Pattern[bytes]


def _witness(language: str, path: str, version: bytes) -> _Witness:
    return _Witness(language, re.compile(rf"var/lang/{path}\Z"), re.compile(version, re.MULTILINE))


_TEXTS: Final = (
    # CPython, Include/patchlevel.h
    _witness("python", r"include/python3\.\d+/patchlevel\.h", rb'^#define PY_VERSION\s+"(3\.\d{1,2}' + _PATCH + rb')"'),
    # Node.js, src/node_version.h
    _witness(
        "node",
        r"include/node/node_version\.h",
        rb"^#define NODE_MAJOR_VERSION (\d{1,5})\n#define NODE_MINOR_VERSION (\d{1,5})\n"
        rb"#define NODE_PATCH_VERSION (\d{1,5})$",
    ),
    # OpenJDK, make/ReleaseFile.gmk; Corretto's own number tells its builds of one Java version apart
    _witness("java", r"release", rb'^IMPLEMENTOR_VERSION="Corretto-([0-9][\w.+-]{1,30})"'),
    _witness("java", r"release", rb'^JAVA_VERSION="([0-9][\w.+-]{1,30})"'),
    # Ruby, tool/mkconfig.rb
    _witness(
        "ruby",
        r"lib/ruby/[^/]+/[^/]+/rbconfig\.rb",
        rb'^\s*CONFIG\["MAJOR"\] = "(\d{1,5})"\n\s*CONFIG\["MINOR"\] = "(\d{1,5})"\n'
        rb'\s*CONFIG\["TEENY"\] = "(\d{1,5})"$',
    ),
)
_TEXT_PATHS: Final = re.compile("|".join(witness.path.pattern for witness in _TEXTS))
# The version in a program; `%s` is what the path's group holds.
_PROGRAMS: Final = (
    # CPython, Python/sysmodule.c: PY_VERSION ends a string
    _witness("python", r"(?:lib/lib|bin/)python(3\.\d+)(?:\.so\.1\.0)?", rb"(%s" + _PATCH + rb")\0"),
    # Node.js, src/inspector_socket_server.cc: the browser that the inspector names
    _witness("node", r"bin/(node)", rb"%s\.js/v(\d{1,3}\.\d{1,3}\.\d{1,3})\0"),
)
_PROGRAM_PLACES: Final = ("var/lang/bin/", "var/lang/lib/lib")
# .NET names a directory after the version (dotnet/designs, install-locations).
_DOTNET: Final = re.compile(r"var/lang/(?:bin/)?shared/Microsoft\.NETCore\.App/(\d{1,5}\.\d{1,5}\.\d{1,5})(?:[-/]|\Z)")


class ProgramScan:
    """Looks for the version in a program that is read in pieces; `language` is None until it is found."""

    __slots__ = ("_name", "_tail", "_version", "language")

    def __init__(self, name: str, version: re.Pattern[bytes]) -> None:
        self._name, self._version, self._tail = name, version, b""
        self.language: Language | None = None

    def feed(self, piece: bytes) -> None:
        """Look at the next piece, and at what it continues."""
        if self.language is None:
            window = self._tail + piece
            self._tail = window[-_LONGEST_VERSION:]
            self.language = _tell(self._name, self._version, window)


def is_witness(path: str) -> bool:
    """Say whether the content of a file may tell the language version."""
    return bool(_TEXT_PATHS.match(path))


def program_scan(path: str) -> ProgramScan | None:
    """Make a scan for a file that is the program of a language."""
    for witness in _PROGRAMS if path.startswith(_PROGRAM_PLACES) else ():
        if found := witness.path.match(path):
            return ProgramScan(witness.language, re.compile(witness.version.pattern % re.escape(found[1]).encode()))
    return None


def read_language(files: Mapping[str, bytes], scans: Iterable[ProgramScan], paths: Iterable[str]) -> Language | None:
    """Read the version off the witnesses among `files`, else off the programs, else off .NET's directories."""
    told = (*_told(files), *(scan.language for scan in scans if scan.language))
    return next(iter(told), None) or _dotnet(paths)


def _told(files: Mapping[str, bytes]) -> Iterator[Language]:
    for witness in _TEXTS:
        for path, content in sorted(files.items()):
            if witness.path.match(path) and (language := _tell(witness.language, witness.version, content)):
                yield language


def _tell(name: str, version: re.Pattern[bytes], content: bytes) -> Language | None:
    found = version.search(content)
    return Language(name, b".".join(found.groups()).decode("ascii")) if found else None


def _dotnet(paths: Iterable[str]) -> Language | None:
    versions = {found[1] for path in paths if (found := _DOTNET.match(path))}
    return Language("dotnet", max(versions, key=_numbers)) if versions else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
