"""The lab's GitHub with persons around it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.adapters.forge.world import BareRepositories, Bot, Files
from tests.lab.github.fake import FakeGitHub


class GithubWorld(BareRepositories):
    """The world of the GitHub forge; `make_bot` makes the adapter as a process that just started has it.

    GitHub looks at its pull requests at every push, so the fake is made to look after each thing that a person does.
    """

    def __init__(self, fake: FakeGitHub, desk: Path, make_bot: Callable[[], Bot]) -> None:
        super().__init__(fake.root, desk)
        self.fake, self._make_bot = fake, make_bot

    def bot(self) -> Bot:
        return self._make_bot()

    def push(self, name: str, branch: str, files: Files) -> str:
        pushed = super().push(name, branch, files)
        self.fake.settle(name)
        return pushed

    def merge(self, name: str, number: int) -> None:
        self.fake.merge(name, number)

    def merge_with_git(self, name: str, branch: str) -> None:
        super().merge_with_git(name, branch)
        self.fake.settle(name)

    def close(self, name: str, number: int) -> None:
        self.fake.close(name, number)

    def delete_branch(self, name: str, branch: str) -> None:
        super().delete_branch(name, branch)
        self.fake.settle(name)

    def rename_default_branch(self, name: str, new: str) -> None:
        self.fake.rename_branch(name, self.fake.default_branch(name), new)

    def add_reviewer(self, name: str, login: str) -> None:
        self.fake.add_collaborator(name, login)

    def label(self, name: str, number: int, labels: Sequence[str]) -> None:
        self.fake.label(name, number, labels)

    def reviewers(self, name: str, number: int) -> Sequence[str]:
        return self.fake.reviewers(name, number)

    def comments(self, name: str, number: int) -> Sequence[str]:
        return [comment.body for comment in self.fake.comments(name, number)]

    def is_draft(self, name: str, number: int) -> bool:
        (pull,) = [pull for pull in self.fake.pulls(name) if pull.number == number]
        return pull.draft

    def forget_pull_request(self, name: str, number: int) -> None:
        self.fake.forget_pull_request(name, number)
