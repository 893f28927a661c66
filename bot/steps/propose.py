"""Propose: at most one pull request for each source repository, reconciled with what is open."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bot.core.carriers import repoint_file
from bot.core.dockerfile import Repoint
from bot.core.errors import ForgeError
from bot.core.outcome import Outcome, Result
from bot.core.plan import Action, Update
from bot.core.pull_request import BRANCH, Text, is_told, read_marker, steps_of, write
from bot.ports.forge import Forge, PullRequest, PullRequests, PullRequestState
from bot.steps.survey import Survey


def propose(
    survey: Survey, updates: Sequence[Update], forge: Forge, pull_requests: PullRequests, *, complete: bool = True
) -> Outcome | None:
    """Bring the pull request of one repository to what the plan wants, with at most one change.

    `updates` are the bumps and pins of this repository; none means that nothing should be open.
    Unless they are `complete`, what is open stays as it is: an outage is no reason to close or shrink it.
    Raises `ForgeError`, or `DockerfileError` if an edit would change more than the references meant.
    """
    repository = survey.repository
    known = forge.pull_requests(repository.name, BRANCH)
    current = next((p for p in known if p.state is PullRequestState.OPEN), None)
    if current and not complete:
        return _unchanged(repository.name, f"{current.url} stays as it is: not every base could be read")
    if not updates:
        return _close(current, pull_requests) if current else None
    text, steps = write(updates), steps_of(updates)
    if current is None:
        if _was_refused(known, updates):
            return _unchanged(repository.name, "a person closed the pull request for this base; not opened again")
        return _create(survey, updates, text, pull_requests)
    if not current.by_us:
        return _unchanged(repository.name, f"{current.url} was changed by a person; left alone")
    if read_marker(current.body) == steps and is_told(current.body, updates):
        return _unchanged(repository.name, f"{current.url} is up to date")
    refreshed = pull_requests.refresh(
        current, commit=repository.commit, files=edit(survey, updates), title=text.title, body=text.body
    )
    return _outcome(Result.REFRESHED, refreshed, f"refreshed {refreshed.url}: {text.title}")


def edit(survey: Survey, updates: Sequence[Update]) -> Mapping[str, bytes]:
    """Return the new contents of the files that the updates touch; every other byte stays."""
    by_path: dict[str, list[Repoint]] = defaultdict(list)
    for update in updates:
        if update.action is Action.REBUILD:
            raise ForgeError(f"{update.use.located.path}: a rebuild edits nothing")
        digest = update.new if update.writes_digest else None
        by_path[update.use.located.path].append(Repoint(use=update.use.located.use, tag=update.tag, digest=digest))
    return {
        path: repoint_file(path, survey.files[path], changes, mirrors=survey.mirrors)
        for path, changes in by_path.items()
    }


def _create(survey: Survey, updates: Sequence[Update], text: Text, pull_requests: PullRequests) -> Outcome:
    repository = survey.repository
    opened = pull_requests.create(
        repository=repository.name,
        branch=BRANCH,
        base=repository.default_branch,
        commit=repository.commit,
        files=edit(survey, updates),
        title=text.title,
        body=text.body,
    )
    return _outcome(Result.OPENED, opened, f"opened {opened.url}: {text.title}")


def _close(current: PullRequest, pull_requests: PullRequests) -> Outcome:
    if not current.by_us:
        return _unchanged(current.repository, f"{current.url} was changed by a person; left alone")
    pull_requests.close(current, comment="Closed: the base image in use needs no update any more.")
    return _outcome(Result.CLOSED, current, f"closed {current.url}: no update is needed any more")


def _was_refused(known: Sequence[PullRequest], updates: Sequence[Update]) -> bool:
    """Whether a person closed a pull request that stood for all of this."""
    refused = [p for p in known if p.state is PullRequestState.CLOSED and not p.closed_by_us]
    answered = {step for pull_request in refused for step in read_marker(pull_request.body) or ()}
    return set(steps_of(updates)) <= answered


def _unchanged(repository: str, message: str) -> Outcome:
    return Outcome(step="propose", subject=repository, result=Result.UNCHANGED, message=message)


def _outcome(result: Result, pull_request: PullRequest, message: str) -> Outcome:
    details = {"pull_request": pull_request.url}
    return Outcome(step="propose", subject=pull_request.repository, result=result, message=message, details=details)
