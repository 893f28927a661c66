"""REST: pull requests, their comments and labels."""

from tests.lab.github.accounts import ACTIONS, Account
from tests.lab.github.calls import Call, Reply, endpoint
from tests.lab.github.refusals import Gap, Refusal, invalid
from tests.lab.github.repository import Comment, Label, Pull, Repository, Team

_READ, _WRITE = "pull_requests=read", "pull_requests=write"
_TALK = ("issues=write", "pull_requests=write")


@endpoint("pulls/list")
def list_pulls(call: Call) -> Reply:
    """Pull requests by state, head and base, newest first."""
    if unspoken := {"sort", "direction"} & set(call.query):
        raise Gap(f"the fake lists pull requests in GitHub's own order only; pulls/list asked for {unspoken}")
    repository = call.repository(_READ)
    call.hub.settle(repository)
    found = [pull for pull in reversed(repository.pulls.values()) if _is_wanted(call, repository, pull)]
    shown, links = call.page(found, lambda pull: call.shapes.pull(repository, pull))
    return Reply(body=shown, headers=links)


def _is_wanted(call: Call, repository: Repository, pull: Pull) -> bool:
    state, head = call.query.get("state", "open"), call.query.get("head")
    return (
        (state == "all" or (state == "open") == pull.is_open)
        and (head is None or _same_label(repository, pull, head))
        and call.query.get("base", pull.base) == pull.base
    )


def _same_label(repository: Repository, pull: Pull, label: str) -> bool:
    owner, _, branch = label.partition(":")
    return (owner.lower(), branch) == (repository.owner.login.lower(), pull.branch)


@endpoint("pulls/get")
def get_pull(call: Call) -> Reply:
    """One pull request."""
    repository = call.repository(_READ)
    return Reply(body=call.shapes.full_pull(repository, call.pull(repository, "pull_number")))


@endpoint("pulls/create")
def create_pull(call: Call) -> Reply:
    """A new pull request from a branch that has something for another one, and has none open yet."""
    repository = call.repository(_WRITE)
    if call.account.login == ACTIONS and not call.hub.actions_open_pulls:
        raise Refusal(403, "GitHub Actions is not permitted to create or approve pull requests.")
    if call.body.get("draft") and not repository.allows_drafts:
        raise Refusal(422, "Draft pull requests are not supported in this repository.")
    call.hub.settle(repository)
    pull = _new_pull(call, repository)
    repository.pulls[pull.number] = pull
    shape = call.shapes.full_pull(repository, pull)
    return Reply(status=201, body=shape, headers={"Location": shape["url"]})


def _new_pull(call: Call, repository: Repository) -> Pull:
    if "title" not in call.body:
        raise Gap("the fake makes no pull requests out of issues")
    branches, owner = repository.branches(), repository.owner.login
    label, base = call.body["head"], call.body["base"]
    head_owner, _, branch = label.rpartition(":")
    if branch not in branches or head_owner.lower() not in ("", owner.lower()):
        raise invalid("PullRequest", field="head", code="invalid")
    if base not in branches:
        raise invalid("PullRequest", field="base", code="invalid")
    _require_no_double(repository, branch, base)
    if repository.git.reaches(branches[base], branches[branch]):
        raise invalid("PullRequest", message=f"No commits between {base} and {branch}")
    now = call.hub.now()
    return Pull(
        id=call.hub.next_id(),
        number=next(repository.numbers),
        author=call.account,
        title=call.body["title"],
        body=call.body.get("body"),
        branch=branch,
        base=base,
        head=branches[branch],
        base_sha=branches[base],
        fork_point=repository.git.fork_point(branches[base], branches[branch]),
        draft=call.body.get("draft", False),
        created=now,
        updated=now,
    )


def _require_no_double(repository: Repository, branch: str, base: str) -> None:
    if any(pull.is_open and (pull.branch, pull.base) == (branch, base) for pull in repository.pulls.values()):
        message = f"A pull request already exists for {repository.owner.login}:{branch}."
        raise invalid("PullRequest", message=message)


