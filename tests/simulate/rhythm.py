"""How bases move: as recorded for 35 days, then on in the same rhythm; advisories and bad bases are planted.

The record is a public daily poll of public.ecr.aws/lambda/java from 2026-07-19 to 2026-08-22 (history of
hamburml/aws-base-lambda-image-corretto-version, MIT). Each of its five tags moved on 33 of 35 days, all but the same
two, and brought a new language version twice; package changes are not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from random import Random

from bot.core.advisories import Assessment, Fix, Severity
from bot.core.change import BaseChange, LanguageChange, PackageChange, PlatformChange
from bot.core.digest import Digest
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference

SEED = 20260719
DAYS = 91
START = datetime(2026, 7, 19, 16, tzinfo=UTC)
DAY = timedelta(days=1)
STREAMS = ("java8.al2", "java11", "java17", "java21", "java25")
RECORDED = 35
"""In days."""
STILL = (2, 9)
"""The recorded days on which no tag moved."""
LANGUAGE = dict.fromkeys(STREAMS, (4, 34)) | {"java25": (23, 34)}
"""The recorded days on which each stream brought a new language version."""
A_LANGUAGE = 2 / RECORDED
A_MOVE = 33 / RECORDED
A_FIX = 1 / 12
"""Planted: on how many days a stream fixes an advisory."""
SEVERITIES = {Severity.MEDIUM: 60, Severity.IMPORTANT: 32, Severity.CRITICAL: 8}
BAD = {"java21": (34, 6), "java17": (62, 5)}
"""Planted: the day from which a stream's base breaks every function on it, and for how many days.

On both a new language version comes, which is the bad one; another one repairs it.
"""
PLATFORM = Platform("linux", "amd64")


class Kind(StrEnum):
    """What a move brings."""

    LANGUAGE = "language"
    FIX = "fix"
    BREAKS = "breaks"
    REPAIRS = "repairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of a stream's contents, on the day on which a digest with it appears."""

    day: int
    kind: Kind
    severity: Severity | None = None


@dataclass(frozen=True, eq=False)
class Stream:
    """One stream over the quarter: what changes in it, and its observations, one for each day on which it moves."""

    runtime: str
    events: tuple[Event, ...]
    observations: tuple[Observation, ...]

    def seen_at(self, moment: datetime) -> Sequence[Observation]:
        """What a ledger knows by then, the newest first."""
        return self._seen_on(day_of(moment))

    @cache  # noqa: B019 - a stream lives as long as its quarter
    def _seen_on(self, day: int) -> Sequence[Observation]:
        return tuple(seen for seen in reversed(self.observations) if day_of(seen.first_seen) <= day)

    def contents(self, day: int) -> tuple[Event, ...]:
        """All changes that are in what the stream has on a day."""
        return tuple(event for event in self.events if event.day <= day)

    @cache  # noqa: B019 - as above
    def change(self, old: int, new: int) -> BaseChange:
        """What differs between what it has on two days: a digest alone is no difference."""
        return _compare(self, old, new)

    @cache  # noqa: B019 - as above
    def is_bad(self, day: int) -> bool:
        """Whether what the stream has on a day breaks functions."""
        kinds = [event.kind for event in self.contents(day)]
        return kinds.count(Kind.BREAKS) > kinds.count(Kind.REPAIRS)


def streams(seed: int = SEED, days: int = DAYS) -> tuple[Stream, ...]:
    """Make the streams of a quarter."""
    return tuple(_stream(name, Random(f"{seed} {name}"), days) for name in STREAMS)  # noqa: S311 - a simulation


def day_of(moment: datetime) -> int:
    """The day of the quarter, from 0."""
    return (moment - START) // DAY


def _compare(stream: Stream, old: int, new: int) -> BaseChange:
    between = [event for event in stream.events if min(old, new) < event.day <= max(old, new)]
    fixes = [event for event in between if event.severity] if old <= new else []
    moved = any(event.kind is not Kind.FIX for event in between)
    packages = tuple(
        PackageChange(name=f"package{n}", arch="x86_64", old="1", new="2")
        for n, event in enumerate(between)
        if event.kind is Kind.FIX
    )
    security = Assessment(
        fixes=tuple(
            Fix(
                system="AL2023",
                identifier=f"ALAS-{stream.runtime}-{event.day}",
                severity=event.severity,
                cves=(),
                packages=("package",),
            )
            for event in fixes
            if event.severity
        )
    )
    language = LanguageChange(name="java", old=f"21.0.{old}", new=f"21.0.{new}") if moved else None
    change = PlatformChange(platform=PLATFORM, packages=packages, language=language, security=security)
    return BaseChange(old=digest(stream.runtime, old), new=digest(stream.runtime, new), platforms=(change,))


@cache
def digest(runtime: str, day: int) -> Digest:
    """The digest that appears on a day."""
    return Digest.of(f"{runtime} {day}".encode())


def _stream(runtime: str, dice: Random, days: int) -> Stream:
    moves = [day for day in range(days) if _is_move(day, dice)]
    events = sorted(_events(runtime, dice, days), key=lambda event: event.day)
    moves = sorted({*moves, *(event.day for event in events)})
    return Stream(runtime, tuple(events), tuple(_observation(runtime, day) for day in moves))


def _is_move(day: int, dice: Random) -> bool:
    if day < RECORDED:
        return day not in STILL
    return dice.random() < A_MOVE


def _events(runtime: str, dice: Random, days: int) -> list[Event]:
    bad, lasts = BAD.get(runtime, (days, 0))
    events = [Event(day=bad, kind=Kind.BREAKS), Event(day=bad + lasts, kind=Kind.REPAIRS)] if bad < days else []
    for day in range(1, days):
        patched = day in LANGUAGE[runtime] if day < RECORDED else dice.random() < A_LANGUAGE
        fixed = dice.random() < A_FIX
        severity = dice.choices(list(SEVERITIES), list(SEVERITIES.values()))[0]
        if bad <= day <= bad + lasts or day in STILL:
            continue  # AWS repairs first, and what is recorded stays as it is
        events += [Event(day=day, kind=Kind.LANGUAGE)] if patched else []
        events += [Event(day=day, kind=Kind.FIX, severity=severity)] if fixed else []
    return events


def _observation(runtime: str, day: int) -> Observation:
    seen = START + day * DAY
    reference = Reference("public.ecr.aws", "lambda/java", runtime.removeprefix("java"))
    found = digest(runtime, day)
    base = KnownBase(
        runtime=runtime, reference=reference, platform=PLATFORM, digest=found, layers=(found,), diff_ids=(found,)
    )
    return Observation(
        runtime=runtime, reference=reference, digest=found, bases=(base,), first_seen=seen, last_seen=seen
    )
