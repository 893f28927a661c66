"""A mirror of Amazon Linux on loopback: mirror list, repomd.xml and updateinfo.xml.gz, as createrepo_c writes them.

It answers If-None-Match as a web server does, and gives what a test tells it instead of any of the three.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from xml.sax.saxutils import quoteattr

from bot.core.advisories import Advisory
from bot.core.layer import Package
from tests.lab.web import Answer, Asked, Web, serve

LIST, INDEX, FEED = "mirror.list", "repomd.xml", "updateinfo.xml.gz"
_CONTENT = {LIST: "text/plain", INDEX: "text/xml", FEED: "application/x-gzip"}


@dataclass(slots=True)
class PackageMirror:
    """What a mirror serves now; `instead` replaces answers by the last part of their path."""

    advisories: list[Advisory] = field(default_factory=list)
    instead: dict[str, Answer] = field(default_factory=dict)
    web: Web = field(init=False)

    @property
    def feeds(self) -> Mapping[str, str]:
        """The settings that lead here."""
        return {system: f"{self.web.url}/{system}/latest/{{arch}}/{LIST}" for system in ("AL2", "AL2023")}

    @property
    def asked(self) -> list[str]:
        """What was asked for since it was looked at last, by the last part of the path, and whether with an ETag."""
        names = [
            f"{one.path.rpartition('/')[2]}{' if changed' if one.headers['If-None-Match'] else ''}"
            for one in self.web.log
        ]
        self.web.log.clear()
        return names

    def answer(self, asked: Asked) -> Answer:
        system, _, arch, *_ = asked.path.lstrip("/").split("/")
        name = asked.path.rpartition("/")[2]
        if name in self.instead:
            return self.instead[name]
        feed = updateinfo(self.advisories)
        bodies = {
            LIST: f"{self.web.url}/{system}/0123abcd/{arch}\n".encode(),
            INDEX: repomd(feed),
            FEED: feed,
        }
        if name not in bodies:
            return Answer(status=404, body=b"<Error><Code>AccessDenied</Code></Error>")
        etag = f'"{sha256(bodies[name]).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Content-Type": _CONTENT[name]}
        if asked.headers["If-None-Match"] == etag:
            return Answer(status=304, headers=headers)
        return Answer(headers=headers, body=bodies[name])


@contextmanager
def package_mirror(*advisories: Advisory) -> Iterator[PackageMirror]:
    """Serve advisories until the block ends."""
    mirror = PackageMirror(list(advisories))
    with serve(mirror.answer) as mirror.web:
        yield mirror


def repomd(feed: bytes, *, href: str = f"repodata/{FEED}", algorithm: str = "sha256", checksum: str = "") -> bytes:
    """Write the index of a repository whose updateinfo is `feed`."""
    digest, opened = checksum or sha256(feed).hexdigest(), sha256(b"").hexdigest()
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1718000000</revision>
  <data type="primary">
    <checksum type="sha256">{opened}</checksum>
    <location href="repodata/primary.xml.gz"/>
  </data>
  <data type="updateinfo">
    <checksum type="{algorithm}">{digest}</checksum>
    <open-checksum type="sha256">{opened}</open-checksum>
    <location href={quoteattr(href)}/>
    <timestamp>1718000000</timestamp>
    <size>{len(feed)}</size>
  </data>
</repomd>
""".encode()


def updateinfo(advisories: Iterable[Advisory], *, head: str = "", kind: str = "security") -> bytes:
    """Write advisories as Amazon Linux does, compressed; `head` stands before the root element."""
    updates = "".join(_update(advisory, kind) for advisory in advisories)
    text = f'<?xml version="1.0" ?>\n{head}<updates>{updates}</updates>'
    return gzip.compress(text.encode(), mtime=0)


def _update(advisory: Advisory, kind: str) -> str:
    issued = f"{advisory.issued:%Y-%m-%d %H:%M:%S}" if advisory.issued else ""
    references = "".join(
        f'<reference href="https://cve.example/{cve}" id="{cve}" title="" type="cve"/>' for cve in advisory.cves
    )
    packages = "".join(_package(package) for package in advisory.packages)
    return (
        f'<update author="security@example.com" from="security@example.com" status="final" type="{kind}" version="1.4">'
        f"<id>{advisory.identifier}</id><title>Amazon Linux - {advisory.identifier}</title>"
        f'<issued date="{issued}"/><updated date="{issued}"/><severity>{advisory.severity.title()}</severity>'
        f"<description>Package updates &lt;are&gt; available.\n</description><references>{references}</references>"
        f'<pkglist><collection short="amazon-linux"><name>Amazon Linux</name>{packages}</collection></pkglist></update>'
    )


def _package(package: Package) -> str:
    epoch, _, rest = package.evr.rpartition(":")
    version, _, release = rest.rpartition("-")
    parts = {"name": package.name, "epoch": epoch or "0", "version": version, "release": release, "arch": package.arch}
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in parts.items())
    return f"<package {attributes}><filename>Packages/{package.name}.rpm</filename></package>"
