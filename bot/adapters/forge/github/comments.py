"""Comments on a pull request that are made once: each holds a mark, one line of HTML comment that nobody sees.

GitHub guards nothing here, so of two bots at once both may comment. Each looks again once it has, and deletes all
comments of ours with that mark but the first: who comments last sees both, so one stays.
"""

from collections.abc import Sequence
from typing import Final

from bot.adapters.forge.github.calls import GitHub
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.sender import Unanswered
from bot.adapters.forge.github.wire import CommentNode
from bot.core.errors import ForgeError

_TRIES: Final = 3


class Comments:
    """The comments of ours on one GitHub."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def once(self, repository: str, number: int, *, mark: str, text: str) -> bool:
        """Comment unless that was done; say whether it was done now.

        A comment that brought no answer is looked for before another one is made.
        """
        fault: ForgeError | None = None
        for _ in range(_TRIES):
            if there := self._marked(repository, number, mark):
                self._keep_first(repository, there)
                return fault is not None
            try:
                made = self._github.comment(repository, number, f"{text}\n\n{mark}\n")
            except Unanswered as unanswered:
                fault = unanswered
            else:
                there = self._marked(repository, number, mark)
                self._keep_first(repository, there)
                return not there or there[0].id == made
        what = f"no comment comes about on pull request {number} ({fault})"
        raise ForgeError(f"{repository}: {what}; run again later", retryable=True)

    def _marked(self, repository: str, number: int, mark: str) -> list[CommentNode]:
        return [
            comment
            for comment in self._github.comments(repository, number)
            if comment.viewer_did_author and mark in map(str.strip, comment.body.splitlines())
        ]

    def _keep_first(self, repository: str, comments: Sequence[CommentNode]) -> None:
        for comment in comments[1:]:
            try:
                self._github.delete_comment(repository, comment.id)
            except Refusal as refused:
                if "NOT_FOUND" not in refused.said.kinds:  # then another bot was faster
                    raise
