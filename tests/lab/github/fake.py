"""A GitHub for tests: REST, GraphQL and git on one loopback port, over bare repositories in a folder.

Persons work on the repositories with plain git (`tests.adapters.forge.world.BareRepositories` takes `root`), or with
the buttons here. Every exchange is held to GitHub's own descriptions; leaving the block with a violation fails.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from bot.adapters.engine.clock import SystemClock
from bot.ports.clock import Clock
from tests.lab.github import git_http
from tests.lab.github.accounts import Accounts, Permissions
from tests.lab.github.bare_git import BRANCHES, REGULAR, ZERO, BareGit, Entry, Move
from tests.lab.github.door_graphql import GraphqlDoor
from tests.lab.github.door_rest import RestDoor
from tests.lab.github.faults import Faults
from tests.lab.github.fleet import Fleet, Use
from tests.lab.github.hub import Hub
from tests.lab.github.lazy_git import LazyGit
from tests.lab.github.ledger import Exchange, Ledger
from tests.lab.github.openapi import rest_api
from tests.lab.github.repository import Comment, Label, Pull, Repository, Team
from tests.lab.github.rest_actions import end_run
from tests.lab.web import Answer, Asked, Web, serve

_GRAPHQL = ("/graphql", "/api/graphql")
_EVERYTHING: Permissions = {
    "actions": "write",
    "checks": "write",
    "contents": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


@dataclass(slots=True)
class Population:
    """The repositories of a fleet as they stand."""

    fleet: Fleet
    gits: list[LazyGit] = field(default_factory=list)

    def change(self, count: int) -> list[str]:
        """Push a changed Dockerfile to the default branch of the first repositories that use a Lambda base."""
        usable = (n for n, git in enumerate(self.gits) if self.fleet.has_lambda(n) and not git.is_on_disk)
        changed = list(islice(usable, count))
        for number in changed:
            self.gits[number].advance()
        return [self.fleet.name(number) for number in changed]

    def uses(self) -> dict[str, tuple[Use, ...]]:
        """Return the Lambda bases that are used, by repository."""
        numbers = (number for number in range(self.fleet.size) if self.fleet.has_lambda(number))
        return {self.fleet.name(number): self.fleet.contents(number).uses for number in numbers}


class FakeGitHub:
    """A running GitHub; `root` is the folder of its repositories, `OWNER/NAME.git`."""

    def __init__(self, hub: Hub, ledger: Ledger, web: Web) -> None:
        self.root = hub.root
        self._hub, self._ledger, self._web = hub, ledger, web

    @property
    def url(self) -> str:
        """Where the API is as on api.github.com, and git, too."""
        return self._web.url

    @property
    def enterprise_url(self) -> str:
        """Where the API is as on an Enterprise Server."""
        return f"{self._web.url}/api/v3"

    # What happened

    @property
    def faults(self) -> Faults:
        """Trouble to plan."""
        return self._ledger.faults

    @property
    def log(self) -> Sequence[Exchange]:
        """All exchanges so far."""
        return tuple(self._ledger.exchanges)

    @property
    def exchanges(self) -> Counter[str]:
        """How many exchanges there were, by operation."""
        return self._ledger.counts

    @property
    def violations(self) -> list[str]:
        """What broke GitHub's descriptions, or the fake; a test that provokes one takes it out of the list."""
        return self._ledger.violations

    @property
    def writes(self) -> list[str]:
        """The requests so far that would change something, done or refused, as `METHOD path (operation)`."""
        return [f"{one.method} {one.path} ({one.operation})" for one in self.log if one.writes]

    @property
    def dispatches(self) -> list[dict[str, object]]:
        """The workflows and events that were started."""
        return self._hub.dispatches

    def end_run(self, repository: str, conclusion: str) -> None:
        """Let the workflow run of a repository that was started last end, with success, failure, cancelled ..."""
        end_run(self._hub, repository, conclusion)

    def requests(self, *methods: str) -> list[str]:
        """The requests so far as `METHOD path`, of some methods or of all."""
        return self._web.asked(*methods)

    # Accounts

    def organization(self, name: str) -> None:
        """Make an organization; owners of repositories that nobody made are ones, too."""
        self._hub.accounts.account(name, "Organization")

    def user(self, name: str) -> None:
        """Make a user."""
        self._hub.accounts.account(name, "User")

    def token(
        self,
        login: str = "refrom[bot]",
        permissions: Permissions | None = None,
        repositories: Sequence[str] | None = None,
        scopes: str = "repo",
    ) -> str:
        """Issue a token: a workflow's or an App's for a login that ends in `[bot]`, else a person's classic one.

        `permissions` None is all that there are, `repositories` None is all repositories; `scopes` are only told.
        """
        account = self._hub.accounts.account(login, "User")
        reach = None if repositories is None else frozenset(repositories)
        token = self._hub.accounts.issue(account, permissions, reach)
        token.scopes = scopes
        return token.value

    def expire(self, token: str) -> None:
        """Let a token be of no use any more."""
        self._hub.accounts.expire(token)

    def app(
        self, slug: str = "refrom", installations: Mapping[str, Permissions | None] | None = None
    ) -> tuple[int, str]:
        """Register a GitHub App that is installed on accounts, with permissions each, None being all that it needs.

        Returns the App's id and its private key in PEM.
        """
        granted = {login: permissions or _EVERYTHING for login, permissions in (installations or {}).items()}
        app, key = self._hub.accounts.new_app(slug, granted)
        return app.id, key

    # Repositories

    def create_repository(
        self,
        name: str,
        files: Mapping[str, bytes],
        branch: str = "main",
        *,
        private: bool = False,
        internal: bool = False,
        archived: bool = False,
        fork: bool = False,
        topics: Sequence[str] = (),
    ) -> str:
        """Create a repository with one commit of plain files, and return that commit; no files, no commit."""
        path = self.root / f"{name}.git"
        BareGit.create(path, branch)
        repository = self._repository(name)
        repository.private, repository.internal, repository.archived = private, internal, archived
        repository.fork, repository.topics = fork, tuple(topics)
        if not files:
            return ""
        git, by = repository.git, self._hub.web_flow()
        entries = [Entry(path=p, mode=REGULAR, kind="blob", oid=git.write_blob(c)) for p, c in files.items()]
        tree = git.write_tree(None, entries)
        commit = git.write_commit(tree=tree, parents=(), author=by, committer=by, message="Initial commit")
        git.move([Move(name=f"{BRANCHES}{branch}", old=ZERO, new=commit)])
        return commit

    def populate(self, fleet: Fleet) -> "Population":
        """Let all repositories of a fleet be there; one comes to be on disk once it is cloned or written to."""
        population, now = Population(fleet), self._hub.now()
        for number in range(fleet.size):
            name, files = fleet.name(number), partial(fleet.files, number)
            git = LazyGit(self.root / f"{name}.git", files, now)
            population.gits.append(git)
            self._hub.add(
                Repository(
                    id=self._hub.next_id(),
                    owner=self._hub.accounts.account(fleet.owner),
                    name=name.partition("/")[2],
                    git=git,
                    created=now,
                    archived=fleet.is_archived(number),
                    fork=fleet.is_fork(number),
                    topics=fleet.topics(number),
                )
            )
        return population

    def rename_repository(self, old: str, new: str) -> None:
        """Give a repository another name, or another owner; the old name leads to it."""
        with self._hub.lock:
            owner, _, name = new.partition("/")
            self._hub.rename(self._repository(old), owner, name)

    def archive(self, name: str, *, archived: bool = True) -> None:
        """Make a repository read-only, or end that."""
        self._repository(name).archived = archived

    def protect(self, name: str, branch: str) -> None:
        """Let a branch be changed by pull requests only."""
        self._repository(name).protected.add(branch)

    def unprotect(self, name: str, branch: str) -> None:
        """End what `protect` began."""
        self._repository(name).protected.discard(branch)

    def allow_auto_merge(self, name: str) -> None:
        """Let pull requests of a repository merge themselves."""
        self._repository(name).allows_auto_merge = True

    def require_nothing_more(self, name: str) -> None:
        """Let all that is required have passed for the pull requests of a repository."""
        self._repository(name).all_passed = True

    def forbid(self, name: str, *, drafts: bool = False, merge_method: str = "") -> None:
        """Let a repository have no drafts, or not be merged into with a method, such as `SQUASH`."""
        repository = self._repository(name)
        repository.allows_drafts = not drafts
        repository.merge_methods.discard(merge_method)

    def add_collaborator(self, name: str, login: str) -> None:
        """Let a user review pull requests of a repository."""
        self.user(login)
        self._repository(name).collaborators.add(login.lower())

    def add_team(self, name: str, slug: str) -> None:
        """Let a team of the repository's owner review pull requests of a repository."""
        self._repository(name).teams[slug] = Team(id=self._hub.next_id(), slug=slug)

    def let_actions_open_pulls(self, allowed: bool) -> None:
        """Decide whether a workflow's own token may create pull requests."""
        self._hub.actions_open_pulls = allowed

    def truncate_trees(self, entries: int) -> None:
        """Cut recursive trees after so many entries; GitHub does after 100,000."""
        self._hub.largest_tree = entries

    def give_up_after(self, points: int) -> None:
        """Give up on GraphQL queries whose answers have more points: entries of trees, blobs, 100 bytes of text."""
        self._hub.largest_answer = points

    def cut_texts(self, longest: int) -> None:
        """Cut the texts that GraphQL gives after so many bytes."""
        self._hub.longest_text = longest

    def limit(self, hourly: int) -> None:
        """Set the quota of the hours that begin from now on."""
        self._hub.limits.hourly = hourly

    def limit_creations(self, *, a_minute: int = 80, an_hour: int = 500) -> None:
        """Count what changes something from now on, and refuse with a secondary limit what is too much."""
        self._hub.limits.creations = (a_minute, an_hour)

    @property
    def refused_creations(self) -> tuple[int, int]:
        """How many requests were too much, and how many of these came before the caller had waited as it was told."""
        return self._hub.limits.refused, self._hub.limits.hasty

    def default_branch(self, name: str) -> str:
        """Return the name of a repository's default branch."""
        return self._repository(name).default_branch

    def rename_branch(self, name: str, old: str, new: str) -> None:
        """Rename a branch as its page does: pull requests from and into it follow."""
        with self._hub.lock:
            self._hub.rename_branch(self._repository(name), old, new)

    # Pull requests

    def merge(self, name: str, number: int, by: str = "ada") -> str:
        """Press the merge button, and return the merge commit."""
        with self._hub.lock:
            return self._hub.merge(self._repository(name), number, self._hub.accounts.account(by, "User"))

    def close(self, name: str, number: int) -> None:
        """Press the close button."""
        with self._hub.lock:
            self._hub.close(self._repository(name), number)

    def forget_pull_request(self, name: str, number: int) -> None:
        """Let a pull request never have been; its branch stays."""
        with self._hub.lock:
            del self._repository(name).pulls[number]

    def settle(self, name: str) -> None:
        """Look at the branches now: what persons did before and do after are two things then."""
        with self._hub.lock:
            self._hub.settle(self._repository(name))

    def pulls(self, name: str) -> list[Pull]:
        """Return the pull requests of a repository as they stand, oldest first."""
        with self._hub.lock:
            repository = self._repository(name)
            self._hub.settle(repository)
            return list(repository.pulls.values())

    def branches(self, name: str) -> list[str]:
        """Return the names of a repository's branches."""
        return list(self._repository(name).branches())

    def comments(self, name: str, number: int) -> list[Comment]:
        """Return the comments on a pull request."""
        return list(self._repository(name).pulls[number].comments)

    def labels(self, name: str, number: int) -> list[str]:
        """Return the labels of a pull request."""
        return list(self._repository(name).pulls[number].labels)

    def comment(self, name: str, number: int, body: str, by: str = "ada") -> None:
        """Let a person comment on a pull request."""
        author = self._hub.accounts.account(by, "User")
        made = Comment(id=self._hub.next_id(), author=author, body=body, created=self._hub.now())
        self._repository(name).pulls[number].comments.append(made)

    def reviewers(self, name: str, number: int) -> list[str]:
        """Return who was asked to review a pull request: people by login, teams as `OWNER/SLUG`."""
        repository = self._repository(name)
        pull = repository.pulls[number]
        teams = [f"{repository.owner.login}/{team.slug}" for team in pull.teams]
        return [*(account.login for account in pull.reviewers), *teams]

    def label(self, name: str, number: int, labels: Sequence[str]) -> None:
        """Let a person give a pull request these labels and no others."""
        repository = self._repository(name)
        for label in labels:
            repository.labels.setdefault(label.lower(), Label(id=self._hub.next_id(), name=label))
        repository.pulls[number].labels[:] = labels

    def _repository(self, name: str) -> Repository:
        found = self._hub.repository(name)
        if found is None:
            raise LookupError(f"there is no repository {name} in {self.root}")
        return found


