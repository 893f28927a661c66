"""The pull requests of a dry run: none is opened, refreshed or closed."""

from collections.abc import Mapping
from dataclasses import replace

from bot.ports.forge import PullRequest, PullRequestState

_URL = "(dry run)"


class RecordingPullRequests:
    """Keeps the shape of the port `PullRequests`; what it is asked to do stays undone."""

    def create(
        self, *, repository: str, branch: str, base: str, commit: str, files: Mapping[str, bytes], title: str, body: str
    ) -> PullRequest:
        """Answer as if the pull request were open."""
        del files
        return PullRequest(
            repository=repository,
            number=0,
            branch=branch,
            head=commit,
            base=base,
            state=PullRequestState.OPEN,
            title=title,
            body=body,
            url=_URL,
        )

    def refresh(
        self, pull_request: PullRequest, *, commit: str, files: Mapping[str, bytes], title: str, body: str
    ) -> PullRequest:
        """Answer as if it were refreshed."""
        del commit, files
        return replace(pull_request, title=title, body=body)

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Leave it open."""
