"""The tag grammar of Lambda base images, and which runtime identifier a reference belongs to.

The grammar is taken from the tags that AWS publishes: a version, then `-preview`, a date stamp (the hour is UTC) and an
architecture, each of them optional. The runtime identifiers are those of Lambda's API.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from bot.core.reference import DEFAULT_REGISTRY, Reference

UPSTREAM: Final = "public.ecr.aws"
REPOSITORIES: Final = frozenset({"python", "nodejs", "java", "dotnet", "ruby", "go", "provided"})
"""The repositories that are recognised behind any registry, as mirrors and pull-through caches show them."""

STAMP_HOURS: Final = (0, 1, -1, 2, 3)
"""Where a date stamp lies from the image's creation hour, likeliest first (facts: the stamp is an hour in UTC)."""

_HUB_PREFIX = "amazon/aws-lambda-"
_TAG = re.compile(
    r"(?P<version>latest|alami|al2023|al2|core[0-9]+\.[0-9]+|[0-9]{1,2}\.al2(?:023)?|[0-9]{1,2}(?:\.[0-9]{1,2})?)"
    r"(?P<preview>-preview)?"
    r"(?:\.(?P<stamp>[0-9]{4}\.[0-9]{2}\.[0-9]{2}\.[0-9]{2}))?"
    r"(?:-(?P<architecture>x86_64|arm64))?",
    re.ASCII,
)
_VERSIONS = {
    "python": re.compile(r"[0-9]+\.[0-9]+"),
    "ruby": re.compile(r"[0-9]+\.[0-9]+"),
    "nodejs": re.compile(r"[0-9]+"),
    "java": re.compile(r"[0-9]+(?:\.al2(?:023)?)?"),
    "dotnet": re.compile(r"core[0-9]\.[0-9]|5\.0|[0-9]+"),
    "go": re.compile(r"1"),
    "provided": re.compile(r"alami|al2|al2023"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaTag:
    """One tag of a Lambda base image; `stamp` is the hour, in UTC, at which AWS published it."""

    version: str
    preview: bool = False
    stamp: datetime | None = None
    architecture: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a tag such as `3.12.2026.06.13.12-arm64`; None if it is no tag that AWS would publish."""
        found = _TAG.fullmatch(text)
        if not found:
            return None
        try:
            stamp = _read_stamp(found["stamp"]) if found["stamp"] else None
        except ValueError:
            return None  # such as a thirteenth month
        return cls(
            version=found["version"],
            preview=bool(found["preview"]),
            stamp=stamp,
            architecture=found["architecture"],
        )

    def with_stamp(self, moment: datetime | None) -> Self:
        """Return the tag of the same version and architecture that was published in the hour of `moment`."""
        if moment:
            moment = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return replace(self, stamp=moment)

    def __str__(self) -> str:
        preview = "-preview" if self.preview else ""
        stamp = _write_stamp(self.stamp) if self.stamp else ""
        architecture = f"-{self.architecture}" if self.architecture else ""
        return f"{self.version}{preview}{stamp}{architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaImage:
    """A reference that names a Lambda base image.

    `runtime` is None where the tag names no version; `tag` is None where there is none or it is none of AWS's.
    `upstream` is the same image under AWS's own name.
    """

    name: str
    runtime: str | None
    tag: LambdaTag | None
    upstream: Reference


def lambda_image(reference: Reference, *, mirrors: Sequence[str] = ()) -> LambdaImage | None:
    """Say which Lambda base image a reference names; None if it names something else.

    Known by their names are AWS's own (`public.ecr.aws/lambda/...`), Docker Hub's (`amazon/aws-lambda-...`), and
    copies that end in `/lambda/<known repository>`. A mirror is a name with its registry, such as
    `registry.example/bases`, that stands for `public.ecr.aws/lambda`.
    """
    name = _image_name(reference, mirrors)
    if name is None:
        return None
    tag = LambdaTag.parse(reference.tag) if reference.tag else None
    return LambdaImage(
        name=name,
        runtime=runtime_identifier(name, tag.version) if tag else None,
        tag=tag,
        upstream=Reference(UPSTREAM, f"lambda/{name}", reference.tag, reference.digest),
    )


def stamps(moments: Iterable[datetime]) -> Sequence[datetime]:
    """The hours in which a base that was made at one of these moments may have been published, likeliest first.

    Of several moments the first is the likeliest by far. The moments lie some hours within the range of `datetime`.
    """
    ranked = (
        (rank + 2 * place, place, moment.astimezone(UTC) + timedelta(hours=hours))
        for place, moment in enumerate(moments)
        for rank, hours in enumerate(STAMP_HOURS)
    )
    hours = (moment.replace(minute=0, second=0, microsecond=0) for *_, moment in sorted(ranked))
    return tuple(dict.fromkeys(hours))


def runtime_identifier(name: str, version: str) -> str | None:
    """Translate repository and version into Lambda's identifier, such as `nodejs` and `22` into `nodejs22.x`."""
    grammar = _VERSIONS.get(name)
    if grammar is None or not grammar.fullmatch(version):
        return None
    match name:
        case "provided":
            return name if version == "alami" else f"{name}.{version}"
        case "nodejs" | "go":
            return f"{name}{version}.x"
        case _:
            return f"{name}{version}"


def _image_name(reference: Reference, mirrors: Sequence[str]) -> str | None:
    """Return the part of the name that tells the languages apart."""
    for mirror in mirrors:
        prefix = f"{mirror.rstrip('/')}/"
        if reference.name.startswith(prefix):
            return reference.name.removeprefix(prefix)
    repository = reference.repository
    if reference.registry == UPSTREAM and repository.startswith("lambda/"):
        return repository.removeprefix("lambda/")
    if reference.registry == DEFAULT_REGISTRY and repository.startswith(_HUB_PREFIX):
        return repository.removeprefix(_HUB_PREFIX)
    parent, _, last = reference.name.rpartition("/")
    copied = parent.endswith("/lambda") and parent != f"{DEFAULT_REGISTRY}/lambda"
    return last if copied and last in REPOSITORIES else None


def _read_stamp(text: str) -> datetime:
    year, month, day, hour = map(int, text.split("."))
    return datetime(year, month, day, hour, tzinfo=UTC)


def _write_stamp(stamp: datetime) -> str:
    return f".{stamp.year:04}.{stamp.month:02}.{stamp.day:02}.{stamp.hour:02}"
