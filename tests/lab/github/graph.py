"""What GraphQL queries see: owners, repositories, branches, pull requests and commits, as objects of the schema."""

from dataclasses import dataclass
from typing import Any

from tests.lab.github.accounts import Account, Token
from tests.lab.github.bare_git import BRANCHES, Commit, Identity
from tests.lab.github.graph_objects import Budget, Objects
from tests.lab.github.graphql import Node, connection
from tests.lab.github.hub import WEB_FLOW, Hub
from tests.lab.github.links import iso, node_id
from tests.lab.github.refusals import FieldRefusal, Gap
from tests.lab.github.repository import Comment, Pull, Repository
from tests.lab.github.shapes import Shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The objects that one caller sees."""

    hub: Hub
    shapes: Shapes
    token: Token
    budget: Budget

    def query(self) -> Node:
        """Return the top of all queries."""
        return {
            "__typename": "Query",
            "viewer": {
                "login": self.token.account.login,
                "id": node_id("U", self.token.account.id),
                "databaseId": self.token.account.id,
            },
            "repository": self.repository,
            "repositoryOwner": self.owner,
            "rateLimit": self._rate_limit,
        }

    def repository(self, owner: str, name: str, *, followRenames: bool = True) -> Node:  # noqa: N803 (GitHub's name)
        """Find a repository by its name, or a former one."""
        return self.repository_node(self.find(f"{owner}/{name}", follow=followRenames))

    def find(self, full_name: str, *, follow: bool = True) -> Repository:
        """Find a repository that the caller may see."""
        found = self.hub.repository(full_name) or (self.hub.renamed(full_name) if follow else None)
        if found is None or not self.hub.may_see(self.token, found):
            raise FieldRefusal("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
        return found

    def owner(self, login: str) -> Node | None:
        """Find an account, with what it owns."""
        found = self.hub.accounts.find(login)
        owned = self.hub.of_owner(login)
        if found is None and not owned:
            return None
        account = found or owned[0].owner
        if account.kind == "Bot":
            return None
        seen = [repository for repository in owned if self.hub.may_see(self.token, repository)]

        def repositories(
            *,
            ownerAffiliations: list[str],  # noqa: N803 (GitHub's name)
            orderBy: Node | None = None,  # noqa: N803 (GitHub's name)
            **page: Any,
        ) -> Node:
            if "OWNER" not in ownerAffiliations or (orderBy and orderBy["field"] != "NAME"):
                raise Gap(f"the fake lists what an account owns by name; asked for {ownerAffiliations} {orderBy}")
            is_reversed = orderBy is not None and orderBy["direction"] == "DESC"
            listed = seen[::-1] if is_reversed else seen
            return connection("repositories", listed, self.repository_node, **page)

        return {"__typename": account.kind, "login": account.login, "repositories": repositories}

    def repository_node(self, repository: Repository) -> Node:
        """Describe a repository."""
        branches = repository.branches()
        default = repository.default_branch
        return {
            "__typename": "Repository",
            "id": node_id("R", repository.id),
            "databaseId": repository.id,
            "name": repository.name,
            "nameWithOwner": repository.full_name,
            "url": f"{self.shapes.site}/{repository.full_name}",
            "isPrivate": repository.visibility != "PUBLIC",
            "isArchived": repository.archived,
            "isDisabled": False,
            "isLocked": False,
            "isFork": repository.fork,
            "visibility": repository.visibility,
            "repositoryTopics": lambda **page: connection(
                "repositoryTopics", repository.topics, lambda name: {"topic": {"name": name}}, **page
            ),
            "refs": lambda **wanted: self._references(repository, **wanted),
            "isEmpty": not branches,
            "autoMergeAllowed": repository.allows_auto_merge,
            "defaultBranchRef": lambda: self.reference(repository, default, branches.get(default)),
            "ref": lambda **named: self._named(repository, named["qualifiedName"]),
            "object": lambda oid=None, expression=None: self._object(repository, oid, expression),
            "pullRequest": lambda number: self._pull(repository, number),
            "pullRequests": lambda **wanted: self._pulls(repository, **wanted),
        }

    def reference(self, repository: Repository, branch: str, oid: str | None) -> Node | None:
        """Describe a branch, None where it is not there."""
        if oid is None:
            return None
        return {
            "__typename": "Ref",
            "id": node_id("REF", f"{repository.id}:{BRANCHES}{branch}"),
            "name": branch,
            "prefix": BRANCHES,
            "target": lambda: self.commit(repository, oid),
            "compare": lambda headRef: self._comparison(repository, oid, headRef),  # noqa: N803 (GitHub's own name)
            "associatedPullRequests": lambda **wanted: self._pulls(repository, headRefName=branch, **wanted),
        }

    def _references(
        self,
        repository: Repository,
        *,
        refPrefix: str,  # noqa: N803 (GitHub's name)
        query: str = "",
        **page: Any,
    ) -> Node:
        """List the branches that have a text anywhere in their names."""
        if refPrefix != BRANCHES:
            raise Gap(f"the fake lists branches only, not {refPrefix}")
        found = [(name, oid) for name, oid in sorted(repository.branches().items()) if query.lower() in name.lower()]
        return connection("refs", found, lambda one: self.reference(repository, *one) or {}, **page)

    def _comparison(self, repository: Repository, base: str, head: str) -> Node | None:
        """Say how a branch stands to another, None where it is not there."""
        tip = repository.branches().get(head.removeprefix(BRANCHES))
        if tip is None:
            return None
        ahead, behind = len(repository.git.commits(base, tip)), len(repository.git.commits(tip, base))
        node = {"__typename": "Comparison", "aheadBy": ahead, "behindBy": behind}
        return {**node, "headTarget": lambda: self.commit(repository, tip)}

    def commit(self, repository: Repository, oid: str) -> Node:
        """Describe a commit."""
        url = f"{self.shapes.site}/{repository.full_name}/commit/{oid}"
        stored: list[Commit] = []
        objects = Objects(repository=repository, budget=self.budget, longest=self.hub.longest_text)

        def read() -> Commit:
            if not stored:
                stored.append(repository.git.commit(oid))
            return stored[0]

        return {
            "__typename": "Commit",
            "id": node_id("C", oid),
            "oid": oid,
            "url": url,
            "commitUrl": url,
            "message": lambda: read().message,
            "messageHeadline": lambda: read().message.partition("\n")[0],
            "messageBody": lambda: read().message.partition("\n")[2].strip("\n"),
            "tree": lambda: objects.find(read().tree),
            "author": lambda: self._actor(read().author),
            "committer": lambda: self._actor(read().committer),
            "committedDate": lambda: iso(read().committer.at),
            "history": lambda **page: connection(
                "history", repository.git.log(oid), lambda one: self.commit(repository, one), **page
            ),
            "statusCheckRollup": lambda: self._rollup(repository, oid),
            "parents": lambda **page: connection(
                "parents", read().parents, lambda parent: self.commit(repository, parent), **page
            ),
        }

    def pull(self, repository: Repository, pull: Pull) -> Node:
        """Describe a pull request."""
        branches = repository.branches()
        return {
            "__typename": "PullRequest",
            "id": node_id("PR", pull.id),
            "databaseId": pull.id,
            "number": pull.number,
            "title": pull.title,
            "body": pull.body or "",
            "url": self.shapes.pull_html(repository, pull),
            "state": _state(pull),
            "closed": not pull.is_open,
            "merged": pull.merged is not None,
            "isDraft": pull.draft,
            "isCrossRepository": False,
            "createdAt": iso(pull.created),
            "updatedAt": iso(pull.updated),
            "closedAt": pull.closed and iso(pull.closed),
            "mergedAt": pull.merged and iso(pull.merged),
            "headRefName": pull.branch,
            "headRefOid": pull.head,
            "headRef": lambda: self.reference(repository, pull.branch, branches.get(pull.branch)),
            "baseRefName": pull.base,
            "baseRefOid": pull.base_sha,
            "baseRef": lambda: self.reference(repository, pull.base, branches.get(pull.base)),
            "author": {"__typename": pull.author.kind, "login": pull.author.login},
            "autoMergeRequest": pull.auto_merge and {"mergeMethod": pull.auto_merge[1]},
            "mergeable": lambda: {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}[repository.mergeable(pull)],
            "comments": lambda **page: connection("comments", pull.comments, self._comment, **page),
            "commits": lambda **page: self._commits(repository, pull, **page),
            "labels": lambda **page: _labels(pull, **page),
        }

    def _pulls(
        self,
        repository: Repository,
        *,
        headRefName: str | None = None,  # noqa: N803 (GitHub's name)
        baseRefName: str | None = None,  # noqa: N803 (GitHub's name)
        states: list[str] | None = None,
        orderBy: Node | None = None,  # noqa: N803 (GitHub's name)
        **page: Any,
    ) -> Node:
        if orderBy and orderBy["field"] != "CREATED_AT":
            raise Gap(f"the fake orders pull requests by their creation only; asked for {orderBy}")
        self._require(repository, "pull_requests=read")
        self.hub.settle(repository)
        found = [
            pull
            for pull in repository.pulls.values()
            if headRefName in (None, pull.branch) and baseRefName in (None, pull.base)
            if not states or _state(pull) in states
        ]
        if orderBy and orderBy["direction"] == "DESC":
            found.reverse()
        return connection("pullRequests", found, lambda pull: self.pull(repository, pull), **page)

    def _pull(self, repository: Repository, number: int) -> Node:
        self._require(repository, "pull_requests=read")
        pull = self.hub.pull(repository, number)
        if pull is None:
            raise FieldRefusal("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
        return self.pull(repository, pull)

    def _comment(self, comment: Comment) -> Node:
        return {
            "__typename": "IssueComment",
            "id": node_id("IC", comment.id),
            "body": comment.body,
            "createdAt": iso(comment.created),
            "author": {"__typename": comment.author.kind, "login": comment.author.login.removesuffix("[bot]")},
            "viewerDidAuthor": comment.author == self.token.account,
        }

    def _commits(self, repository: Repository, pull: Pull, **page: Any) -> Node:
        oids = repository.git.commits(pull.fork_point, pull.head)
        return connection("commits", oids, lambda oid: {"commit": self.commit(repository, oid)}, **page)

    def _named(self, repository: Repository, qualified: str) -> Node | None:
        name = qualified if qualified.startswith("refs/") else f"{BRANCHES}{qualified}"
        if not name.startswith(BRANCHES):
            raise Gap(f"the fake shows branches only, not {qualified}")
        branch = name.removeprefix(BRANCHES)
        return self.reference(repository, branch, repository.branches().get(branch))

    def _object(self, repository: Repository, oid: str | None, expression: str | None) -> Node | None:
        self._require(repository, "contents=read")
        objects = Objects(repository=repository, budget=self.budget, longest=self.hub.longest_text)
        if oid is not None and expression is None:
            return self.commit(repository, oid) if repository.git.kind(oid) == "commit" else objects.find(oid)
        commit, colon, path = (expression or "").partition(":")
        if oid is not None or not colon:
            raise Gap("the fake finds objects by their id, or as COMMIT:PATH")
        return objects.at(repository.git.commit(commit).tree, path) if repository.git.kind(commit) == "commit" else None

    def _actor(self, identity: Identity) -> Node:
        """Describe who made a commit; a bot is no user."""
        account = self.hub.accounts.by_email(identity.email)
        if (identity.name, identity.email) == WEB_FLOW:
            account = Account(id=0, login="web-flow")
        is_user = account is not None and account.kind == "User"
        return {
            "name": identity.name,
            "email": identity.email,
            "date": iso(identity.at),
            "user": {"__typename": "User", "login": account.login} if account and is_user else None,
        }

    def _rollup(self, repository: Repository, oid: str) -> Node | None:
        """Say what the newest status of each context and the newest check run of each name come to."""
        for permission in ("statuses=read", "checks=read"):
            self._require(repository, permission)
        statuses = {status["context"]: status["state"] for status in repository.statuses.get(oid, ())}
        runs = {run["name"]: run["conclusion"] or "pending" for run in repository.check_runs.get(oid, ())}
        states = {*statuses.values(), *runs.values()}
        if unspoken := states - {"success", "failure", "error", "pending"}:
            raise Gap(f"the fake adds up no {', '.join(sorted(unspoken))}")
        worst = next((state for state in ("error", "failure", "pending", "success") if state in states), None)
        return {"__typename": "StatusCheckRollup", "state": worst.upper()} if worst else None

    def _require(self, repository: Repository, permission: str) -> None:
        """Let anybody read what is public."""
        if repository.private and not self.token.may(permission):
            raise FieldRefusal("FORBIDDEN", f"Resource not accessible by {self.token.kind_name}")

    def _rate_limit(self) -> Node:
        quota = self.hub.limits.quota(self.token, "graphql")
        return {"limit": quota.limit, "remaining": quota.remaining, "used": quota.used, "cost": 1}


def _labels(pull: Pull, *, orderBy: Node, **page: Any) -> Node:  # noqa: N803 (GitHub's name)
    """List the labels of a pull request in the only order that was ever asked for, the schema's own."""
    if orderBy != {"field": "CREATED_AT", "direction": "ASC"}:
        raise Gap(f"the fake lists labels in their own order; asked for {orderBy}")
    return connection("labels", pull.labels, lambda name: {"name": name}, **page)


def _state(pull: Pull) -> str:
    return "MERGED" if pull.merged else "OPEN" if pull.is_open else "CLOSED"
