"""The branch of a pull request on GitHub: our commit on it, and never over a person's.

A commit that replaces another is made beside the branch, which then moves to it in one guarded step. So a pull request
never shows a branch without changes, for which GitHub would close it, and what a person pushed is never lost
(docs/decisions/0007-github-commits.md).
"""

from collections.abc import Sequence
from typing import Final

from bot.adapters.forge.github.calls import BRANCHES, NOWHERE, Files, GitHub, Message, Modes, RefUpdate, Standing
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.wire import Commit
from bot.core.errors import ForgeError

EXECUTABLE: Final = "100755"
_TRAILER: Final = "Refrom-Branch"


class Moved(ForgeError):
    """A branch is no longer where it was seen."""


class Branches:
    """Moves branches of ours from where they were seen; raises `Moved` if they are no longer there."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def put(self, seen: Standing, parent: str, files: Files, modes: Modes, title: str) -> str:
        """Make a commit on `parent`, let the branch be at it, and return it.

        `createCommitOnBranch` makes it, on the branch itself only if that is new; it knows regular files alone.
        """
        message = Message(headline=title, body=_trailer(seen.branch))
        here, beside = f"{BRANCHES}{seen.branch}", f"{seen.branch}-next"
        if EXECUTABLE in modes.values():
            head = self._github.store_commit(seen.repository, parent, files, message, modes)
            self._move(seen, [RefUpdate(name=here, old=_tip(seen), new=head)])
        elif seen.tip is None:
            self._move(seen, [RefUpdate(name=here, old=NOWHERE, new=parent)])
            head = self._commit(seen, seen.branch, parent, files, message)
        else:
            self._github.move(seen.repository, seen.id, [RefUpdate(name=f"{BRANCHES}{beside}", new=parent)])
            head = self._commit(seen, beside, parent, files, message)
            gone = RefUpdate(name=f"{BRANCHES}{beside}", new=NOWHERE)
            self._move(seen, [RefUpdate(name=here, old=_tip(seen), new=head), gone])
        return head

    def delete(self, seen: Standing) -> None:
        """Delete the branch."""
        self._move(seen, [RefUpdate(name=f"{BRANCHES}{seen.branch}", old=_tip(seen), new=NOWHERE)])

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

    def _commit(self, seen: Standing, branch: str, parent: str, files: Files, message: Message) -> str:
        try:
            return self._github.commit_on_branch(seen.repository, branch, parent, files, message)
        except Refusal as refused:
            raise self._explained(refused, seen, branch, parent) from refused

    def _move(self, seen: Standing, moves: Sequence[RefUpdate]) -> None:
        try:
            self._github.move(seen.repository, seen.id, moves)
        except Refusal as refused:
            raise self._explained(refused, seen, seen.branch, _tip(seen)) from refused

    def _explained(self, refused: Refusal, seen: Standing, branch: str, expected: str) -> ForgeError:
        """Look why a guarded step was refused: GitHub documents no code for a branch that moved."""
        now = self._github.look(seen.repository, branch)
        return refused if _tip(now) == expected else _moved(seen)


def is_ours(commit: Commit, seen: Standing) -> bool:
    """Whether we made a commit for the branch and nobody has changed it since: its committer is GitHub, or us.

    A bot is no user there, but has an address of the form `ID+LOGIN@users.noreply.HOST`.
    """
    name, _, domain = ((commit.committer and commit.committer.email) or "").partition("@")
    user = commit.committer.user if commit.committer else None
    is_bot = domain.startswith("users.noreply.") and name.partition("+")[2] == seen.viewer
    trusted = name == "noreply" or is_bot or (user is not None and user.login == seen.viewer)
    return trusted and _trailer(seen.branch) in commit.message.splitlines()


def _trailer(branch: str) -> str:
    return f"{_TRAILER}: {branch}"


def _tip(seen: Standing) -> str:
    return seen.tip.oid if seen.tip else NOWHERE


def _moved(seen: Standing) -> Moved:
    return Moved(f"{seen.repository}: {seen.branch} changed since it was read; list the pull requests again")
