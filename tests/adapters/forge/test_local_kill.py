"""The local forge killed with SIGKILL after any of its git commands: the next bot finishes, and nothing is doubled.

The command `git` is replaced by one that counts and, at its turn, kills the process that called it.
"""

import shutil
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest
from git import Git

from bot.ports.forge import PullRequestState
from tests.adapters.forge.contract import BRANCH, FILES, NEW, NEWER, REPOSITORY, open_pull_request, proposal
from tests.adapters.forge.local_world import LocalWorld
from tests.adapters.forge.world import File

pytestmark = pytest.mark.soak

Operation = Callable[[LocalWorld, str], object]


def killed_at_every_command(local: LocalWorld, operation: Operation, commit: str) -> Iterator[LocalWorld]:
    """Run an operation in a process killed after its first git command, then after its second ..., each in a copy."""
    git = shutil.which("git")
    for number in range(1, 100):
        copy = LocalWorld(local.root.with_name(f"killed{number}"), local.desk)
        shutil.copytree(local.root, copy.root, symlinks=True)
        shim = _shim(local.root.with_name(f"git{number}"), git or "", number)
        process = get_context("fork").Process(target=_run, args=(shim, operation, copy, commit))
        process.start()
        process.join()
        if process.exitcode == 0:
            assert number > 5, "so few git commands cannot be the operation"
            return
        assert process.exitcode == -signal.SIGKILL
        yield copy
    pytest.fail("the operation never ends")


def _shim(path: Path, git: str, number: int) -> Path:
    """Write a `git` that kills its caller once it was called so many times."""
    calls = path.with_suffix(".calls")
    path.write_text(
        f"""#!/bin/sh
        {git} "$@"
        status=$?
        echo >> {calls}
        [ $(wc -l < {calls}) -eq {number} ] && kill -KILL $PPID
        exit $status
        """
    )
    path.chmod(0o755)
    return path


def _run(shim: Path, operation: Operation, world: LocalWorld, commit: str) -> None:
    Git.GIT_PYTHON_GIT_EXECUTABLE = str(shim)
    operation(world, commit)


def _create(world: LocalWorld, commit: str) -> object:
    return open_pull_request(world.bot(), commit)


def _refresh(world: LocalWorld, commit: str) -> object:
    (current,) = world.bot().pull_requests(REPOSITORY, BRANCH)
    return world.bot().refresh(current, proposal(commit, NEWER, title="Again"))


def _close(world: LocalWorld, _commit: str) -> None:
    (current,) = world.bot().pull_requests(REPOSITORY, BRANCH)
    world.bot().close(current, comment="No longer needed.")


@pytest.fixture
def commit(local: LocalWorld) -> str:
    return local.create_repository(REPOSITORY, FILES)


def test_a_killed_creation_is_finished_by_the_next_bot(local: LocalWorld, commit: str) -> None:
    for world in killed_at_every_command(local, _create, commit):
        opened = open_pull_request(world.bot(), commit)

        assert (opened.number, opened.state, opened.by_us) == (1, PullRequestState.OPEN, True)
        assert list(world.bot().pull_requests(REPOSITORY, BRANCH)) == [opened]
        assert world.files(REPOSITORY, opened.head)["app/Dockerfile"] == File(NEW)


def test_a_killed_creation_after_a_merge_keeps_what_was_merged(local: LocalWorld, commit: str) -> None:
    _create(local, commit)
    local.merge_with_git(REPOSITORY, BRANCH)
    local.delete_branch(REPOSITORY, BRANCH)
    now = local.branches(REPOSITORY)["main"]

    for world in killed_at_every_command(local, _create, now):
        seen = world.bot().pull_requests(REPOSITORY, BRANCH)
        opened = open_pull_request(world.bot(), now)

        assert seen[-1].state is PullRequestState.MERGED
        states = [found.state for found in world.bot().pull_requests(REPOSITORY, BRANCH)]
        assert (opened.number, states) == (2, [PullRequestState.OPEN, PullRequestState.MERGED])


def test_a_killed_refresh_is_all_or_nothing(local: LocalWorld, commit: str) -> None:
    _create(local, commit)

    for world in killed_at_every_command(local, _refresh, commit):
        (found,) = world.bot().pull_requests(REPOSITORY, BRANCH)
        content = world.files(REPOSITORY, found.head)["app/Dockerfile"].content

        assert (found.title, content) in [("Update", NEW), ("Again", NEWER)]
        assert (found.number, found.state, found.by_us) == (1, PullRequestState.OPEN, True)
        _refresh(world, commit)


def test_a_killed_close_is_all_or_nothing(local: LocalWorld, commit: str) -> None:
    _create(local, commit)

    for world in killed_at_every_command(local, _close, commit):
        (found,) = world.bot().pull_requests(REPOSITORY, BRANCH)

        assert (
            (found.state is PullRequestState.OPEN) == (BRANCH in world.branches(REPOSITORY)) == (not found.closed_by_us)
        )
        world.bot().close(found, comment="No longer needed.")
        (found,) = world.bot().pull_requests(REPOSITORY, BRANCH)
        assert found.closed_by_us
