"""The simulation itself, over a smaller fleet and half of the days: what it promises, and that a seed is a quarter."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest

from bot.core.change import Significance
from bot.core.rollout import Phase
from tests.simulate.picture import draw
from tests.simulate.quarter import Quarter, quarter
from tests.simulate.rhythm import BAD, LANGUAGE, RECORDED, STREAMS, Kind, streams
from tests.simulate.strategies import Refrom

pytestmark = pytest.mark.soak

FUNCTIONS, DAYS = 150, 45
STREAM = "java21"
"""Whose bad base comes within these days."""


@dataclass(frozen=True, slots=True)
class Lived:
    """One quarter of each strategy."""

    refrom: Quarter
    digests: Quarter
    monthly: Quarter


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived(*(quarter(name, functions=FUNCTIONS, days=DAYS) for name in ("refrom", "every digest", "monthly")))


def test_the_recorded_days_are_kept_and_go_on_in_the_same_rhythm() -> None:
    for stream in streams():
        days = [(seen.first_seen - stream.observations[0].first_seen).days for seen in stream.observations]
        language = [e.day for e in stream.events if e.kind in (Kind.LANGUAGE, Kind.BREAKS) and e.day < RECORDED]

        assert sum(day < RECORDED for day in days) == 33
        assert 0.9 < len(days) / 91 < 1
        assert language == list(LANGUAGE[stream.runtime])
    assert {stream.runtime for stream in streams()} == set(STREAMS) >= set(BAD)


def test_a_digest_alone_is_no_difference_and_a_bad_base_is_one() -> None:
    (stream,) = [one for one in streams() if one.runtime == STREAM]
    bad, lasts = BAD[STREAM]

    assert stream.change(bad, bad + 1).significance is Significance.NONE
    assert stream.change(bad - 1, bad).significance >= Significance.LANGUAGE
    assert [stream.is_bad(day) for day in (bad - 1, bad, bad + lasts - 1, bad + lasts)] == [False, True, True, False]


def test_a_bad_base_stops_in_phase_one_in_one_region(lived: Lived) -> None:
    strategy = lived.refrom.strategy
    assert isinstance(strategy, Refrom)
    hit = lived.refrom.exposed[STREAM]

    assert strategy.stopped[STREAM] == (Phase.ONE, 0)
    assert 0 < len(hit) <= strategy.active[STREAM] < lived.refrom.functions_of(STREAM)
    assert {name.rpartition(":")[2] for name in hit} == {"eu-central-1"}
    assert len(lived.digests.exposed[STREAM]) == lived.digests.functions_of(STREAM)


def test_nobody_stays_on_a_bad_base_and_all_leave_the_base_before_it(lived: Lived) -> None:
    bad, lasts = BAD[STREAM]
    served = [f.base for r in lived.refrom.repositories if r.runtime == STREAM for f in r.functions]

    assert not any(bad <= base < bad + lasts for base in served)
    assert min(served) >= bad + lasts


def test_refrom_does_far_less_than_a_bump_for_every_digest_and_stays_fresher_than_a_monthly_round(lived: Lived) -> None:
    assert lived.refrom.opened * 3 < lived.digests.opened
    assert lived.refrom.taken_back < lived.digests.taken_back
    assert lived.refrom.kept > lived.monthly.kept
    assert max(lived.refrom.ages) < max(lived.monthly.ages)


def test_the_same_seed_is_the_same_quarter_and_another_one_is_not(lived: Lived) -> None:
    again, other = (quarter("refrom", functions=FUNCTIONS, days=DAYS, seed=seed) for seed in (20260719, 1))

    assert (again.opened, again.ages, again.exposed) == (
        lived.refrom.opened,
        lived.refrom.ages,
        lived.refrom.exposed,
    )
    assert other.ages != again.ages


def test_the_picture_says_in_words_what_it_shows(lived: Lived) -> None:
    svg = ET.fromstring(draw([lived.refrom, lived.digests, lived.monthly]))  # noqa: S314 - our own text

    described = [element.text or "" for element in svg.iter("{http://www.w3.org/2000/svg}desc")]
    assert svg.get("role") == "img"
    assert f"{lived.refrom.opened:,} pull requests" in described[0]
