"""Troubles: what the journal says against a base, until it says that it is over."""

from dataclasses import replace

import pytest

from bot.core.outcome import Outcome, Result
from bot.core.rollout import Troubles
from bot.core.troubles import BASE, CHECKS, IMAGE, LEFT, failing_checks, troubles_of
from tests.core.facts import NEW, NEW_AMD64, NOW, OLD

IMAGES = {"new": "example.com/orders@sha256:1", "old": "example.com/orders@sha256:0"}
FAILED = Outcome(step="rebuild", subject="orders", result=Result.FAILED, message="no", details={BASE: str(NEW)})
BUILT = replace(FAILED, result=Result.BUILT, details={BASE: str(NEW), IMAGE: IMAGES["new"]})
BACK = Outcome(
    step="redeploy",
    subject="orders",
    result=Result.ROLLED_BACK,
    message="alarm",
    details={IMAGE: IMAGES["new"], "arn": "arn:orders"},
)
BY_HAND = replace(BACK, details={IMAGE: IMAGES["old"], LEFT: IMAGES["new"], "arn": "arn:orders"})
WARNED = Outcome(
    step="propose",
    subject="acme/orders",
    result=Result.WARNED,
    message="no",
    details={CHECKS: f"{OLD} {NEW}", "branch": "refrom/x", "pull_request": "acme/orders#1"},
)
CALM = replace(WARNED, result=Result.SETTLED)


def read(*outcomes: Outcome) -> Troubles:
    return troubles_of([(NOW, outcome) for outcome in outcomes], (NEW, NEW_AMD64))


@pytest.mark.parametrize(
    ("outcomes", "failures", "taken_back"),
    [
        pytest.param([FAILED], ["orders cannot be built on it"], [], id="a build failed"),
        pytest.param([FAILED, FAILED], ["orders cannot be built on it"], [], id="twice is once"),
        pytest.param([FAILED, BUILT], [], [], id="then it was built"),
        pytest.param(
            [FAILED, replace(BUILT, subject="carts")], ["orders cannot be built on it"], [], id="another was built"
        ),
        pytest.param([replace(FAILED, details={BASE: str(OLD)})], [], [], id="on another base"),
        pytest.param([replace(FAILED, details={})], [], [], id="on no base that is named"),
        pytest.param(
            [replace(FAILED, details={BASE: str(NEW_AMD64)})],
            ["orders cannot be built on it"],
            [],
            id="on one platform",
        ),
        pytest.param([BUILT, BACK], [], ["orders was rolled back"], id="a roll back"),
        pytest.param([BUILT, BY_HAND], [], ["orders was rolled back"], id="by a person"),
        pytest.param([BACK], [], [], id="from an image that was not built on it"),
        pytest.param([BUILT, BACK, replace(BACK, result=Result.SETTLED)], [], [], id="and it serves after all"),
        pytest.param(
            [BUILT, BACK, replace(BACK, result=Result.SHIFTED)], [], ["orders was rolled back"], id="tried again"
        ),
        pytest.param([WARNED], ["the checks of acme/orders#1 fail"], [], id="checks fail"),
        pytest.param([WARNED, CALM], [], [], id="checks pass"),
        pytest.param([replace(WARNED, details={CHECKS: str(OLD)})], [], [], id="checks of another base"),
    ],
)
def test_the_journal_says_what_speaks_against_a_base(
    outcomes: list[Outcome], failures: list[str], taken_back: list[str]
) -> None:
    found = read(*outcomes)

    assert (list(found.failures), list(found.taken_back)) == (failures, taken_back)


def test_a_block_is_told_with_the_rest() -> None:
    assert troubles_of([], (NEW,), "it is blocked (crashes)").blocked == "it is blocked (crashes)"


def test_pull_requests_whose_checks_were_last_told_to_fail_are_known_by_branch() -> None:
    key, other = ("acme/orders", "refrom/x"), replace(WARNED, subject="acme/carts")

    entries = [(NOW, outcome) for outcome in (WARNED, other, CALM, FAILED)]

    assert failing_checks(entries[:1]) == {key: WARNED}
    assert failing_checks(entries) == {("acme/carts", "refrom/x"): other}
