"""The branch of a pull request on GitHub: guarded moves, and never over a person's commit.

What a commit is made with, see `commits` and `pushing` (docs/decisions/0007-github-commits.md).
"""

from collections.abc import Sequence
from typing import Protocol

from bot.adapters.forge.github.calls import BRANCHES, NOWHERE, GitHub, Message, RefUpdate, Standing
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.wire import Commit
from bot.core.authorship import trailer
from bot.core.errors import ForgeError
from bot.ports.forge import Proposal


class Moved(ForgeError):
    """A branch is no longer where it was seen."""


class Commits(Protocol):
    """One way to commit."""

    def put(self, seen: Standing, proposal: Proposal) -> str:
        """Make the one commit of a proposal, let the branch be at it, and return it.

        The branch moves in one step from where it was seen; raises `Moved` if it is no longer there.
        """
        ...


class Branches:
    """Moves branches of ours from where they were seen; raises `Moved` if they are no longer there."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def delete(self, seen: Standing) -> None:
        """Delete the branch."""
        self.move(seen, [RefUpdate(name=f"{BRANCHES}{seen.branch}", old=tip(seen), new=NOWHERE)])

    def require_free(self, seen: Standing, base: str) -> None:
        """Refuse a base that is not there, and to take over a branch with commits of a person that are not merged.

        What is compared must be what was seen: another bot may have put its commit there meanwhile.
        """
        repository, branch = seen.repository, seen.branch
        if seen.base is None:
            raise ForgeError(f"{repository}: the branch {base!r} is not there; list the repositories again")
        if seen.tip is None or is_ours(seen.tip, seen):
            return
        compared = self._github.compare(repository, base, branch)
        if compared is None or compared.head_target.oid != seen.tip.oid:
            raise _moved(seen)
        if compared.ahead_by:
            raise ForgeError(f"{repository}: {branch} holds commits of a person; merge them, or delete the branch")

    def move(self, seen: Standing, moves: Sequence[RefUpdate]) -> None:
        """Move all these references or none; one of them is the branch that was seen."""
        try:
            self._github.move(seen.repository, seen.id, moves)
        except Refusal as refused:
            raise self.explained(refused, seen, seen.branch, tip(seen)) from refused

    def explained(self, refused: ForgeError, seen: Standing, branch: str, expected: str) -> ForgeError:
        """Look why a guarded step was refused: GitHub documents no code for a branch that moved."""
        now = self._github.look(seen.repository, branch)
        return refused if tip(now) == expected else _moved(seen)


def message(seen: Standing, proposal: Proposal) -> Message:
    """Return what the commit says; the end of its body says whose it is."""
    subject, _, rest = proposal.message.strip().partition("\n")
    body = "\n\n".join(filter(None, [rest.strip(), trailer(seen.branch)]))
    return Message(headline=subject.strip(), body=body)


def is_ours(commit: Commit, seen: Standing) -> bool:
    """Whether we made a commit for the branch and nobody has changed it since: its committer is GitHub, or us.

    A bot is no user there, but has an address of the form `ID+LOGIN@users.noreply.HOST`.
    """
    name, _, domain = ((commit.committer and commit.committer.email) or "").partition("@")
    user = commit.committer.user if commit.committer else None
    is_bot = domain.startswith("users.noreply.") and name.partition("+")[2] == seen.viewer.login
    trusted = name == "noreply" or is_bot or (user is not None and user.login == seen.viewer.login)
    return trusted and trailer(seen.branch) in commit.message.splitlines()


def tip(seen: Standing) -> str:
    """Return where a branch is."""
    return seen.tip.oid if seen.tip else NOWHERE


def _moved(seen: Standing) -> Moved:
    return Moved(f"{seen.repository}: {seen.branch} changed since it was read; list the pull requests again")
