"""The pull requests of a dry run: none is opened, refreshed, finished, commented on or closed."""

from collections.abc import Sequence
from dataclasses import replace

from bot.ports.forge import Finish, Proposal, PullRequest, PullRequestState

_URL = "(dry run)"


class RecordingPullRequests:
    """Keeps the shape of the port `PullRequests`; what it is asked to do stays undone."""

    def create(
        self, *, repository: str, branch: str, base: str, proposal: Proposal, draft: bool = False
    ) -> PullRequest:
        """Answer as if the pull request were open."""
        del draft
        return PullRequest(
            repository=repository,
            number=0,
            branch=branch,
            head=proposal.commit,
            base=base,
            state=PullRequestState.OPEN,
            title=proposal.title,
            body=proposal.body,
            url=_URL,
        )

    def refresh(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Answer as if it were refreshed."""
        return replace(pull_request, title=proposal.title, body=proposal.body)

    def finish(self, pull_request: PullRequest, finish: Finish, body: str) -> Sequence[str]:
        """Answer as if all were done."""
        del pull_request, finish, body
        return ()

    def comment_once(self, pull_request: PullRequest, *, mark: str, text: str) -> bool:
        """Answer as if it were said."""
        del pull_request, mark, text
        return True

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Leave it open."""