@contextmanager
def github_fake(folder: Path, *, clock: Clock | None = None) -> Iterator[FakeGitHub]:
    """Run a GitHub in a folder until the block ends, and fail if an exchange broke GitHub's descriptions."""
    root = folder / "repositories"
    root.mkdir(parents=True, exist_ok=True)
    clock = clock or SystemClock()
    hub, ledger = Hub(root, clock, Accounts(clock)), Ledger()
    rest, graph = RestDoor(hub=hub, ledger=ledger, api=rest_api()), GraphqlDoor(hub=hub, ledger=ledger)
    git = git_http.GitDoor(hub=hub, ledger=ledger, hooks=git_http.install_hooks(folder / "hooks"))

    def respond(asked: Asked) -> Answer | None:
        with hub.lock:
            ledger.faults.arrive()
        if request := git_http.read(asked.path):
            return git.answer(asked, request, web.url)
        with hub.lock:
            door = graph if asked.path in _GRAPHQL else rest
            return door.answer(asked, web.url)

    with serve(respond) as web:
        try:
            yield FakeGitHub(hub, ledger, web)
        except BaseException as error:
            for violation in ledger.violations:
                error.add_note(f"GitHub's descriptions were broken: {violation}")
            raise
    assert not ledger.violations, "GitHub's descriptions were broken:\n" + "\n".join(ledger.violations)
