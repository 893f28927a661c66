"""Checks: what the forge runs for our pull requests, as far as a rollout goes by it."""

from collections.abc import Sequence

from bot.core.marker import read_plan
from bot.core.outcome import Outcome, Result
from bot.core.troubles import CHECKS
from bot.ports.forge import PullRequest, PullRequestState
from bot.steps.propose import STEP


def told_checks(seen: Sequence[PullRequest], before: Outcome | None) -> Outcome | None:
    """Say once that the checks of the open pull request fail, and once that what was told `before` is over.

    It is over, too, once another pull request is open, or none: then nobody waits for those checks.
    """
    failing = next((pull for pull in seen if pull.state is PullRequestState.OPEN and pull.fails_checks), None)
    told = before.details if before else {}
    if failing is not None:
        bases = _bases(failing)
        if bases == told.get(CHECKS) and failing.url == told.get("pull_request"):
            return None
        return _outcome(failing, Result.WARNED, f"the checks of {failing.url} fail", bases)
    if before is None:
        return None
    url = told.get("pull_request", "")
    message = f"the checks of {url} fail no longer, or nobody waits for them any more"
    return Outcome(step=STEP, subject=before.subject, result=Result.SETTLED, message=message, details=told)


def _outcome(pull: PullRequest, result: Result, message: str, bases: str) -> Outcome:
    details = {"branch": pull.branch, "pull_request": pull.url, CHECKS: bases}
    return Outcome(step=STEP, subject=pull.repository, result=result, message=message, details=details)


def _bases(pull: PullRequest) -> str:
    """The digests that a pull request brings, by its marker."""
    plan = read_plan(pull.body)
    return " ".join(sorted({str(digest) for digest in plan.bases.values()})) if plan else ""
