"""A month of real moves replayed day by day: every policy takes exactly what it should, on the day that it should.

The digests moved almost daily and the language thrice at most. Four package fixes are planted; all other moves change
times alone. People merge whatever is proposed, so the base in use is the one that was taken last.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.adapters.advisories import AmazonAdvisories
from bot.adapters.engine.clock import VirtualClock
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.transport import Transport
from bot.core.advisories import Advisory, Severity
from bot.core.decision import Update
from bot.core.layer import Language, Package
from bot.core.policy import Policy, UpdateOn
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.entrypoints.demo.images import BaseSpec, publish_base
from bot.ports.forge import PullRequestState
from bot.steps.cycle import Cycle, Report
from tests.conftest import Figure
from tests.lab.package_mirror import PackageMirror, package_mirror
from tests.steps.shop import Shop

pytestmark = pytest.mark.soak

JAVA = Reference.parse("public.ecr.aws/lambda/java")
REAL = Path(__file__).parents[2].parent / "shared/data/java-base-moves.csv"
FIRST, DAYS = date(2026, 7, 19), 35
ARCHES = {AMD64: "x86_64", ARM64: "aarch64"}
TAGS = {"8.al2": "amzn2", "11": "amzn2", "17": "amzn2", "21": "amzn2023", "25": "amzn2023"}
"""Each tag, and what rpm appends to a release of its operating system."""
NAMES = ("curl-minimal", "glibc", "openssl-libs", "zlib")

Moves = Mapping[date, Mapping[str, str]]
"""For each day the tags that moved on it, and the language version that each has then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A package that is fixed in a tag's base on one day, and its advisory, which comes on a day of its own."""

    tag: str
    name: str
    moved: date
    severity: Severity
    told: date

    @property
    def advisory(self) -> Advisory:
        system = {"amzn2": "ALAS2", "amzn2023": "ALAS2023"}[TAGS[self.tag]]
        fixed = tuple(package(self.tag, self.name, arch, fixed=True) for arch in ARCHES.values())
        number = 100 + NAMES.index(self.name)
        return Advisory(
            identifier=f"{system}-2026-{number}",
            severity=self.severity,
            packages=fixed,
            cves=(f"CVE-2026-{number}0", f"CVE-2026-{number}1"),
            issued=datetime.combine(self.told, time(9), UTC),
        )


def august(day: int) -> date:
    return date(2026, 8, day)


PLANTS = (
    Plant(tag="21", name="openssl-libs", moved=date(2026, 7, 30), severity=Severity.IMPORTANT, told=date(2026, 7, 30)),
    Plant(tag="17", name="glibc", moved=august(2), severity=Severity.CRITICAL, told=august(7)),
    Plant(tag="8.al2", name="zlib", moved=august(5), severity=Severity.MEDIUM, told=august(2)),
    Plant(tag="25", name="curl-minimal", moved=august(10), severity=Severity.LOW, told=august(10)),
)
POLICIES = {
    "security": Policy(update_on=UpdateOn.SECURITY),
    "important": Policy(update_on=UpdateOn.SECURITY, min_severity=Severity.IMPORTANT),
    "language": Policy(update_on=UpdateOn.LANGUAGE),
    "packages": Policy(update_on=UpdateOn.PACKAGES),
    "any": Policy(update_on=UpdateOn.ANY),
}
LANGUAGE = ["07-23 11", "07-23 17", "07-23 21", "07-23 8.al2"]
LAST = ["08-22 11", "08-22 17", "08-22 21", "08-22 25", "08-22 8.al2"]
FIXED = ["07-30 21", "08-05 8.al2", "08-07 17", "08-10 25"]
EXPECTED = {
    "security": [*FIXED, "08-19 11 by age"],
    "important": ["07-30 21", "08-07 17", "08-19 11 by age", "08-19 25 by age", "08-19 8.al2 by age"],
    "language": [*LANGUAGE, *FIXED, "08-11 25", *LAST],
    "packages": [*LANGUAGE, "07-30 21", "08-02 17", "08-05 8.al2", "08-10 25", "08-11 25", *LAST],
    "any": [*LANGUAGE, "07-30 21", "08-02 17", "08-05 8.al2", "08-10 25", "08-11 25", *LAST],
}
"""The first base was seen on the 19th, something newer on the 20th: the 30 days of `max_age` end on August 19."""


def package(tag: str, name: str, arch: str, *, fixed: bool) -> Package:
    return Package(name, arch, f"1:2.34-1.{TAGS[tag]}.0.{10 if fixed else 9}")


def real() -> Moves:
    """The moves of the real timeline; a day on which one platform moved is a day on which the tag did."""
    with REAL.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    before: dict[tuple[str, str], str] = {}
    moves: dict[date, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: row["date"]):
        key = (row["tag"], row["architecture"])
        if before.get(key) != row["digest"]:
            moves.setdefault(date.fromisoformat(row["date"]), {})[row["tag"]] = row["corretto_version"]
        before[key] = row["digest"]
    return moves


