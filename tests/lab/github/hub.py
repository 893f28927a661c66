"""All that the fake knows beside git: repositories, pull requests, comments, labels, statuses.

What git can tell is asked of git at every request, so that persons may work on the bare repositories with plain git.
"""

import re
import threading
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from bot.ports.clock import Clock
from tests.lab.github.accounts import Account, Accounts, Token
from tests.lab.github.bare_git import BRANCHES, BareGit, Commit, GitRefused, Identity, Move
from tests.lab.github.limits import Limits
from tests.lab.github.refusals import Refusal
from tests.lab.github.repository import Pull, Repository

WEB_FLOW: Final = ("GitHub", "noreply@github.com")
"""Who commits what is made on the site or by createCommitOnBranch."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")


class Hub:
    """All repositories below a folder, `OWNER/NAME.git`; one that somebody puts there is public."""

    def __init__(self, root: Path, clock: Clock, accounts: Accounts) -> None:
        self.root, self.clock, self.accounts = root, clock, accounts
        self.lock = threading.RLock()
        self.limits = Limits(clock)
        self.actions_open_pulls = True
        """Whether the organizations let workflows create pull requests."""
        self.largest_tree = 100_000
        """Entries after which a recursive tree is truncated."""
        self.largest_answer = 100_000
        """Points that the answer to a GraphQL query may have (see `graph_objects.Budget`)."""
        self.longest_text = 512_000
        """Bytes after which GraphQL cuts a text; that of GitHub is not documented."""
        self.dispatches: list[dict[str, Any]] = []
        self._repositories: dict[str, Repository] = {}
        self._former: dict[str, Repository] = {}
        self._ids = count(5001)

    def next_id(self) -> int:
        """Return a number that nothing else has."""
        return next(self._ids)

    def now(self) -> datetime:
        """Return the time as GitHub states it: whole seconds."""
        return self.clock.now().replace(microsecond=0)

    def repository(self, full_name: str) -> Repository | None:
        """Return a repository by its present name, in any case."""
        known = self._repositories.get(full_name.lower())
        if known and known.git.is_there():
            return known
        owner, _, name = full_name.partition("/")
        path = self.root / f"{full_name}.git"
        if not (_NAME.fullmatch(owner) and _NAME.fullmatch(name) and path.is_dir()):
            return None
        return self._adopt(owner, name, path)

    def renamed(self, full_name: str) -> Repository | None:
        """Return a repository by a name that it had."""
        return self._former.get(full_name.lower())

    def by_id(self, number: int) -> Repository | None:
        """Return a repository by its id."""
        return next((one for one in self._repositories.values() if one.id == number), None)

    def of_owner(self, login: str) -> list[Repository]:
        """List the repositories of an account by name."""
        folders = [path for path in self.root.glob("*/*.git") if path.parent.name.lower() == login.lower()]
        names = [f"{path.parent.name}/{path.name.removesuffix('.git')}" for path in folders]
        owned = {name.lower(): name for name in names}
        owned |= {name: name for name in self._repositories if name.startswith(f"{login.lower()}/")}
        return [found for _, name in sorted(owned.items()) if (found := self.repository(name))]

    def add(self, repository: Repository) -> None:
        """Know a repository before it is in its folder."""
        self._repositories[repository.full_name.lower()] = repository

    def all(self) -> list[Repository]:
        """List all repositories that somebody asked for."""
        return list(self._repositories.values())

    def rename(self, repository: Repository, owner: str, name: str) -> None:
        """Give a repository another name; the old one leads to it."""
        target = self.root / owner / f"{name}.git"
        target.parent.mkdir(parents=True, exist_ok=True)
        repository.git.path.rename(target)
        old = repository.full_name.lower()
        self._former[old] = self._repositories.pop(old)
        repository.owner, repository.name, repository.git = self.accounts.account(owner), name, BareGit(target)
        self._repositories[repository.full_name.lower()] = repository

    def rename_branch(self, repository: Repository, old: str, new: str) -> None:
        """Rename a branch; pull requests from and into it follow."""
        self.settle(repository)
        repository.git.rename_branch(old, new)
        for pull in repository.pulls.values():
            if pull.is_open:
                pull.base = new if pull.base == old else pull.base
                pull.branch = new if pull.branch == old else pull.branch

    def _adopt(self, owner: str, name: str, path: Path) -> Repository:
        repository = Repository(
            id=self.next_id(),
            owner=self.accounts.account(owner),
            name=name,
            git=BareGit(path),
            created=self.now(),
        )
        self.add(repository)
        return repository

    def may_see(self, token: Token | None, repository: Repository) -> bool:
        """Say whether a repository is there for a caller."""
        return not repository.private or self.reaches(token, repository)

    def reaches(self, token: Token | None, repository: Repository) -> bool:
        """Say whether a token is for a repository."""
        if token is None or (token.owner and token.owner != repository.owner):
            return False
        names = token.repositories
        if names is None:
            return True
        return any(self.repository(name) is repository or self.renamed(name) is repository for name in names)

    def signature(self, account: Account) -> Identity:
        """Return an account as the author of a commit made now."""
        return Identity(account.login, account.email, self.now())

    def web_flow(self) -> Identity:
        """Return GitHub itself as the committer of a commit made now."""
        return Identity(*WEB_FLOW, self.now())

    # Pull requests

    def settle(self, repository: Repository) -> None:
        """Bring the open pull requests up to what git says."""
        repository.settle(self.now())

    def pull(self, repository: Repository, number: int) -> Pull | None:
        """Return a pull request as it stands now."""
        self.settle(repository)
        return repository.pulls.get(number)

    def merge(self, repository: Repository, number: int, by: Account) -> str:
        """Merge a pull request as the button does, and return the merge commit."""
        pull = self._open_pull(repository, number)
        base, owner = repository.branches()[pull.base], repository.owner.login
        try:
            tree = repository.git.merge_tree(base, pull.head)
        except GitRefused:
            raise Refusal(405, "Pull Request is not mergeable") from None
        commit = repository.git.write_commit(
            tree=tree,
            parents=(base, pull.head),
            author=self.signature(by),
            committer=self.web_flow(),
            message=f"Merge pull request #{number} from {owner}/{pull.branch}\n\n{pull.title}",
        )
        repository.git.move([Move(name=f"{BRANCHES}{pull.base}", old=base, new=commit)])
        pull.merged_by = by
        self.settle(repository)
        return commit

    def close(self, repository: Repository, number: int) -> None:
        """Close a pull request as the button does."""
        self._open_pull(repository, number).end(self.now())

    def _open_pull(self, repository: Repository, number: int) -> Pull:
        pull = self.pull(repository, number)
        if pull is None or not pull.is_open:
            raise LookupError(f"{repository.full_name} has no open pull request {number}")
        return pull

    def commit_of(self, repository: Repository, name: str) -> Commit | None:
        """Return the commit that a branch, a tag or an id names."""
        references = repository.git.references("refs/")
        short = name.removeprefix("refs/")
        for candidate in (f"refs/{short}", f"{BRANCHES}{name}", f"refs/tags/{name}"):
            if candidate in references:
                name = references[candidate]
                break
        return repository.git.commit(name) if repository.git.kind(name) == "commit" else None
