"""dpkg status files: one paragraph a package (deb-control(5), dpkg-query(1))."""

from collections.abc import Iterator

from bot.core.layer import Package
from bot.core.packages.paragraphs import paragraphs, word_package


def parse_status(content: bytes) -> tuple[Package, ...]:
    """List the installed packages of a status file, sorted; a version without epoch stands for epoch 0.

    A paragraph without Status counts as installed: the files of `status.d`, as in distroless images, have none.
    Removed packages whose configuration is left, and paragraphs without name or version, are passed over.
    A name, version or architecture that is no printable word is a `ContentsError`.
    """
    return tuple(sorted(_packages(content)))


def _packages(content: bytes) -> Iterator[Package]:
    for paragraph in paragraphs(content):
        fields = {name.lower(): value for name, value in paragraph.items()}
        if "package" in fields and "version" in fields and fields.get("status", " installed").endswith(" installed"):
            arch, version = fields.get("architecture", "(none)"), fields["version"].removeprefix("0:")
            yield word_package("a dpkg status file", fields["package"], arch, version)
