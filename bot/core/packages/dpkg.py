"""dpkg status files: one paragraph a package (deb-control(5), dpkg-query(1))."""

import re
from collections.abc import Iterator
from typing import Final

from bot.core.errors import ContentsError
from bot.core.layer import Package

_WORD: Final = re.compile(r"[!-~]{1,255}\Z")


def parse_status(content: bytes) -> tuple[Package, ...]:
    """List the installed packages of a status file, sorted; a version without epoch stands for epoch 0.

    A paragraph without Status counts as installed: the files of `status.d`, as in distroless images, have none.
    Removed packages whose configuration is left, and paragraphs without name or version, are passed over.
    A name, version or architecture that is no printable word is a `ContentsError`.
    """
    return tuple(sorted(_packages(content.decode("utf-8", "backslashreplace"))))


def _packages(text: str) -> Iterator[Package]:
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(_fields(paragraph))
        if "package" in fields and "version" in fields and fields.get("status", " installed").endswith(" installed"):
            yield _package(fields["package"], fields.get("architecture", "(none)"), fields["version"])


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    for line in paragraph.split("\n"):
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield name.lower(), value.strip()


def _package(name: str, arch: str, version: str) -> Package:
    for word in (name, arch, version):
        if not _WORD.match(word):
            raise ContentsError(f"a dpkg status file has {word[:80]!r} where one printable word is expected")
    return Package(name, arch, version.removeprefix("0:"))
