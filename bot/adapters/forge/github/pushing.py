"""Commits that git pushes: for servers and rules where the API's are not wanted; unsigned, in our own name.

One commit is fetched without its history, and one is pushed on top of it, from where its branch was seen
(git-scm.com/docs/git-push, `--force-with-lease`): so a person's push is never lost, and the branch moves in one step.
"""

from typing import Final
from urllib.parse import urlsplit

from bot.adapters.forge.bare_repository import BareRepository, Signature
from bot.adapters.forge.git_process import Answer
from bot.adapters.forge.github.branches import Branches, message, tip
from bot.adapters.forge.github.calls import BRANCHES, NOWHERE, GitHub, Standing
from bot.adapters.forge.github.fetching import LONGEST_FAULT, fetched, on_the_way
from bot.core.errors import ForgeError
from bot.ports.forge import Proposal

_ENDED: Final = (0, 1, 128)


class GitCommits:
    """Implements `Commits` by git: file modes are kept whatever they are, and no branch beside is needed."""

    def __init__(self, github: GitHub, branches: Branches) -> None:
        self._github, self._branches = github, branches

    def put(self, seen: Standing, proposal: Proposal) -> str:
        """Push; where that brought no good answer the branch itself says whether it happened."""
        repository, url = seen.repository, self._github.site.clone_url(seen.repository)
        with fetched(repository, url, proposal.commit, self._github.token(repository)) as bare:
            said, by = str(message(seen, proposal)), self._signature(seen)
            head = bare.commit_files(proposal.commit, proposal.files, said, by)
            answer = self.push(bare, url, head, seen)
        if answer.status == 0:
            return head
        why = " ".join(answer.fault.split())[:LONGEST_FAULT]
        cure = "check what the token may write, the rules of the branch, and the way to that host"
        refused = ForgeError(f"{repository}: git cannot push {seen.branch} to {url} ({why}); {cure}")
        now = self._github.look(repository, seen.branch)
        if tip(now) != head:
            raise self._branches.explained(refused, seen, seen.branch, tip(seen))
        return head

    def push(self, bare: BareRepository, url: str, head: str, seen: Standing) -> Answer:
        """Let git push a commit to the branch if that is still where it was seen."""
        reference, expected = f"{BRANCHES}{seen.branch}", tip(seen)
        lease = f"--force-with-lease={reference}:{'' if expected == NOWHERE else expected}"
        given = ("push", "--quiet", "--no-verify", lease, url, f"{head}:{reference}")
        return bare.run(*given, environment=on_the_way(url, self._github.token(seen.repository)), accept=_ENDED)

    def _signature(self, seen: Standing) -> Signature:
        """Return us as GitHub writes us, so that the commit is known as ours."""
        number, login = seen.viewer.database_id, seen.viewer.login
        if number is None:
            cure = "set pull_requests.commit_with to api"
            raise ForgeError(f"{seen.repository}: GitHub does not tell the number of the account {login}; {cure}")
        host = urlsplit(self._github.site.git).hostname
        return Signature(name=login, email=f"{number}+{login}@users.noreply.{host}")
