"""What is added to a pull request once it is open: labels, reviewers, and that GitHub merges it by itself.

Each part is tried, whatever became of the others, and is safe to repeat. What GitHub refuses is told and not raised,
unless trying again could help; we never merge ourselves, so no rule of a branch is passed by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.adapters.forge.github.calls import GitHub
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.wire import Pull
from bot.ports.forge import Finish, PullRequest

_INVALID: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """Finishes one pull request, which GitHub shows as `pull`."""

    github: GitHub
    pull_request: PullRequest
    pull: Pull

    def undone(self, finish: Finish) -> Iterator[str]:
        """Do all parts, and tell what GitHub did not do, and why."""
        if finish.labels:
            yield from self._label(finish.labels)
        if finish.reviewers:
            yield from self._ask(finish.reviewers)
        if finish.auto_merge and not self.pull.auto_merge_request:
            yield from self._merge_when_ready(finish.auto_merge)

    def _label(self, labels: Sequence[str]) -> Iterator[str]:
        try:
            self.github.add_labels(self.pull_request.repository, self.pull_request.number, labels)
        except Refusal as refused:
            yield _told(refused)

    def _ask(self, reviewers: Sequence[str]) -> Iterator[str]:
        repository = self.pull_request.repository
        owner = repository.partition("/")[0]
        foreign = [name for name in reviewers if "/" in name and name.partition("/")[0].casefold() != owner.casefold()]
        yield from (f"{repository}: {name} is no team of {owner}; name one of its own" for name in foreign)
        if asked := [name for name in reviewers if name not in foreign]:
            yield from self._ask_together(asked)

    def _ask_together(self, reviewers: Sequence[str]) -> Iterator[str]:
        """Ask all at once, and each alone if GitHub refuses: one that it does not know is enough for that."""
        people = [name for name in reviewers if "/" not in name]
        teams = [name.partition("/")[2] for name in reviewers if "/" in name]
        where = self.pull_request.repository, self.pull_request.number
        try:
            self.github.ask_for_review(*where, people=people, teams=teams)
        except Refusal as refused:
            if refused.status != _INVALID or len(reviewers) == 1:
                yield _told(refused)
                return
            for name in reviewers:
                yield from self._ask_together([name])

    def _merge_when_ready(self, method: str) -> Iterator[str]:
        """Let GitHub merge what we saw, and nothing that a person pushed meanwhile."""
        repository, head = self.pull_request.repository, self.pull_request.head
        try:
            self.github.merge_when_ready(repository, self.pull.id, head=head, method=method)
        except Refusal as refused:
            yield _told(refused)


def _told(refused: Refusal) -> str:
    if refused.retryable:
        raise refused
    return str(refused)
