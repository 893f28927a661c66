"""Who owes what: a verdict and a duty for every state of the evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.change import BaseChange, FileChanges, PlatformChange
from bot.core.digest import Digest
from bot.core.lineage import Lineage
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.responsibility import Evidence, State, Verdict, judge_function, judge_served, slo_kept
from bot.core.slo import Freshness

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AMD64 = Platform("linux", "amd64")
WITHIN = Freshness(any=timedelta(days=30))


def base(name: str, age: int) -> KnownBase:
    return KnownBase(
        runtime="python3.13",
        reference=Reference("public.ecr.aws", "lambda/python", "3.13", Digest.of(name.encode())),
        platform=AMD64,
        digest=Digest.of(f"{name} amd64".encode()),
        layers=(Digest.of(f"{name} layer".encode()),),
        diff_ids=(Digest.of(f"{name} diff".encode()),),
        created=NOW - timedelta(days=age),
    )


OLD, NEW = base("old", 40), base("new", 10)
LATEST = Observation(
    runtime="python3.13",
    reference=NEW.reference,
    digest=Digest.of(b"new"),
    bases=(NEW,),
    first_seen=NOW - timedelta(days=10),
    last_seen=NOW,
)
MOVED = BaseChange(
    old=OLD.digest, new=NEW.digest, platforms=(PlatformChange(platform=AMD64, files=FileChanges(changed=1)),)
)
SAME = BaseChange(old=OLD.digest, new=NEW.digest, platforms=(PlatformChange(platform=AMD64),))


def proven(by: KnownBase) -> Lineage:
    return Lineage(image=Digest.of(b"image"), layers=3, base=by, by="layers")


def evidence(**fields: object) -> Evidence:
    given_fields = {"function": "arn:f", "repository": "acme/orders", "latest": LATEST, **fields}
    return Evidence(**given_fields)  # type: ignore[arg-type]


def since(days: int) -> datetime:
    return NOW - timedelta(days=days)


UNKNOWN_LINEAGE = Lineage(image=Digest.of(b"image"), layers=3)

CASES = [
    pytest.param(evidence(fault="denied"), Verdict.UNKNOWN, State.UNKNOWN, None, id="nothing could be read"),
    pytest.param(evidence(lineage=UNKNOWN_LINEAGE), Verdict.UNKNOWN, State.UNKNOWN, None, id="no base proven"),
    pytest.param(evidence(lineage=proven(NEW)), Verdict.CURRENT, State.MET, None, id="on the latest base"),
    pytest.param(
        evidence(lineage=proven(OLD), change=SAME), Verdict.CURRENT, State.MET, None, id="only the digest moved"
    ),
    pytest.param(
        evidence(lineage=proven(OLD), change=MOVED, behind_since=since(10)),
        Verdict.BEHIND, State.DUE, 20, id="behind, with days left",
    ),
    pytest.param(
        evidence(lineage=proven(OLD), change=MOVED, behind_since=since(35)),
        Verdict.BEHIND, State.OVERDUE, 5, id="behind for longer than the policy allows",
    ),
    pytest.param(
        evidence(lineage=proven(OLD), change=MOVED, behind_since=since(35), held="release freeze"),
        Verdict.BEHIND, State.EXCEPTED, None, id="behind, and held by a person",
    ),
    pytest.param(
        evidence(lineage=proven(OLD), change=MOVED, merged=NEW, behind_since=since(1)),
        Verdict.DRIFTED, State.DUE, 29, id="merged but not deployed",
    ),
    pytest.param(
        evidence(lineage=proven(OLD), change=None), Verdict.UNKNOWN, State.UNKNOWN, None, id="bases not compared"
    ),
    pytest.param(
        evidence(lineage=proven(OLD), latest=None), Verdict.UNKNOWN, State.UNKNOWN, None, id="the stream is not known"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("known", "verdict", "state", "days"), CASES)
def test_every_state_of_the_evidence_has_its_verdict_and_duty(
    known: Evidence, verdict: Verdict, state: State, days: int | None
) -> None:
    finding = judge_function(known, WITHIN, NOW)

    assert (finding.verdict, finding.duties[0].state, finding.duties[0].days) == (verdict, state, days)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        pytest.param(evidence(lineage=proven(OLD), merged=NEW), "merged but not deployed: ", id="older"),
        pytest.param(
            evidence(lineage=proven(OLD), merged=NEW, alias="live", unserved=True),
            "merged but not deployed: $LATEST has it, alias live does not serve it; ",
            id="on $LATEST alone",
        ),
        pytest.param(evidence(lineage=proven(NEW), merged=OLD), "something else was deployed: ", id="newer"),
        pytest.param(
            evidence(lineage=proven(replace(OLD, runtime="python3.12")), merged=NEW),
            "something else was deployed: ",
            id="another runtime",
        ),
        pytest.param(
            evidence(lineage=proven(replace(OLD, created=None)), merged=NEW),
            "something else was deployed: ",
            id="no date",
        ),
    ],
)
def test_a_deployment_that_is_to_come_is_told_from_one_beside_the_default_branch(known: Evidence, why: str) -> None:
    finding = judge_function(known, WITHIN, NOW)

    assert finding.verdict is Verdict.DRIFTED
    assert finding.duties[0].why.startswith(why)
    assert finding.duties[0].why.endswith(f"and this stands on {known.lineage.base.reference}")  # type: ignore[union-attr]


def test_in_manual_mode_what_runs_is_declared_and_no_drift_but_still_behind() -> None:
    known = evidence(lineage=proven(OLD), change=MOVED, merged=NEW, mode="manual", held="manual: rolled back")

    finding = judge_function(known, WITHIN, NOW)

    assert (finding.verdict, finding.duties[0].state, finding.mode) == (Verdict.BEHIND, State.EXCEPTED, "manual")


def test_a_function_is_as_the_worst_of_the_versions_that_it_serves() -> None:
    good = evidence(lineage=proven(NEW), merged=NEW, version="2")
    bad = evidence(lineage=proven(OLD), merged=NEW, version="1")

    finding = judge_served([(0.9, good), (0.1, bad)], WITHIN, NOW)

    assert (finding.verdict, finding.evidence.version) == (Verdict.DRIFTED, "1")
    assert [(s.version, s.weight, s.verdict, s.base) for s in finding.serves] == [
        ("2", 0.9, Verdict.CURRENT, NEW),
        ("1", 0.1, Verdict.DRIFTED, OLD),
    ]


def test_what_is_overdue_breaks_the_slo_however_small_its_share_and_whatever_the_verdict_beside_it() -> None:
    """A drifted version that is due does not hide one that is behind for too long, nor does a larger share."""
    drifted = evidence(lineage=proven(OLD), change=MOVED, merged=NEW, behind_since=since(1), version="3")
    behind = evidence(lineage=proven(OLD), change=MOVED, behind_since=since(1), version="2")
    overdue = evidence(lineage=proven(OLD), change=MOVED, behind_since=since(40), version="1")

    beside_drift = judge_served([(0.9, drifted), (0.1, overdue)], WITHIN, NOW)
    beside_behind = judge_served([(0.9, behind), (0.1, overdue)], WITHIN, NOW)

    assert (beside_drift.verdict, beside_drift.state) == (Verdict.DRIFTED, State.OVERDUE)
    assert (beside_behind.verdict, beside_behind.state) == (Verdict.BEHIND, State.OVERDUE)
    assert not slo_kept([beside_drift])


def test_the_slo_is_broken_by_what_is_overdue_and_by_what_nobody_knows() -> None:
    due = judge_function(evidence(lineage=proven(OLD), change=MOVED, behind_since=since(10)), WITHIN, NOW)
    overdue = judge_function(evidence(lineage=proven(OLD), change=MOVED, behind_since=since(40)), WITHIN, NOW)
    unknown = judge_function(evidence(fault="denied"), WITHIN, NOW)

    assert slo_kept([due])
    assert not slo_kept([due, overdue])
    assert not slo_kept([unknown])


def test_the_age_is_the_age_of_the_base_that_runs() -> None:
    assert judge_function(evidence(lineage=proven(OLD), change=MOVED), WITHIN, NOW).base_age_days == 40


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_duty_never_becomes_less_urgent_with_time(one: int, more: int) -> None:
    """An overdue duty stays overdue as long as nothing is deployed."""
    earlier = judge_function(evidence(lineage=proven(OLD), change=MOVED, behind_since=since(one)), WITHIN, NOW)
    later = judge_function(
        evidence(lineage=proven(OLD), change=MOVED, behind_since=since(one)), WITHIN, NOW + timedelta(days=more)
    )

    assert not (earlier.breaks_slo and not later.breaks_slo)
