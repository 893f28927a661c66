"""apk's `installed` file: one paragraph a package, fields named by one letter (apk-tools 2 and 3, src/database.c)."""

from bot.core.layer import Package
from bot.core.packages.paragraphs import paragraphs, word_package


def parse_installed(content: bytes) -> tuple[Package, ...]:
    """List the installed packages, sorted; paragraphs without name or version are passed over.

    A name, version or architecture that is no printable word is a `ContentsError`.
    """
    found = (fields for fields in paragraphs(content) if "P" in fields and "V" in fields)
    return tuple(sorted(word_package("an apk database", f["P"], f.get("A", "(none)"), f["V"]) for f in found))
