"""The plan: for each use of a base one decision, from facts and policy alone.

Pure, total and deterministic: the same facts give the same decisions, in any order.
What each decision means stands in `docs/explanation/how-an-update-travels.md`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.core.advisories import Severity
from bot.core.change import BaseChange, Significance
from bot.core.decision import Action, BaseUse, Current, Decision, Held, Known, Skip, Unwatched, Update, Waiting
from bot.core.digest import Digest
from bot.core.modes import Mode, UpdateMode, effective, rides
from bot.core.observation import Observation
from bot.core.platforms import Platform
from bot.core.policy import Declarations, OnUnknown, Policy, Style, UpdateOn


def plan(
    facts: Iterable[tuple[Known | Unwatched, Policy]], declared: Declarations, now: datetime
) -> tuple[Decision, ...]:
    """Decide every use; the result is ordered by repository, path and line."""
    decisions = (decide(known, policy, declared, now) for known, policy in facts)
    return tuple(sorted(decisions, key=lambda decision: decision.use.sort_key))


def decide(known: Known | Unwatched, policy: Policy, declared: Declarations, now: datetime) -> Decision:
    """Decide one use. The first rule that applies wins."""
    use, mode = known.use, effective(policy.modes, now.date())
    hold = declared.hold_for(
        repository=use.repository, path=use.located.path, runtime=use.runtime or "", today=now.date()
    )
    if hold:
        return Held(use=use, reason=f"held{f' until {hold.until}' if hold.until else ''}: {hold.reason}")
    if mode.mode is Mode.MANUAL:
        return Held(use=use, reason=str(mode))
    if isinstance(known, Unwatched):
        waits = Waiting(use=use, reason=known.fault, until=None)
        return waits if known.passing else Skip(use=use, reason=known.fault)
    if any(declared.is_blocked(digest, now.date()) for digest in _leads_to(known)):
        reason = f"the current base {known.candidate.short} is blocked"
        return Held(use=use, reason=reason, blocked=known.candidate)
    if known.in_use and known.sick:
        return _take_back(known, known.in_use)
    return _pace(known, mode, _decide(known, policy, now), now)


def _decide(known: Known, policy: Policy, now: datetime) -> Decision:
    """Decide a use that nobody stopped, by what differs."""
    if known.in_use is None:
        return _decide_unknown(known, policy, now)
    if known.ahead or (known.change is None and known.in_use in _digests(known)):
        if known.passed_over:
            reason = f"the current base {known.passed_over.short} is blocked, and this is the newest other one"
            return Held(use=known.use, reason=reason, blocked=known.passed_over)
        return Current(use=known.use, reason="ahead of the rollout" if known.ahead else "on the current base")
    return _decide_moved(known, policy, now)


def _take_back(known: Known, blocked: Digest) -> Decision:
    """Leave a blocked base at once for the newest other one, by digest: a moving tag may name what is blocked."""
    reason = f"the base in use, {blocked.short}, is blocked"
    decision = _update(known, Action.BUMP if known.use.fixed else Action.PIN, reason, tag=_undated(known.use))
    match decision:
        case Update() if known.ahead:
            return replace(decision, back=True, behind_since=None)
        case Skip():
            return replace(decision, reason=f"{reason}; it {decision.reason}")
        case _:
            return decision


def _pace(known: Known, mode: UpdateMode, decision: Decision, now: datetime) -> Decision:
    """Let what is due wait for its time, by the update mode and the rollout."""
    if not isinstance(decision, Update):
        return decision
    if mode.mode is Mode.FUNCTION_UPDATE and not rides(known.changed, known.latest.first_seen):
        reason = f"{decision.reason}; mode {mode.mode}: comes with the next change of {known.use.repository}"
        return Waiting(use=known.use, reason=reason, until=None)
    admitted = known.admission
    if admitted and (admitted.opens is None or now < admitted.opens):
        return Waiting(use=known.use, reason=f"{decision.reason}; {admitted.why}", until=admitted.opens)
    return decision


def _decide_unknown(known: Known, policy: Policy, now: datetime) -> Decision:
    """What runs is not known: neither a pin nor a deployed image says it."""
    why = known.fault or "what is deployed is not known"
    if policy.on_unknown is OnUnknown.WAIT:
        return Waiting(use=known.use, reason=f"{why}; policy on_unknown: wait", until=None)
    if rebuilds(known.use, policy, known=False):
        return _update(known, Action.REBUILD, f"{why}: rebuild on the current base")
    return _act(known, policy, f"{why}: pin the current base", now)


def _decide_moved(known: Known, policy: Policy, now: datetime) -> Decision:
    """What is in use is not what the stream has now."""
    if known.change is None:
        why = known.fault or "the base in use could not be compared"
        if policy.on_unknown is OnUnknown.WAIT:
            return Waiting(use=known.use, reason=f"{why}; policy on_unknown: wait", until=None)
        return _act(known, policy, why, now)
    change = known.change
    if change.significance is Significance.NONE:
        return Current(use=known.use, reason="the digest moved, the contents did not")
    why, since = describe(change, policy.min_severity), known.behind_since or now
    if not _is_known_to_matter(change, policy) and change.unassessed:
        why = f"{why}; advisories unknown: {change.unassessed}"
    due, soaked = since + policy.max_age, known.latest.first_seen + policy.soak
    if not matters(change, policy):
        if now < due:
            reason = f"{why}; policy updates on {_wanted(policy)}, or at {policy.max_age.days} days"
            return Waiting(use=known.use, reason=reason, until=due)
        return _act(known, policy, f"age: behind for {(now - since).days} days ({why})", now)
    if now < min(due, soaked):  # a tag that moves daily never soaks, but nothing drifts for ever
        return Waiting(use=known.use, reason=f"{why}; soaking", until=min(due, soaked))
    return _act(known, policy, why, now)


def matters(change: BaseChange, policy: Policy) -> bool:
    """Whether a change is taken before `max_age`; what advisories do not tell is taken, unless policy waits for it."""
    if change.significance is Significance.NONE:
        return False
    unknown = bool(change.unassessed) and policy.on_unknown is not OnUnknown.WAIT
    return unknown or _is_known_to_matter(change, policy)


def _is_known_to_matter(change: BaseChange, policy: Policy) -> bool:
    return change.weigh(policy.min_severity) >= _threshold(policy.update_on)


def describe(change: BaseChange, least: Severity = Severity.LOW) -> str:
    """Say in one line what a change amounts to, such as `language: python 3.13.9 -> 3.13.11`.

    Fixes of less than the least severity are no security; they are told behind.
    """
    significance = change.weigh(least)
    told = [r for r in change.reasons if r.significance is significance and (r.severity is None or r.severity >= least)]
    if not told or significance < Significance.PACKAGES:
        return str(significance)
    severity = f"{change.severity}, " if significance is Significance.SECURITY else ""
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    minor = f"; fixes nothing worse than {change.severity}" if change.severity and not severity else ""
    return f"{significance}: {severity}{told[0].what}{more}{minor}"


def rebuilds(use: BaseUse, policy: Policy, *, known: bool) -> bool:
    """Whether an update of a use is a rebuild on whatever its tag names then; `known` says whether its base is."""
    if use.fixed:
        return False
    return policy.style is Style.TAG or (policy.on_unknown is OnUnknown.REBUILD and not known)


def wants_date(use: BaseUse, policy: Policy) -> bool:
    """Whether an update of a use writes a date-stamped tag: policy says so, or one stands there."""
    return use.dated or policy.style is Style.DATED


def platforms_of(use: BaseUse, latest: Observation) -> tuple[Platform, ...]:
    """The platforms for which a use matters: what its flag or its tag names, else all of the stream."""
    image, flag = use.located.use.lambda_image, use.located.use.platform
    tag = image.tag if image else None
    if tag and tag.architecture:
        return tuple(p for p in latest.platforms if p == Platform.of("linux", tag.architecture))
    if not flag or "$" in flag:
        return tuple(latest.platforms)
    if flag.lower() in ("linux", "windows"):
        return tuple(p for p in latest.platforms if p.os == flag.lower())  # the architecture is the builder's
    return tuple(p for p in latest.platforms if p == Platform.parse(flag))


def _act(known: Known, policy: Policy, reason: str, now: datetime) -> Decision:
    """Bring the reference to the newer base, in the form that it has or that policy wants."""
    use = known.use
    if rebuilds(use, policy, known=True):
        return _update(known, Action.REBUILD, reason)
    action = Action.BUMP if use.fixed else Action.PIN
    if not wants_date(use, policy):
        return _update(known, action, reason)
    if known.dated_tag:
        digest = policy.style is Style.DIGEST or use.pinned is not None
        return _update(known, action, reason, tag=known.dated_tag, writes_digest=digest)
    return _act_without_date(known, policy, action, reason, now)


def _act_without_date(known: Known, policy: Policy, action: Action, reason: str, now: datetime) -> Decision:
    """No date-stamped tag names the newer base: it may still come, but for no longer than `max_age`.

    Then the moving tag is pinned by digest, at once where digests are the style.
    """
    why = f"no date-stamped tag names what {known.latest.reference} has now"
    due = (known.behind_since or now) + policy.max_age
    if policy.style is not Style.DIGEST and now < due:
        return Waiting(use=known.use, reason=f"{reason}; {why}; in the end it is pinned by digest", until=due)
    return _update(known, action, f"{reason}; {why}, so it is pinned by digest", tag=_undated(known.use))


def _undated(use: BaseUse) -> str | None:
    """The moving tag in place of a date-stamped one; None where the tag has no date, so that it stays."""
    image = use.located.use.lambda_image
    return str(image.tag.with_stamp(None)) if image and image.tag and image.tag.stamp else None


def _update(
    known: Known, action: Action, reason: str, *, tag: str | None = None, writes_digest: bool = True
) -> Decision:
    """Make the update, unless it needs an edit that cannot be made safely, or a rebuild would take what is blocked."""
    use = known.use.located.use
    if action is Action.REBUILD and known.passed_over:
        why = f"{known.latest.reference} names {known.passed_over.short}, which is blocked"
        return Held(use=known.use, reason=f"{reason}; {why}", blocked=known.passed_over)
    obstacle = use.cannot_edit or (use.cannot_retag if tag else "")
    if action is not Action.REBUILD and obstacle:
        return Skip(use=known.use, reason=f"cannot be edited: {obstacle}")
    return Update(
        use=known.use,
        action=action,
        reason=reason,
        old=known.in_use,
        new=known.candidate,
        tag=tag,
        writes_digest=writes_digest,
        change=known.change,
        behind_since=known.behind_since if known.in_use else None,
    )


def _leads_to(known: Known) -> tuple[Digest, ...]:
    """Every digest that an update would bring in."""
    platforms = known.latest.platforms
    wanted = platforms_of(known.use, known.latest)
    return (known.candidate, known.latest.digest, *(platforms[platform].digest for platform in wanted))


def _digests(known: Known) -> frozenset[Digest]:
    """Every digest under which the candidate goes: the index and its platforms."""
    return frozenset((known.candidate, known.latest.digest, *(base.digest for base in known.latest.bases)))


def _threshold(update_on: UpdateOn) -> Significance:
    """The least significance to act on."""
    return Significance.METADATA if update_on is UpdateOn.ANY else Significance(update_on.value)


def _wanted(policy: Policy) -> str:
    """What the policy waits for, in words; security is taken in any case."""
    return (
        f"{policy.update_on} of at least {policy.min_severity}"
        if policy.update_on is UpdateOn.SECURITY
        else policy.update_on
    )
