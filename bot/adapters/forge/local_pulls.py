"""Where the pull requests of a bare repository stand: their records, and what git says became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.adapters.forge.bare_repository import BRANCHES, BareRepository, ObjectReader
from bot.adapters.forge.records import LARGEST_RECORD, RECORDS, Record
from bot.core.authorship import trailer
from bot.core.errors import ForgeError
from bot.ports.forge import PullRequest, PullRequestState

BOT_NAME: Final = "refrom[bot]"
BOT_EMAIL: Final = "refrom@localhost"
_LARGEST_COMMIT: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request as it was written down (`record`, in `blob`), and as it stands (`now`)."""

    record: Record
    blob: str
    now: PullRequest

    @property
    def is_open(self) -> bool:
        """Whether it is open now."""
        return self.now.state is PullRequestState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One look at a repository: its branches with their commits, and all its pull requests, newest first."""

    branches: Mapping[str, str]
    pulls: Sequence[Pull]

    def of_branch(self, branch: str) -> Sequence[Pull]:
        """Return the pull requests from one branch."""
        return [pull for pull in self.pulls if pull.record.branch == branch]

    @property
    def next_number(self) -> int:
        """The number for a further pull request."""
        return max((pull.record.number for pull in self.pulls), default=0) + 1


def look(repository: BareRepository) -> Standing:
    """Read all pull requests of a repository and what became of them; raises `ForgeError`."""
    references = _references(repository)
    branches = {name.removeprefix(BRANCHES): oid for name, oid in references.items() if name.startswith(BRANCHES)}
    blobs = {name: oid for name, oid in references.items() if name.startswith(RECORDS)}
    pulls: list[Pull] = []
    if blobs:
        with repository.objects() as objects:
            for name, blob in blobs.items():
                record = _read_record(repository, name, objects.find(blob, LARGEST_RECORD))
                pulls.append(Pull(record=record, blob=blob, now=_judge(record, repository, branches, objects)))
    return Standing(branches=branches, pulls=sorted(pulls, key=lambda pull: -pull.record.number))


def message(text: str, branch: str) -> str:
    """Return the message of a commit of ours."""
    return f"{text.strip()}\n\n{trailer(branch)}\n"


def made_by_us(commit: bytes, branch: str) -> bool:
    """Whether a raw commit object is one that we made for this branch and nobody has changed since."""
    head, _, said = commit.partition(b"\n\n")
    committed = any(line.startswith(f"committer {BOT_NAME} <{BOT_EMAIL}> ".encode()) for line in head.split(b"\n"))
    return committed and trailer(branch).encode() in said.split(b"\n")


def is_ours(repository: BareRepository, tip: str, branch: str) -> bool:
    """Whether the commit at the tip of a branch is one that we made for it."""
    with repository.objects() as objects:
        return made_by_us(objects.find(tip, _LARGEST_COMMIT) or b"", branch)


def _references(repository: BareRepository) -> Mapping[str, str]:
    """Read branches and records until two readings agree, because git does not read them at one moment.

    A record without its branch would look like one whose branch a person deleted.
    """
    seen = repository.references(BRANCHES, RECORDS)
    while (again := repository.references(BRANCHES, RECORDS)) != seen:
        seen = again
    return seen


def _read_record(repository: BareRepository, name: str, content: bytes | None) -> Record:
    if content is None:
        raise ForgeError(f"{repository.name}: the record {name} is lost; delete it with git update-ref -d {name}")
    return Record.decode(content, repository=repository.name, reference=name)


def _judge(
    record: Record, repository: BareRepository, branches: Mapping[str, str], objects: ObjectReader
) -> PullRequest:
    base, goal = _base(record, repository, branches)
    tip = branches.get(record.branch) if record.state is PullRequestState.OPEN else None
    head = tip or record.head
    commit = objects.find(head, _LARGEST_COMMIT)
    state = record.state
    if state is PullRequestState.OPEN:
        if commit is not None and goal and repository.reaches(goal, head):
            state = PullRequestState.MERGED
        elif tip is None:
            state = PullRequestState.CLOSED
    return PullRequest(
        repository=repository.name,
        number=record.number,
        branch=record.branch,
        head=head,
        base=base,
        state=state,
        title=record.title,
        body=record.body,
        url=f"{repository.path.as_uri()}#pull-{record.number}",
        closed_by_us=record.closed_by_us,
        by_us=commit is None or made_by_us(commit, record.branch),
        conflicts=state is PullRequestState.OPEN and _conflicts(repository, goal, head),
        labels=record.labels,
    )


def _conflicts(repository: BareRepository, goal: str, head: str) -> bool:
    """Whether a head cannot be merged; where its base has not moved nothing needs to be tried."""
    return bool(goal) and not repository.reaches(head, goal) and repository.conflicts(goal, head)


def _base(record: Record, repository: BareRepository, branches: Mapping[str, str]) -> tuple[str, str]:
    """Return the base branch and its commit: the default branch, where the one that was named is gone."""
    if record.base in branches:
        return record.base, branches[record.base]
    return repository.head() or (record.base, "")
