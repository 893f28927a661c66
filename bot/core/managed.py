"""What the customer owes for a managed runtime: the three rows of the table that are no container image.

Three assumptions, where AWS names no date (`max_age` is what the SLO gives for anything, else the policy):

- Mode FunctionUpdate asks for regular updates: one is due `max_age` after the last change of code or configuration.
- Mode Manual has no end in AWS: it is due to end `max_age` after that change, because when the mode was set is not
  told (that setting it leaves LastModified alone is UNVERIFIED), or on the day that a declaration of ours names.
- AWS tells of a deprecation at least 180 days ahead; so long before it the duty to move off is shown.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from bot.core.management import Management, UpdateRuntimeOn
from bot.core.responsibility import Duty, Evidence, Finding, Served, State, Verdict
from bot.core.rows import Row

ROLL_BACK: Final = "roll back a runtime version that is incompatible"
UPDATE: Final = "update the function regularly"
UPDATE_PACKAGE: Final = "update the runtime in its own package regularly"
LEAVE_MANUAL: Final = "return to Auto or Function update"
FIND_MODE: Final = "know the update mode"
MOVE_OFF: Final = "move off a deprecated runtime"

_NOTICE: Final = timedelta(days=180)
_SKEW: Final = timedelta(minutes=5)
"""How far clocks may be apart; AWS itself refuses requests signed with a clock that is further off."""
_ROWS: Final = {
    UpdateRuntimeOn.AUTO: Row.MANAGED_AUTO,
    UpdateRuntimeOn.FUNCTION_UPDATE: Row.MANAGED_FUNCTION_UPDATE,
    UpdateRuntimeOn.MANUAL: Row.MANAGED_MANUAL,
}


def judge_managed(evidence: Evidence, management: Management, max_age: timedelta, now: datetime) -> Finding:
    """Judge one version of a function with a managed runtime; pure, for evidence of any completeness.

    `management` becomes part of the evidence, and its update mode the mode.
    """
    verdict = _verdict(management)
    served = Served(version=evidence.version, weight=1.0, verdict=verdict, base=None)
    return Finding(
        evidence=replace(evidence, management=management, mode=_mode(management)),
        verdict=verdict,
        base_age_days=None,
        duties=tuple(_duties(evidence, management, max_age, now)),
        serves=(served,),
        row=row_of(management),
    )


def row_of(management: Management) -> Row:
    """The row of the table; where a Region has no runtime management, Lambda updates as in mode Auto."""
    if not management.offered:
        return Row.MANAGED_AUTO
    return _ROWS[management.update_on] if management.update_on else Row.MANAGED_UNKNOWN


def _mode(management: Management) -> str | None:
    if not management.offered:
        return UpdateRuntimeOn.AUTO.mode
    return management.update_on.mode if management.update_on else None


def _verdict(management: Management) -> Verdict:
    """Compare by number with the newest of the line that was seen; AWS publishes no list of what is newest."""
    version, newest = management.version, management.newest_seen
    if version is None or newest is None or newest.line != version.line:
        return Verdict.UNKNOWN
    return Verdict.BEHIND if version.number < newest.number else Verdict.CURRENT


def _duties(evidence: Evidence, management: Management, max_age: timedelta, now: datetime) -> Iterator[Duty]:
    match row_of(management):
        case Row.MANAGED_AUTO:
            yield Duty(duty=ROLL_BACK, state=State.MET)
        case Row.MANAGED_FUNCTION_UPDATE:
            yield _since_change(UPDATE, evidence, max_age, now)
        case Row.MANAGED_MANUAL:
            yield _manual(evidence, max_age, now)
        case _:
            yield Duty(duty=FIND_MODE, state=State.UNKNOWN, why=management.mode_unread or evidence.fault)
    if (evidence.runtime or "").startswith("provided"):
        yield _since_change(UPDATE_PACKAGE, evidence, max_age, now)
    yield from _deprecated(evidence, management, now.date())


def _since_change(duty: str, evidence: Evidence, max_age: timedelta, now: datetime) -> Duty:
    """Due so long after the last change; a hold of a person excepts it."""
    if evidence.held:
        return Duty(duty=duty, state=State.EXCEPTED, why=evidence.held, until=evidence.held_until)
    if evidence.redeployed is None:
        return Duty(duty=duty, state=State.UNKNOWN, why="Lambda names no time of its last change")
    if evidence.redeployed > now + _SKEW:
        why = f"its last change, {evidence.redeployed:%Y-%m-%d %H:%M} UTC, lies in the future; check the clock here"
        return Duty(duty=duty, state=State.UNKNOWN, why=why)
    return Duty.by(duty, evidence.redeployed + max_age - now)


def _manual(evidence: Evidence, max_age: timedelta, now: datetime) -> Duty:
    """Due by the day that a person declared, over or not; without one like a regular update."""
    until = evidence.manual.until if evidence.manual else None
    if until is not None and not evidence.held:
        return Duty.by_day(LEAVE_MANUAL, until, now.date(), f"its mode manual was declared until {until}")
    return _since_change(LEAVE_MANUAL, evidence, max_age, now)


def _deprecated(evidence: Evidence, management: Management, today: date) -> Iterator[Duty]:
    """Nothing while the deprecation is far away, or AWS has named no day for it."""
    if management.runtime is None:
        why = f"runtime {evidence.runtime} is not in the catalogue; add it to the file that runtimes.catalogue names"
        yield Duty(duty=MOVE_OFF, state=State.UNKNOWN, why=why)
        return
    last = management.runtime.deprecation
    if last is not None and today > last - _NOTICE:
        yield Duty.by_day(MOVE_OFF, last, today, _blocks(management))


def _blocks(management: Management) -> str:
    runtime = management.runtime
    if runtime is None or runtime.block_update is None:
        return ""
    return f"updates of functions on {runtime.identifier} are blocked from {runtime.block_update}"
