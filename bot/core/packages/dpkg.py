"""dpkg status files (deb-control(5)): one paragraph a package."""

from collections.abc import Iterator

from bot.core.layer import Package


def parse_status(content: bytes) -> tuple[Package, ...]:
    """List the installed packages of a status file; paragraphs without name and version are passed over."""
    return tuple(sorted(_packages(content.decode("utf-8", "replace"))))


def _packages(text: str) -> Iterator[Package]:
    for paragraph in text.split("\n\n"):
        fields = dict(_fields(paragraph))
        installed = fields.get("Status", "install ok installed").endswith(" installed")
        if installed and fields.get("Package") and fields.get("Version"):
            yield Package(fields["Package"], fields.get("Architecture", "(none)"), fields["Version"])


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    for line in paragraph.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield name, value.strip()
