"""Databases that are text, one paragraph a package, one `name: value` a line (dpkg's status, apk's installed)."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from bot.core.errors import ContentsError
from bot.core.layer import Package

_WORD: Final = re.compile(r"[!-~]{1,255}\Z")


def paragraphs(content: bytes) -> Iterator[Mapping[str, str]]:
    """Yield the fields of each paragraph, named as they are written; lines that continue a field are left out."""
    text = content.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return (dict(_fields(paragraph)) for paragraph in text.split("\n\n"))


def word_package(database: str, name: str, arch: str, version: str) -> Package:
    """Make a package of printable words; anything else is a `ContentsError` that names the database."""
    for word in (name, arch, version):
        if not _WORD.match(word):
            raise ContentsError(f"{database} has {word[:80]!r} where one printable word is expected")
    return Package(name, arch, version)


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    for line in paragraph.split("\n"):
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield name, value.strip()
