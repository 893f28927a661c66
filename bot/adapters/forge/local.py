"""A forge in a folder of bare git repositories, `<root>/<owner>/<name>.git`: for rehearsals, tests and shared disks.

A pull request is a branch and a record (see `records`). What happened to it is read from git: it is merged once its
head is in the history of its base, whoever merged it and with what; it is closed once its branch is gone. Branch and
record move in one transaction of references that names the values they had, so neither a kill nor a second bot parts
them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bot.adapters.forge.bare_repository import BRANCHES, BareRepository, Move, Signature
from bot.adapters.forge.entries import NAMELESS, TreeEntry
from bot.adapters.forge.export import export
from bot.adapters.forge.local_pulls import BOT_EMAIL, BOT_NAME, Pull, Standing, is_ours, look, message
from bot.adapters.forge.records import Record
from bot.core.authorship import LAST, last_change
from bot.core.errors import ForgeError
from bot.ports.clock import Clock
from bot.ports.forge import (
    LARGEST_SOURCE,
    Finish,
    OwnBranch,
    Proposal,
    PullRequest,
    PullRequestState,
    SourceRepository,
    Sources,
)

_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]+/(?!\.)[A-Za-z0-9_.-]+\Z")
_LARGEST_FILE: Final = 16 * 2**20
_TRIES: Final = 10
_NO_CHECKS: Final = "a folder of repositories has no checks to wait for; leave auto_merge out"
_EMPTY: Final = "it is empty"
_PERSON_EMAIL: Final = "person@localhost"


class LocalForge:
    """Source repositories in a folder; implements `Forge` and `PullRequests`.

    `include` are patterns such as `acme/*`, one of which a repository must match to be listed; `branches` is how the
    names of our branches begin.
    The commits of the bot have the time of the clock.
    """

    def __init__(self, root: Path, clock: Clock, include: Sequence[str] = ("*",), branches: str = "refrom/") -> None:
        self._root = root.absolute()
        self._clock = clock
        self._include = tuple(include)
        self._beginning = branches

    def repositories(self) -> Sequence[SourceRepository]:
        """List the repositories in the order of their names; what is wrong with one is its `fault`."""
        if not self._root.is_dir():
            raise ForgeError(f"the folder of repositories {self._root} is not there; create it, or name another")
        paths = {f"{path.parent.name}/{path.name.removesuffix('.git')}": path for path in self._root.glob("*/*.git")}
        listed = [_describe(name, paths[name], self._beginning) for name in sorted(paths) if self._is_included(name)]
        return [one for one in listed if not one.fault.startswith(_EMPTY) or one.name in self._include]

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        """Read the wanted files of many commits, one repository after the other."""
        for repository in repositories:
            try:
                opened = self._open(repository.name)
                found = self._sources(opened, repository.commit, wanted)
                changed = last_change(opened.history(repository.commit, LAST), self._beginning)
                yield repository, replace(found, changed=changed)
            except ForgeError as fault:
                yield repository, fault

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """List all files and links of a commit, in path order; a path that is no UTF-8 is left out."""
        return self._open(repository).files(commit)

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Read files of a commit; a path that is not there is left out. Of a link, its text is read."""
        opened, wanted = self._open(repository), set(paths)
        files = [file for file in opened.files(commit) if file.path in wanted]
        with opened.objects() as objects:
            return {file.path: objects.read(file.id, _LARGEST_FILE) for file in files}

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        """List all pull requests from one branch, newest first."""
        return [pull.now for pull in look(self._open(repository)).of_branch(branch)]

    @contextmanager
    def checkout(self, repository: str, commit: str) -> Iterator[Path]:
        """Give the files of a commit in a temporary folder, without links that leave it and without submodules."""
        opened = self._open(repository)
        files = opened.files(commit)
        with TemporaryDirectory(prefix="refrom-") as name:
            folder = Path(name).resolve()
            with opened.objects() as objects:
                export(repository, files, objects, folder)
            yield folder

    def create(
        self, *, repository: str, branch: str, base: str, proposal: Proposal, draft: bool = False
    ) -> PullRequest:
        """Open a pull request with one commit; the one that is open from this branch is returned as it is.

        A branch that an earlier try left is taken over; refused if it holds commits of a person.
        """
        opened = self._open(repository)
        for _ in range(_TRIES):
            standing = look(opened)
            pull = next((pull for pull in standing.of_branch(branch) if pull.is_open), None)
            if pull:
                return pull.now
            _require_base(opened, base, standing)
            _require_no_work_lost(opened, branch, proposal.commit, standing)
            head = self._commit(opened, branch, proposal)
            record = Record(
                number=standing.next_number,
                branch=branch,
                base=base,
                head=head,
                title=proposal.title,
                body=proposal.body,
                opened=self._clock.now().isoformat(),
                draft=draft,
            )
            branch_move = Move(reference=f"{BRANCHES}{branch}", old=standing.branches.get(branch), new=head)
            opened.move([branch_move, *_settle(opened, standing.of_branch(branch)), _write(opened, record)])
        raise ForgeError(f"{repository}: {branch} keeps changing; try again later", retryable=True)

    def refresh(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Replace our commit, title and body; refused if the branch no longer is where `pull_request` saw it."""
        opened = self._open(pull_request.repository)
        pull = _find_open(opened, pull_request.number)
        head = self._commit(opened, pull.record.branch, proposal)
        record = replace(pull.record, head=head, title=proposal.title, body=proposal.body)
        branch_move = Move(reference=f"{BRANCHES}{record.branch}", old=pull_request.head, new=head)
        _move(opened, pull, [branch_move, _write(opened, record, pull.blob)])
        return _find(opened, record.number).now

    def finish(self, pull_request: PullRequest, finish: Finish, body: str) -> Sequence[str]:
        """Add labels and reviewers, and set the body, in one step; nothing merges by itself here, which is said.

        One whose body says so already is finished: a label that a person took off stays off.
        """
        opened = self._open(pull_request.repository)
        for _ in range(_TRIES):
            pull = _find_open(opened, pull_request.number)
            if pull.record.body == body:
                return ()
            labels = tuple(dict.fromkeys((*pull.record.labels, *finish.labels)))
            reviewers = tuple(dict.fromkeys((*pull.record.reviewers, *finish.reviewers)))
            record = replace(pull.record, body=body, labels=labels, reviewers=reviewers)
            if opened.move([_write(opened, record, pull.blob)]):
                return (f"{pull.now.url} is merged by a person: {_NO_CHECKS}",) if finish.auto_merge else ()
        raise ForgeError(f"{pull_request.url} keeps changing; try again later", retryable=True)

    def comment_once(self, pull_request: PullRequest, *, mark: str, text: str) -> bool:
        """Comment, unless a comment with this mark is there; says whether it did. Of two bots at once one does."""
        opened = self._open(pull_request.repository)
        for _ in range(_TRIES):
            pull = _find(opened, pull_request.number)
            if any(mark in comment.splitlines() for comment in pull.record.comments):
                return False
            record = replace(pull.record, comments=(*pull.record.comments, f"{text}\n\n{mark}\n"))
            if opened.move([_write(opened, record, pull.blob)]):
                return True
        raise ForgeError(f"{pull_request.url} keeps changing; try again later", retryable=True)

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Close it with a reason and delete its branch; one that we closed already stays closed.

        Refused if the branch no longer is where `pull_request` saw it.
        """
        opened = self._open(pull_request.repository)
        if _find(opened, pull_request.number).record.closed_by_us:
            return
        pull = _find_open(opened, pull_request.number)
        record = replace(
            pull.record,
            head=pull_request.head,
            state=PullRequestState.CLOSED,
            closed_by_us=True,
            comment=comment,
        )
        branch_move = Move(reference=f"{BRANCHES}{record.branch}", old=pull_request.head, new=None)
        _move(opened, pull, [branch_move, _write(opened, record, pull.blob)])

    def merge(self, repository: str, number: int) -> str:
        """Merge an open pull request, as a person does with a button, and return the merge commit."""
        opened = self._open(repository)
        pull = _find_open(opened, number)
        base = pull.now.base
        goal = look(opened).branches[base]
        by = Signature(name="A person", email=_PERSON_EMAIL, at=self._clock.now())
        said = f"Merge pull request #{number} from {repository.partition('/')[0]}/{pull.record.branch}"
        merged = opened.commit_merge(goal, pull.now.head, f"{said}\n\n{pull.record.title}\n", by)
        _move(opened, pull, [Move(reference=f"{BRANCHES}{base}", old=goal, new=merged)])
        return merged

    def close_by_person(self, repository: str, number: int) -> None:
        """Close an open pull request, as a person does with a button; its branch stays."""
        opened = self._open(repository)
        pull = _find_open(opened, number)
        record = replace(pull.record, head=pull.now.head, state=PullRequestState.CLOSED)
        _move(opened, pull, [_write(opened, record, pull.blob)])

    def label_by_person(self, repository: str, number: int, labels: Sequence[str]) -> None:
        """Give a pull request these labels and no others, as a person does."""
        opened = self._open(repository)
        pull = _find(opened, number)
        _move(opened, pull, [_write(opened, replace(pull.record, labels=tuple(labels)), pull.blob)])

    def record(self, repository: str, number: int) -> Record:
        """Return what is written down of a pull request, as a person sees it who looks at it."""
        return _find(self._open(repository), number).record

    @staticmethod
    def _sources(repository: BareRepository, commit: str, wanted: Callable[[str], bool]) -> Sources:
        listed, nameless = repository.listing(commit)
        entries = [entry for entry in listed if wanted(entry.path)]
        unread = {entry.path: why for entry in entries if (why := entry.why_unread)}
        with repository.objects() as objects:
            files = {e.path: objects.read(e.id, LARGEST_SOURCE) for e in entries if e.path not in unread}
        return Sources(files=files, unread={**unread, **{path: NAMELESS for path in nameless if wanted(path)}})

    def _open(self, repository: str) -> BareRepository:
        path = self._root / f"{repository}.git"
        if not _NAME.match(repository) or not path.is_dir():
            raise ForgeError(f"{repository[:200]!r} is no repository in {self._root}; name one as owner/name")
        return BareRepository(repository, path)

    def _is_included(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._include)

    def _commit(self, repository: BareRepository, branch: str, proposal: Proposal) -> str:
        by = Signature(name=BOT_NAME, email=BOT_EMAIL, at=self._clock.now())
        return repository.commit_files(proposal.commit, proposal.files, message(proposal.message, branch), by)


def _describe(name: str, path: Path, beginning: str) -> SourceRepository:
    """Read one repository for a listing; nothing that is wrong with it stops the others."""
    if not _NAME.match(name):
        return SourceRepository(
            name=name, fault=f"{path} has a name with other characters than letters, digits, _ . -; rename it"
        )
    repository = BareRepository(name, path)
    try:
        head = repository.head()
        if head:
            branches = _own_branches(repository, beginning)
            return SourceRepository(name=name, default_branch=head[0], commit=head[1], branches=branches)
        return SourceRepository(name=name, fault=_why_no_head(repository))
    except ForgeError as fault:
        return SourceRepository(name=name, fault=str(fault))


def _own_branches(repository: BareRepository, beginning: str) -> tuple[OwnBranch, ...]:
    """Find our branches, and since when each has an open pull request: the commit of its record says it."""
    standing = look(repository)
    names = sorted(name for name in standing.branches if name.startswith(beginning))
    records = {pull.record.branch: pull.record for pull in standing.pulls if pull.is_open}
    return tuple(OwnBranch(name=name, opened=_opened(records.get(name))) for name in names)


def _opened(record: Record | None) -> datetime | None:
    """When a pull request was opened; the beginning of time where its record is older than that field."""
    if record is None:
        return None
    return datetime.fromisoformat(record.opened) if record.opened else datetime.fromtimestamp(0, UTC)


def _why_no_head(repository: BareRepository) -> str:
    if not repository.references(BRANCHES):
        return f"{_EMPTY}; push a first commit"
    named = repository.head_name()
    cure = "name one with git symbolic-ref HEAD refs/heads/BRANCH"
    return f"its default branch {named!r} is not there; {cure}" if named else f"it has no default branch; {cure}"


def _require_base(repository: BareRepository, base: str, standing: Standing) -> None:
    if base not in standing.branches:
        raise ForgeError(f"{repository.name}: the branch {base!r} is not there; list the repositories again")


def _require_no_work_lost(repository: BareRepository, branch: str, commit: str, standing: Standing) -> None:
    """Refuse to take over a branch that holds commits of a person, unless they are merged."""
    tip = standing.branches.get(branch)
    if tip and not is_ours(repository, tip, branch) and not repository.reaches(commit, tip):
        raise ForgeError(f"{repository.name}: {branch} holds commits of a person; merge them, or delete the branch")


def _settle(repository: BareRepository, pulls: Sequence[Pull]) -> list[Move]:
    """Write down what became of earlier pull requests, before their branch comes back with another commit."""
    return [
        _write(repository, replace(pull.record, state=pull.now.state, head=pull.now.head), pull.blob)
        for pull in pulls
        if pull.record.state is PullRequestState.OPEN
    ]


def _write(repository: BareRepository, record: Record, old: str | None = None) -> Move:
    (blob,) = repository.write([record.encode()])
    return Move(reference=record.reference, old=old, new=blob)


def _move(repository: BareRepository, pull: Pull, moves: Sequence[Move]) -> None:
    if not repository.move(moves):
        raise ForgeError(f"{pull.now.url} changed since it was read; list the pull requests again")


def _find(repository: BareRepository, number: int) -> Pull:
    for pull in look(repository).pulls:
        if pull.record.number == number:
            return pull
    raise ForgeError(f"{repository.name}: there is no pull request {number}; list them again")


def _find_open(repository: BareRepository, number: int) -> Pull:
    pull = _find(repository, number)
    if not pull.is_open:
        raise ForgeError(f"{pull.now.url} is {pull.now.state}; list the pull requests again")
    return pull
