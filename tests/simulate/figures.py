"""The quarter under each strategy: each figure beside its goal, and the picture of it in docs/."""

from collections.abc import Sequence
from pathlib import Path

from bot.core.rollout import Phase
from tests.bench.rows import Row
from tests.simulate.picture import draw
from tests.simulate.quarter import Quarter, quarter
from tests.simulate.rhythm import BAD, DAYS, SEED
from tests.simulate.strategies import Refrom

PICTURE = Path(__file__).parents[2] / "docs/simulation.svg"
STRATEGIES = ("refrom", "every digest", "monthly")
AS_FEW = 5
"""Times fewer pull requests and redeploys than a bump for every digest."""
KEPT = 0.99
SHARE = 0.95


def lived() -> list[Quarter]:
    """Live all quarters, refrom's first."""
    return [quarter(name) for name in STRATEGIES]


def measure() -> list[Row]:
    """Say how the figures stand to their goals, and whether the picture in docs/ still shows them."""
    return rows_of(lived())


def rows_of(quarters: Sequence[Quarter]) -> list[Row]:
    """Say it of quarters that were lived."""
    drawn = PICTURE.read_text(encoding="utf-8") == draw(quarters)
    shown = Row("docs/simulation.svg", "as drawn now" if drawn else "another quarter", "as drawn now", drawn)
    return [*_work(quarters), *_freshness(quarters), *_bad_bases(quarters), shown]


def _work(quarters: Sequence[Quarter]) -> list[Row]:
    ours, digests, _ = quarters
    where = f"{len(ours.repositories)} repositories, 1,000 functions in three Regions, {DAYS} days, seed {SEED}"
    fewer = f"at most a {AS_FEW}th of a bump for every digest"
    deployed = [len(each.deployments) for each in quarters]
    back, active = [each.taken_back for each in quarters], sum(_refrom(ours).active.values())
    return [
        Row(
            f"pull requests ({where})",
            _beside([f"{each.opened:,}" for each in quarters]),
            fewer,
            ours.opened * AS_FEW <= digests.opened,
        ),
        Row("redeploys", _beside([f"{count:,}" for count in deployed]), fewer, deployed[0] * AS_FEW <= deployed[1]),
        Row(
            "roll backs",
            _beside([f"{count:,}" for count in back]),
            f"at most the {active} functions in phase one of the two bad bases",
            back[0] <= active,
        ),
    ]


def _freshness(quarters: Sequence[Quarter]) -> list[Row]:
    ours, _, monthly = quarters
    ages = [f"{each.age(0.5)} / {each.age(SHARE)} / {max(each.ages)}" for each in quarters]
    return [
        Row(
            "SLO kept (critical 3 days, important 7, anything 30), of all function days",
            _beside([f"{each.kept:.2%}" for each in quarters]),
            f"at least {KEPT:.0%}",
            ours.kept >= KEPT,
        ),
        Row(
            f"days behind of the middle function day / of {SHARE:.0%} / of the oldest",
            _beside(ages),
            "each less than monthly by hand",
            ours.age(SHARE) < monthly.age(SHARE) and max(ours.ages) < max(monthly.ages),
        ),
    ]


def _bad_bases(quarters: Sequence[Quarter]) -> list[Row]:
    ours = quarters[0]
    rows = []
    for runtime, (day, lasts) in BAD.items():
        total, hit = ours.functions_of(runtime), [len(each.exposed[runtime]) for each in quarters]
        stopped, waves = _refrom(ours).stopped.get(runtime, (Phase.DONE, 0))
        active = _refrom(ours).active.get(runtime, 0)
        where = "phase one" if stopped is Phase.ONE else f"wave {waves}"
        rows.append(
            Row(
                f"functions of {total} that served the bad base of {runtime} (day {day}, {lasts} days)",
                f"{_beside(list(map(str, hit)))}; stopped in {where}, which had {active} functions",
                "stopped in phase one or the first wave, on no more functions than phase one has",
                0 < hit[0] <= active and waves <= 1,
            )
        )
    return rows


def _beside(figures: Sequence[str]) -> str:
    ours, digests, monthly = figures
    return f"{ours} (bump every digest {digests}, monthly by hand {monthly})"


def _refrom(lived: Quarter) -> Refrom:
    if not isinstance(lived.strategy, Refrom):
        raise TypeError(f"{lived.strategy.name} has no rollout")
    return lived.strategy
