"""Where the rollout of one stream stands, as people are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.decision import Current, Decision, Skip, Update
from bot.core.rollout import Phase, Rollout, RolloutPolicy, Troubles, phase


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutReport:
    """How far one rollout is: `wave` of `waves` are open, the next one opens at `opens`, and how many uses took it.

    `soaks` says that nobody in phase one is asked to take it any more, so that only time has to pass.
    """

    rollout: Rollout
    phase: Phase
    wave: int
    waves: int
    opens: datetime | None
    reason: str
    taken: int
    waiting: int
    soaks: bool = False


def report_of(
    rules: RolloutPolicy, rollout: Rollout, troubles: Troubles, decisions: Iterable[Decision], now: datetime
) -> RolloutReport:
    """Say where a rollout stands; what refrom cannot handle counts neither as taken nor as waiting."""
    mine = [d for d in decisions if d.use.runtime == rollout.runtime and not isinstance(d, Skip)]
    where, opened = phase(rules, rollout, troubles, now)
    taken = sum(isinstance(decision, Current) for decision in mine)
    moves = where in (Phase.ONE, Phase.WAVES) and opened <= len(rules.waves)
    opens = rollout.opens(rules, opened) if moves else None
    return RolloutReport(
        rollout=rollout,
        phase=where,
        wave=opened,
        waves=len(rules.waves) + 1,
        opens=opens,
        reason=troubles.halt(rules),
        taken=taken,
        waiting=len(mine) - taken,
        soaks=where is Phase.ONE and not any(isinstance(decision, Update) for decision in mine),
    )