def made() -> Moves:
    """Moves like the real ones: daily except for two days, and the language on the same days."""
    moves: dict[date, dict[str, str]] = {}
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        first = august(11) if number else date.max
        for tag in TAGS if number not in (2, 9) else ():
            patched = first if tag == "25" else date(2026, 7, 23)
            moves.setdefault(day, {})[tag] = f"{tag.partition('.')[0]}.0.{(day >= patched) + (day >= august(22))}"
    return moves


@dataclass(slots=True)
class Month:
    """The shop over a month: one repository for each policy, with one Dockerfile for each tag."""

    shop: Shop
    mirror: PackageMirror
    moves: Moves
    taken: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in POLICIES})
    bodies: dict[str, str] = field(default_factory=dict)

    def live(self) -> None:
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            self.shop.clock.wait_until(datetime.combine(day, time(16), UTC))
            self.mirror.advisories = [plant.advisory for plant in PLANTS if plant.told <= day]
            digests = {tag: self.publish(tag, version, day) for tag, version in self.moves.get(day, {}).items()}
            if number == 0:
                texts = {f"{tag}/Dockerfile": f"FROM {JAVA}:{tag}@{digest}\n" for tag, digest in digests.items()}
                for name in POLICIES:
                    self.shop.push(f"acme/{name}", "FROM scratch\n", **texts)
            self.note(day, self.cycle())
            self.merge(day)

    def publish(self, tag: str, version: str, day: date) -> str:
        fixed = {plant.name for plant in PLANTS if plant.tag == tag and plant.moved <= day}
        packages = {
            platform: tuple(package(tag, name, arch, fixed=name in fixed) for name in NAMES)
            for platform, arch in ARCHES.items()
        }
        spec = BaseSpec(
            name="java",
            tag=tag,
            platforms=tuple(ARCHES),
            packages=packages,
            language=Language("java", version),
            created=datetime.combine(day, time(13), UTC),
        )
        return str(publish_base(self.shop.writer, JAVA, spec))

    def cycle(self) -> Report:
        """One cycle, as a new process would run it."""
        with closing(Transport(self.shop.clock)) as transport:
            self.shop.advisories = AmazonAdvisories(
                self.mirror.feeds, transport, self.shop.store.documents, self.shop.clock
            )
            rules = replace(self.shop.rules(), policy_for=lambda name, _path, _runtime: POLICIES[name[5:]])
            return Cycle(self.shop.world(), rules).run(MemoryEngine(self.shop.clock, timedelta()))

    def note(self, day: date, report: Report) -> None:
        assert not report.needs_attention, [outcome.message for outcome in report.outcomes]
        for decision in report.decisions:
            if isinstance(decision, Update):
                tag = decision.use.located.path.partition("/")[0]
                age = " by age" if decision.reason.startswith("age: ") else ""
                self.taken[decision.use.repository[5:]].append(f"{day:%m-%d} {tag}{age}")

    def merge(self, day: date) -> None:
        for name in POLICIES:
            for pull in self.shop.pull_requests(f"acme/{name}"):
                if pull.state is PullRequestState.OPEN:
                    self.bodies[f"{name} {day:%m-%d}"] = pull.body
                    self.shop.forge.merge(f"acme/{name}", pull.number)


@pytest.fixture
def mirror() -> Iterator[PackageMirror]:
    with package_mirror() as mirror:
        yield mirror


def test_in_a_month_each_policy_takes_exactly_what_matters_to_it(
    shop: Shop, mirror: PackageMirror, figure: Figure
) -> None:
    """Where the real timeline is not at hand, one is made that moves on the same days."""
    shop.clock = VirtualClock(datetime.combine(FIRST, time(12), UTC))
    moves, timeline = (real(), "real") if REAL.exists() else (made(), "made")
    month = Month(shop, mirror, moves)

    month.live()

    digests = {tag: len({day for day, moved in moves.items() if tag in moved}) for tag in TAGS}
    figure(f"digests of each tag in 35 days of the {timeline} timeline", digests, dict.fromkeys(TAGS, 33))
    for name, expected in EXPECTED.items():
        what = f"updates in the month with the policy {name}"
        figure(what, ", ".join(sorted(month.taken[name])), ", ".join(sorted(expected)))
    late = next(plant for plant in PLANTS if plant.told > plant.moved)
    for name in ("security", "language"):
        acted = next(day for day in month.taken[name] if day >= f"{late.moved:%m-%d}" and day.endswith(f" {late.tag}"))
        what = f"day on which {name} acts on an advisory of {late.told:%m-%d} for a package of {late.moved:%m-%d}"
        figure(what, acted, f"{late.told:%m-%d} {late.tag}")
    assert "`glibc` fixes 2 critical CVEs" in month.bodies["security 08-07"]
    first, then = (moves[day]["21"] for day in (FIRST, date(2026, 7, 30)))
    headline = f"**`java {first} -> {then}`, `openssl-libs` fixes 2 important CVEs**"
    figure("ten moves are one update from the base in use", headline in month.bodies["security 07-30"], True)