@endpoint("pulls/update")
def update_pull(call: Call) -> Reply:
    """Another title, text, base or state."""
    repository = call.repository(_WRITE)
    pull, body = call.pull(repository, "pull_number"), call.body
    wanted = body.get("state", "open" if pull.is_open else "closed")
    base = body.get("base", pull.base)
    if base != pull.base and base not in repository.branches():
        raise invalid("PullRequest", field="base", code="invalid")
    if wanted == "open" and not pull.is_open:
        _reopen(repository, pull)
    pull.title, pull.body, pull.base = body.get("title", pull.title), body.get("body", pull.body), base
    pull.updated = call.hub.now()
    call.hub.settle(repository)
    if wanted == "closed" and pull.is_open:
        call.hub.close(repository, pull.number)
    return Reply(body=call.shapes.full_pull(repository, pull))


def _reopen(repository: Repository, pull: Pull) -> None:
    if why := _why_not_reopened(repository, pull):
        raise invalid("PullRequest", field="state", code="invalid", message=f"state cannot be changed. {why}")
    _require_no_double(repository, pull.branch, pull.base)
    pull.closed = None


def _why_not_reopened(repository: Repository, pull: Pull) -> str:
    branches = repository.branches()
    tip, base = branches.get(pull.branch), branches.get(pull.base)
    if pull.merged:
        return "The pull request is merged."
    if tip is None or base is None:
        return f"The {pull.branch if tip is None else pull.base} branch has been deleted."
    if not repository.git.reaches(tip, pull.head):
        return f"The {pull.branch} branch was force-pushed or recreated."
    return f"There are no new commits on the {pull.branch} branch." if repository.git.reaches(base, tip) else ""


@endpoint("pulls/request-reviewers")
def request_reviewers(call: Call) -> Reply:
    """Ask people and teams, all or none of them; to ask one again changes nothing."""
    repository = call.repository(_WRITE)
    pull = call.pull(repository, "pull_number")
    people = [_reviewer(call, repository, pull, login) for login in call.body.get("reviewers", ())]
    teams = [_team(call, repository, slug) for slug in call.body.get("team_reviewers", ())]
    pull.reviewers += [account for account in people if account not in pull.reviewers]
    pull.teams += [team for team in teams if team not in pull.teams]
    return Reply(status=201, body=call.shapes.pull(repository, pull))


def _reviewer(call: Call, repository: Repository, pull: Pull, login: str) -> Account:
    account = call.hub.accounts.find(login)
    if account == pull.author:
        raise Refusal(422, "Review cannot be requested from pull request author.")
    if account is None or login.lower() not in repository.collaborators:
        raise _no_collaborator(repository)
    return account


def _team(call: Call, repository: Repository, slug: str) -> Team:
    """Find a team; who may not read the organization's members is told that there is none."""
    if call.token is None or not call.token.may("members=read"):
        raise Refusal(422, f"Could not resolve to a node with the global id of '{slug}'.")
    if slug not in repository.teams:
        raise _no_collaborator(repository)
    return repository.teams[slug]


def _no_collaborator(repository: Repository) -> Refusal:
    said = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not"
    return Refusal(422, f"{said} a collaborator of the {repository.full_name} repository.")


@endpoint("issues/list-comments")
def list_comments(call: Call) -> Reply:
    """Comments, oldest first."""
    repository = call.repository("issues=read", _READ)
    pull = call.pull(repository, "issue_number")
    shown, links = call.page(pull.comments, lambda comment: call.shapes.comment(repository, pull, comment))
    return Reply(body=shown, headers=links)


@endpoint("issues/create-comment")
def create_comment(call: Call) -> Reply:
    """A new comment."""
    repository = call.repository(*_TALK)
    pull = call.pull(repository, "issue_number")
    comment = Comment(id=call.hub.next_id(), author=call.account, body=call.body["body"], created=call.hub.now())
    pull.comments.append(comment)
    shape = call.shapes.comment(repository, pull, comment)
    return Reply(status=201, body=shape, headers={"Location": shape["url"]})


@endpoint("issues/add-labels")
def add_labels(call: Call) -> Reply:
    """More labels; the repository gets those that it has not."""
    repository = call.repository(*_TALK)
    pull = call.pull(repository, "issue_number")
    for item in call.body["labels"]:
        name = item if isinstance(item, str) else item["name"]
        label = repository.labels.setdefault(name.lower(), Label(id=call.hub.next_id(), name=name))
        if label.name not in pull.labels:
            pull.labels.append(label.name)
    return Reply(body=[call.shapes.label(repository, repository.labels[name.lower()]) for name in pull.labels])
