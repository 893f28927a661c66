"""Taken back: find what was, by the marks of aliases, and tell the pull request that brought it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from bot.core.deployment import Mark
from bot.core.errors import RefromError
from bot.core.marker import read_plan, use_name
from bot.core.observation import KnownBase
from bot.core.outcome import Outcome, Result
from bot.core.proposals import WHOLE, GroupBy
from bot.core.taken_back import TakenBack
from bot.core.target import Target
from bot.ports.deployer import Function
from bot.ports.forge import PullRequest, PullRequestState
from bot.steps.inquire import Inquiry
from bot.steps.redeploy import alias_of

_LATELY: Final = timedelta(days=1)
"""How far back the journal is asked why; the comment is made in the first run after the rollback."""


def find_taken_back(target: Target, inquiry: Inquiry) -> TakenBack | None:
    """Read whether a version was taken back from a target's alias that stands on another base than what serves now."""
    functions = inquiry.world.functions
    alias = alias_of(target, functions)
    mark = Mark.read(alias.description) if alias else None
    if alias is None or mark is None or mark.old is not None or mark.new == alias.version:
        return None
    left = functions.function(target.function, mark.new)
    base = _base_of(left, inquiry)
    served = _base_of(functions.function(target.function, alias.version), inquiry)
    if left.image is None or base is None or (served and served.digests & base.digests):
        return None
    return TakenBack(
        function=target.function,
        arn=left.arn,
        alias=alias,
        version=mark.new,
        since=mark.since,
        image=left.image,
        base=base,
    )


def find_all_taken_back(targets: Iterable[Target], inquiry: Inquiry) -> tuple[tuple[TakenBack, ...], str]:
    """Read the marks of many aliases; the text says what could not be read now, empty if nothing.

    What will not be readable later either (a function that is gone, a version that was deleted) is told by the tick of
    that function, and halts no others.
    """
    found: list[TakenBack] = []
    unread = ""
    for target in targets:
        try:
            one = find_taken_back(target, inquiry)
        except RefromError as fault:
            if fault.retryable and not unread:
                unread = f"whether {target.function} was taken back cannot be read now: {fault}"
            continue
        found += [one] if one else []
    return tuple(found), unread


def tell(target: Target, found: TakenBack, inquiry: Inquiry, now: datetime) -> Outcome | None:
    """Tell the merged pull request that brought the base, once; where no pull request of ours did, nobody is told."""
    pull_request = _brought_by(target, found, inquiry)
    if pull_request is None:
        return None
    text = found.comment(_why(found, inquiry, now))
    if not inquiry.world.pull_requests.comment_once(pull_request, mark=found.mark, text=text):
        return None
    return Outcome(
        step="redeploy",
        subject=target.function,
        result=Result.COMMENTED,
        message=f"the pull request that brought {found.base.reference} is told: version {found.version} was taken back",
        details={"pull_request": pull_request.url},
    )


def _brought_by(target: Target, found: TakenBack, inquiry: Inquiry) -> PullRequest | None:
    """Find the newest pull request that was merged and whose plan brings this use of the target to the base."""
    use, policy = inquiry.base_use(target), inquiry.rules.pull_requests
    survey = inquiry.surveys.get(target.repository)
    if use is None or survey is None or survey.repository.read_only:
        return None
    group = WHOLE if policy.group_by is GroupBy.REPOSITORY else use.runtime
    pulls = inquiry.world.forge.pull_requests(target.repository, policy.branch_of(group)) if group else ()
    for pull in pulls:
        plan = read_plan(pull.body) if pull.state is PullRequestState.MERGED else None
        if plan and plan.bases.get(use_name(use)) in found.bases:
            return pull
    return None


def _why(found: TakenBack, inquiry: Inquiry, now: datetime) -> str:
    """What the journal says of it, which may be lost; the comment is made all the same."""
    lately = inquiry.world.journal.since(max(found.since, now - _LATELY))
    back = [o.message for _, o in lately if (o.details.get("arn"), o.result) == (found.arn, Result.ROLLED_BACK)]
    return back[-1] if back else ""


def _base_of(function: Function, inquiry: Inquiry) -> KnownBase | None:
    return inquiry.lineage(function.image, function.platform).base if function.image else None
