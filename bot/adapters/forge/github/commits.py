"""Commits by GitHub's API: signed by GitHub, and without a clone.

A commit that replaces another is made beside the branch, which then moves to it in one guarded step. So a pull request
never shows a branch without changes, for which GitHub would close it, and what a person pushed is never lost.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from bot.adapters.forge.github.branches import Branches, Moved, message, tip
from bot.adapters.forge.github.calls import BRANCHES, NOWHERE, GitHub, Modes, RefUpdate, Standing
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.walking import Walker
from bot.core.errors import ForgeError
from bot.ports.forge import Proposal

_EXECUTABLE: Final = "100755"
_REGULAR: Final = ("100644", _EXECUTABLE)


class ApiCommits:
    """Implements `Commits`: `createCommitOnBranch` for regular files, and git's objects where one is executable."""

    def __init__(self, github: GitHub, branches: Branches) -> None:
        self._github, self._branches, self._walker = github, branches, Walker(github)

    def put(self, seen: Standing, proposal: Proposal) -> str:
        """Commit on the branch itself only if it is new; a branch of ours is replaced by what is made beside it."""
        modes = self._modes(seen, proposal)
        here = f"{BRANCHES}{seen.branch}"
        if _EXECUTABLE in modes.values():
            head = self._store(seen, proposal, modes)
            self._branches.move(seen, [RefUpdate(name=here, old=tip(seen), new=head)])
        elif seen.tip is None:
            self._branches.move(seen, [RefUpdate(name=here, old=NOWHERE, new=proposal.commit)])
            head = self._commit(seen, seen.branch, proposal)
        else:
            beside = f"{seen.branch}-next"
            self._github.move(seen.repository, seen.id, [RefUpdate(name=f"{BRANCHES}{beside}", new=proposal.commit)])
            head = self._commit(seen, beside, proposal)
            gone = RefUpdate(name=f"{BRANCHES}{beside}", new=NOWHERE)
            try:
                self._branches.move(seen, [RefUpdate(name=here, old=tip(seen), new=head), gone])
            except Moved:
                with suppress(
                    Refusal
                ):  # another bot was faster; what is ours beside the branch goes, what is its stays
                    self._github.move(seen.repository, seen.id, [replace(gone, old=head)])
                raise
        return head

    def _modes(self, seen: Standing, proposal: Proposal) -> Modes:
        """Tell the modes of the files that are to be edited; refused if one of them is no regular file."""
        modes = self._walker.modes(seen.repository, proposal.commit, proposal.files)
        for path in proposal.files:
            if modes.get(path) not in _REGULAR:
                where = f"{seen.repository}: {path!r}"
                raise ForgeError(f"{where} is no regular file of {proposal.commit}; survey the repository again")
        return modes

    def _commit(self, seen: Standing, branch: str, proposal: Proposal) -> str:
        said = message(seen, proposal)
        try:
            return self._github.commit_on_branch(seen.repository, branch, proposal.commit, proposal.files, said)
        except Refusal as refused:
            raise self._branches.explained(refused, seen, branch, proposal.commit) from refused

    def _store(self, seen: Standing, proposal: Proposal, modes: Modes) -> str:
        said = message(seen, proposal)
        return self._github.store_commit(seen.repository, proposal.commit, proposal.files, said, modes)
