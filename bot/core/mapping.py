"""Which function is built from which Dockerfile where the settings name no target: rules over what a function shows.

A function shows its tags, the name of its image's repository and its image's labels.
Of several rules the first that fits wins. What a rule cannot read may be what it would have said, so the rules below
it are not asked then: a function without a mapping is left alone, one with a wrong mapping would run another program.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import PurePosixPath
from typing import ClassVar, Final

from bot.core.image import ORIGIN_LABELS
from bot.core.reference import Reference
from bot.core.target import Target

TAG: Final = "refrom:"
"""What tags of functions begin with: `refrom:repository`, `dockerfile`, `context`, `stage`, `alias`."""
SOURCE_LABEL: Final = "org.opencontainers.image.source"
"""Where the source code is, as an address (OCI image-spec, annotations.md)."""

_PART: Final = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9_.-]+"
_REPOSITORY: Final = re.compile(rf"{_PART}(?:/{_PART})+\Z")
_SOURCE: Final = re.compile(r"(?:(?:git\+)?https?://|ssh://git@|git@)(?P<host>[^/:@]+)(?::\d+)?[/:](?P<path>[^?#]+)")
_SHOWN: Final = 120
_UNMAPPED: Final = (
    "no rule under deploy.discover fits it; tag it with refrom:repository, or name it under deploy.targets"
)
_AGREE: Final = "the first is taken; make them agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One container-image function as it was listed.

    `names` are all names under which the settings may know it, the ARN first.
    `unread` says of `image`, `tags` and `labels` why they could not be read.
    """

    names: tuple[str, ...]
    image: Reference | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The one name that no other function has."""
        return self.names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a rule says of where an image is built from, and of the alias that serves it; None is what it leaves out."""

    repository: str
    dockerfile: str | None = None
    context: str | None = None
    stage: str | None = None
    alias: str | None = None

    @classmethod
    def told(cls, values: Mapping[str, str], prefix: str) -> "Origin | None":
        """Read the parts from tags or labels; None where they name no source repository."""
        parts = {field.name: values[f"{prefix}{field.name}"] for field in fields(cls) if prefix + field.name in values}
        return cls(**parts) if "repository" in parts else None

    @property
    def fault(self) -> str:
        """What is wrong with it; empty where nothing is."""
        if not _REPOSITORY.match(self.repository):
            return f"names the source repository {self.repository[:_SHOWN]!r}; write OWNER/NAME"
        for path in (self.dockerfile, self.context):
            pure = PurePosixPath(path or "")
            if path == "" or pure.is_absolute() or ".." in pure.parts:
                return f"names {str(path)[:_SHOWN]!r}, which is no path in {self.repository}; write one"
        return ""

    def contradicts(self, other: "Origin") -> bool:
        """Say whether both name what only one can be right about."""
        files = {self.dockerfile, other.dockerfile} - {None}
        return self.repository != other.repository or len(files) > 1

    def __str__(self) -> str:
        return f"{self.dockerfile} of {self.repository}" if self.dockerfile else self.repository


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTag:
    """The function's own tags say it."""

    by: ClassVar = "tag"
    reads: ClassVar = "tags"
    dockerfile: str = "Dockerfile"
    alias: str | None = None

    def origin(self, candidate: Candidate) -> Origin | None:
        """Read the tags."""
        return Origin.told(candidate.tags, TAG)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLabel:
    """The image's labels say it: those that our builders write, else the source that OCI has a label for.

    `host` is the forge's: a source on another one is none of its repositories.
    """

    by: ClassVar = "label"
    reads: ClassVar = "labels"
    dockerfile: str = "Dockerfile"
    alias: str | None = None
    host: str | None = None

    def origin(self, candidate: Candidate) -> Origin | None:
        """Read the labels."""
        found = _SOURCE.match(candidate.labels.get(SOURCE_LABEL, ""))
        told = Origin.told(candidate.labels, ORIGIN_LABELS)
        if told or found is None or self.host not in (None, found["host"].lower()):
            return told
        return Origin(repository=found["path"].strip("/").removesuffix(".git"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ByImage:
    """The name of the image's repository says it.

    One `*` in `image` stands for any characters but `/`; the same characters stand for `*` in the other parts.
    """

    by: ClassVar = "image"
    reads: ClassVar = "image"
    image: str
    repository: str
    dockerfile: str = "Dockerfile"
    context: str = "."
    alias: str | None = None

    def origin(self, candidate: Candidate) -> Origin | None:
        """Compare the names."""
        star = self._star(candidate.image.repository) if candidate.image else None
        if star is None:
            return None
        repository, dockerfile, context = (
            part.replace("*", star) for part in (self.repository, self.dockerfile, self.context)
        )
        return Origin(repository=repository, dockerfile=dockerfile, context=context)

    def _star(self, name: str) -> str | None:
        before, _, after = self.image.partition("*")
        pattern = re.escape(before) + ("([^/]+)" if "*" in self.image else "()") + re.escape(after)
        found = re.fullmatch(pattern, name)
        return found[1] if found else None


MappingRule = ByTag | ByLabel | ByImage


class GapKind(StrEnum):
    """What is wrong with the map at one function."""

    UNMAPPED = "unmapped"
    UNREADABLE = "unreadable"
    AMBIGUOUS = "ambiguous"
    STRANGE = "strange"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One function at which the map has a gap, and why."""

    function: str
    kind: GapKind
    why: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """One function that a rule maps, and by what."""

    target: Target
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionMap:
    """What the rules found, and where they found nothing; `unlisted` are places whose functions nobody could list."""

    mapped: tuple[Mapped, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unlisted: tuple[tuple[str, str], ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that the settings do not name."""
        return tuple(one.target for one in self.mapped)


def map_functions(
    candidates: Iterable[Candidate], rules: Sequence[MappingRule], declared: Iterable[Target] = ()
) -> FunctionMap:
    """Map every function that no declared target names, in the order of their ARNs; a gap is told, never guessed."""
    known = {target.function for target in declared}
    others = [candidate for candidate in candidates if known.isdisjoint(candidate.names)]
    answers = [_map(candidate, rules) for candidate in sorted(others, key=lambda one: one.arn)]
    return FunctionMap(
        mapped=tuple(mapped for mapped, _ in answers if mapped), gaps=tuple(gap for _, gaps in answers for gap in gaps)
    )


def strangers(targets: Iterable[Target], repositories: Collection[str]) -> Iterator[Gap]:
    """Tell the targets whose source repository is none of the forge's."""
    for target in targets:
        if target.repository not in repositories:
            why = f"its source repository {target.repository} is in no forge of the settings; name it there"
            yield Gap(function=target.function, kind=GapKind.STRANGE, why=why)


def _map(candidate: Candidate, rules: Sequence[MappingRule]) -> tuple[Mapped | None, tuple[Gap, ...]]:
    """Map one function by the first answer; of the others only a contradiction is told."""
    answers = list(_answers(candidate, rules))
    if not answers or isinstance(answers[0][1], str):
        kind, why = (GapKind.UNREADABLE, str(answers[0][1])) if answers else (GapKind.UNMAPPED, _UNMAPPED)
        return None, (Gap(function=candidate.arn, kind=kind, why=why),)
    if candidate.image is None:
        return None, (Gap(function=candidate.arn, kind=GapKind.UNREADABLE, why=candidate.unread["image"]),)
    rule, origin = answers[0][0], answers[0][1]
    others = [(other.by, said) for other, said in answers[1:] if isinstance(said, Origin) and said.contradicts(origin)]
    said = ", ".join(f"its {by} says {said}" for by, said in ((rule.by, origin), *others))
    gap = Gap(function=candidate.arn, kind=GapKind.AMBIGUOUS, why=f"{said}; {_AGREE}")
    return Mapped(_target(candidate.arn, candidate.image, rule, origin), rule.by), (gap,) if others else ()


def _answers(candidate: Candidate, rules: Sequence[MappingRule]) -> Iterator[tuple[MappingRule, Origin | str]]:
    """What the rules say that say anything, or why they cannot."""
    for rule in rules:
        if rule.reads in candidate.unread:
            yield rule, candidate.unread[rule.reads]
        elif origin := rule.origin(candidate):
            yield rule, f"its {rule.by} {origin.fault}" if origin.fault else origin


def _target(arn: str, image: Reference, rule: MappingRule, origin: Origin) -> Target:
    return Target(
        function=arn,
        repository=origin.repository,
        dockerfile=origin.dockerfile or rule.dockerfile,
        context=origin.context or ".",
        stage=origin.stage,
        alias=origin.alias or rule.alias,
        destination=image.with_tag(None),
    )
