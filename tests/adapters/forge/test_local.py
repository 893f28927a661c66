"""The forge in a folder of bare repositories: the contract, and what only this one has to withstand."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from git import Git

from bot.adapters.forge.local import LocalForge
from bot.core.errors import ForgeError
from bot.ports.forge import Finish, PullRequestState, SourceRepository
from tests.adapters.forge.contract import (
    BRANCH,
    FILES,
    MARK,
    NEW,
    NEWER,
    OLD,
    REPOSITORY,
    CommitContract,
    ForgeContract,
    open_pull_request,
    proposal,
)
from tests.adapters.forge.local_world import CLOCK, LocalWorld
from tests.adapters.forge.world import File, World, git


class TestLocalForge(ForgeContract):
    @pytest.fixture
    def world(self, local: LocalWorld) -> World:
        return local


class TestLocalCommits(CommitContract):
    @pytest.fixture
    def world(self, local: LocalWorld) -> World:
        return local

    @pytest.fixture
    def lister(self, local: LocalWorld) -> LocalForge:
        return local.bot()


@pytest.fixture
def commit(local: LocalWorld) -> str:
    return local.create_repository(REPOSITORY, FILES)


@pytest.fixture
def bot(local: LocalWorld) -> LocalForge:
    return local.bot()


# Listing


def test_only_repositories_that_a_pattern_names_are_listed(local: LocalWorld) -> None:
    for name in ("acme/orders", "acme/pay", "other/orders", "other/pay"):
        local.create_repository(name, FILES)

    forge = LocalForge(local.root, CLOCK, include=["acme/*", "*/orders"])

    assert [listed.name for listed in forge.repositories()] == ["acme/orders", "acme/pay", "other/orders"]


def test_other_folders_are_no_repositories(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    (local.root / "acme" / "notes").mkdir()
    (local.root / "README").write_text("Hello")

    assert list(bot.repositories()) == [SourceRepository(name=REPOSITORY, default_branch="main", commit=commit)]


def test_a_missing_folder_is_an_error_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ForgeError, match=r"/missing is not there; create it"):
        LocalForge(tmp_path / "missing", CLOCK).repositories()


def test_what_is_wrong_with_one_repository_does_not_stop_the_others(local: LocalWorld) -> None:
    for name in ("acme/broken", "acme/detached", "acme/gone", "acme/renamed", "acme/sound"):
        local.create_repository(name, FILES)
    local.create_repository("acme/empty", {})
    (local.path("acme/broken") / "HEAD").write_text("nonsense")
    git(local.path("acme/detached"), "update-ref", "--no-deref", "HEAD", "main")
    git(local.path("acme/gone"), "branch", "--delete", "--force", "main")
    git(local.path("acme/renamed"), "symbolic-ref", "HEAD", "refs/heads/master")
    (local.root / "acme" / "white space.git").mkdir()

    bot = LocalForge(local.root, CLOCK, ["*", "acme/empty", "acme/gone"])
    faults = {listed.name: listed.fault for listed in bot.repositories()}

    assert "git fsck" in faults.pop("acme/broken")
    assert "rename it" in faults.pop("acme/white space")
    assert faults == {
        "acme/detached": "it has no default branch; name one with git symbolic-ref HEAD refs/heads/BRANCH",
        "acme/empty": "it is empty; push a first commit",
        "acme/gone": "it is empty; push a first commit",
        "acme/renamed": (
            "its default branch 'master' is not there; name one with git symbolic-ref HEAD refs/heads/BRANCH"
        ),
        "acme/sound": "",
    }


# The bot's commits


def test_a_commit_is_signed_by_the_bot_with_the_time_of_the_clock(
    local: LocalWorld, bot: LocalForge, commit: str
) -> None:
    opened = open_pull_request(bot, commit)

    shown = git(local.path(REPOSITORY), "show", "--no-patch", "--format=%an <%ae> %aI|%cn <%ce> %cI|%B", opened.head)

    who = "refrom[bot] <refrom@localhost> 2026-11-20T12:00:00+00:00"
    assert shown.decode().strip() == f"{who}|{who}|Update the base\n\nIt is old.\n\nRefrom-Branch: {BRANCH}"


def test_the_same_change_at_the_same_time_is_the_same_commit(bot: LocalForge, commit: str) -> None:
    first = open_pull_request(bot, commit)
    bot.close(first, comment="Once more.")

    assert open_pull_request(bot, commit).head == first.head


def test_our_commit_amended_by_a_person_is_not_ours(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    opened = open_pull_request(bot, commit)
    amended = git(
        local.path(REPOSITORY), "commit-tree", f"{opened.head}^{{tree}}", "-p", commit, "-m", f"Refrom-Branch: {BRANCH}"
    )
    git(local.path(REPOSITORY), "update-ref", f"refs/heads/{BRANCH}", amended.decode().strip())

    (found,) = bot.pull_requests(REPOSITORY, BRANCH)

    assert (found.state, found.by_us) == (PullRequestState.OPEN, False)


# What lies in repositories


def test_paths_that_are_no_utf8_and_submodules_are_left_out(local: LocalWorld, bot: LocalForge) -> None:
    first = local.create_repository(REPOSITORY, FILES)
    strange = commit_tree(
        local, [(b"100644", b"blob", b"\xff", OLD), (b"160000", b"commit", b"module", first.encode())]
    )

    assert list(bot.tree(REPOSITORY, strange)) == []
    with bot.checkout(REPOSITORY, strange) as folder:
        assert list(folder.iterdir()) == []
    with pytest.raises(ForgeError, match="'module' is a link or submodule, which is not edited"):
        open_pull_request(bot, strange, {"module": NEW})


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT"])
def test_a_checkout_refuses_paths_that_no_honest_git_makes(local: LocalWorld, bot: LocalForge, name: bytes) -> None:
    local.create_repository(REPOSITORY, FILES)
    inner = tree(local, [(b"100644", b"blob", b"config", OLD)])
    hostile = commit_tree(local, [(b"040000", b"tree", name, inner)])

    with pytest.raises(ForgeError, match="is no path that may be written"), bot.checkout(REPOSITORY, hostile):
        pass


def test_a_checkout_does_not_write_through_a_link(local: LocalWorld, bot: LocalForge, tmp_path: Path) -> None:
    """A tree may hold a link and a folder of one name, if it is made to deceive."""
    local.create_repository(REPOSITORY, FILES)
    inner = tree(local, [(b"100644", b"blob", b"file", OLD), (b"120000", b"blob", b"link", b"file")])
    outside = tmp_path / "outside"
    outside.mkdir()
    link = (b"120000", b"blob", b"a", os.fsencode(outside))
    hostile = commit_tree(local, [link, (b"040000", b"tree", b"a", inner)])

    with (
        pytest.raises(ForgeError, match=f"{REPOSITORY}: its files cannot be written"),
        bot.checkout(REPOSITORY, hostile),
    ):
        pass

    assert list(outside.iterdir()) == []


def test_links_in_a_circle_do_no_harm(local: LocalWorld, bot: LocalForge) -> None:
    circle = {"a": File(b"b", "120000"), "b": File(b"a", "120000")}
    commit = local.create_repository(REPOSITORY, circle)

    with bot.checkout(REPOSITORY, commit) as folder:
        assert {path.name for path in folder.iterdir()} == set(circle)


def test_a_tree_that_repeats_itself_without_end_is_refused(
    local: LocalWorld, bot: LocalForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few small trees, each ten times in the next, have ten million files (a git bomb)."""
    monkeypatch.setattr("bot.adapters.forge.bare_repository._MOST_ENTRIES", 1000)
    local.create_repository(REPOSITORY, FILES)
    entries = [(b"100644", b"blob", b"%d" % n, OLD) for n in range(10)]
    for _ in range(6):
        entries = [(b"040000", b"tree", b"%d" % n, tree(local, entries)) for n in range(10)]
    bomb = commit_tree(local, entries)

    for call in (lambda: bot.tree(REPOSITORY, bomb), lambda: open_pull_request(bot, bomb)):
        with pytest.raises(ForgeError, match="has over 1000 files; exclude the repository"):
            call()


def test_a_file_too_large_to_be_read_is_refused(local: LocalWorld, bot: LocalForge) -> None:
    commit = local.create_repository(REPOSITORY, {"Dockerfile": File(b"#" * (16 * 2**20 + 1))})

    with pytest.raises(ForgeError, match=f"{REPOSITORY}: object .* over 16777216; exclude its file"):
        bot.read(REPOSITORY, commit, ["Dockerfile"])


def test_nothing_that_a_repository_configures_is_run(local: LocalWorld, bot: LocalForge, tmp_path: Path) -> None:
    first = local.create_repository(REPOSITORY, FILES)
    canary, path = tmp_path / "canary", local.path(REPOSITORY)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {canary}\nexit 0\n")
    trap.chmod(0o755)
    for hook in ("reference-transaction", "post-index-change", "fsmonitor-watchman", "update", "post-commit"):
        (path / "hooks" / hook).symlink_to(trap)
    (path / "info" / "attributes").write_text("* filter=trap merge=trap diff=trap export-ignore\n")
    (path / "config").write_text(
        f"""[core]
        repositoryformatversion = 1
        bare = true
        fsmonitor = {trap}
        hooksPath = {path / "hooks"}
        sshCommand = {trap}
        alternateRefsCommand = {trap}
        [extensions]
        partialClone = origin
        [remote "origin"]
        url = {path}
        promisor = true
        uploadpack = {trap}
        [filter "trap"]
        clean = {trap}
        smudge = {trap}
        required = true
        [merge "trap"]
        driver = {trap}
        [diff "trap"]
        textconv = {trap}
        [commit]
        gpgSign = true
        [gpg]
        program = {trap}
        """
    )

    opened = open_pull_request(bot, first)
    refreshed = bot.refresh(opened, proposal(first, NEWER, title="Again"))
    with bot.checkout(REPOSITORY, refreshed.head) as folder:
        assert (folder / "app/Dockerfile").read_bytes() == NEWER
    bot.merge(REPOSITORY, refreshed.number)
    with pytest.raises(ForgeError):
        bot.tree(REPOSITORY, "1" * 40)

    assert bot.pull_requests(REPOSITORY, BRANCH)[0].state is PullRequestState.MERGED
    assert not canary.exists()


def test_a_replaced_object_is_read_as_what_its_id_says(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    other = local.push(REPOSITORY, "main", {"app/Dockerfile": File(NEW)})
    git(local.path(REPOSITORY), "replace", commit, other)

    assert bot.read(REPOSITORY, commit, ["app/Dockerfile"]) == {"app/Dockerfile": OLD}


@pytest.mark.parametrize(
    "layout", [["pack-refs", "--all"], ["gc", "--quiet", "--prune=now"]], ids=["packed", "collected"]
)
def test_housekeeping_changes_nothing(local: LocalWorld, bot: LocalForge, commit: str, layout: list[str]) -> None:
    bot.close(open_pull_request(bot, commit), comment="Closed; its commit is garbage now.")
    opened = open_pull_request(bot, commit, {"app/Dockerfile": NEWER})
    before = list(bot.pull_requests(REPOSITORY, BRANCH))

    git(local.path(REPOSITORY), *layout)

    assert list(bot.pull_requests(REPOSITORY, BRANCH)) == before
    bot.close(opened, comment="Again.")
    assert local.branches(REPOSITORY) == {"main": commit}


def test_a_repository_with_sha256_ids_works_the_same(local: LocalWorld, bot: LocalForge) -> None:
    git(local.desk, "init", "-q", "--bare", "-b", "main", "--object-format=sha256", str(local.path(REPOSITORY)))
    folder = (b"040000", b"tree", b"app", tree(local, [(b"100644", b"blob", b"Dockerfile", OLD)]))
    commit = commit_tree(local, [folder])
    git(local.path(REPOSITORY), "update-ref", "refs/heads/main", commit)

    opened = open_pull_request(bot, commit)

    assert len(opened.head) == 64
    assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [opened]


# Records


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"state": "gone"}', b'{"state": []}'],
    ids=["empty", "list", "no fields", "no text", "deep", "unknown state", "wrong type"],
)
def test_a_malformed_record_is_an_error_with_the_cure(
    local: LocalWorld, bot: LocalForge, commit: str, content: bytes
) -> None:
    open_pull_request(bot, commit)
    write_record(local, 1, content)

    with pytest.raises(ForgeError, match=r"the record refs/refrom/pulls/1 is malformed; delete it with git update-ref"):
        bot.pull_requests(REPOSITORY, BRANCH)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [(b'"number": 1', b'"number": 2'), (b'"title": "Update"', b'"title": 7'), (b'"number": 1', b'"number": true')],
    ids=["another number", "no text", "no number"],
)
def test_a_record_that_lies_is_malformed(
    local: LocalWorld, bot: LocalForge, commit: str, said: bytes, wrong: bytes
) -> None:
    open_pull_request(bot, commit)
    record = git(local.path(REPOSITORY), "cat-file", "blob", "refs/refrom/pulls/1")
    assert said in record
    write_record(local, 1, record.replace(said, wrong))

    with pytest.raises(ForgeError, match="is malformed"):
        bot.pull_requests(REPOSITORY, BRANCH)


def test_a_record_of_an_earlier_version_is_read(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    """It knows no labels, reviewers or comments, and not when it was opened."""
    opened = open_pull_request(bot, commit)
    record = json.loads(git(local.path(REPOSITORY), "cat-file", "blob", "refs/refrom/pulls/1"))
    for later in ("opened", "draft", "labels", "reviewers", "comments"):
        del record[later]
    write_record(local, 1, json.dumps(record).encode())

    assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [opened]
    assert bot.comment_once(opened, mark=MARK, text="Left alone.")
    assert bot.finish(opened, Finish(labels=("base",)), "Finished") == ()
    assert bot.pull_requests(REPOSITORY, BRANCH)[0].labels == ("base",)


def test_a_merge_driver_of_the_repository_has_no_part_in_conflicts(
    local: LocalWorld, bot: LocalForge, commit: str, tmp_path: Path
) -> None:
    path, canary = local.path(REPOSITORY), tmp_path / "canary"
    (path / "info" / "attributes").write_text("* merge=trap\n")
    git(path, "config", "merge.trap.driver", f"touch {canary}")
    open_pull_request(bot, commit)
    local.push(REPOSITORY, "main", {"app/Dockerfile": File(NEWER)})

    (found,) = bot.pull_requests(REPOSITORY, BRANCH)

    assert found.conflicts
    assert not canary.exists()


def test_lines_that_do_not_meet_are_merged(local: LocalWorld, bot: LocalForge) -> None:
    lines = [b"FROM old\n", *(b"RUN step %d\n" % number for number in range(9))]
    commit = local.create_repository(REPOSITORY, {"app/Dockerfile": File(b"".join(lines))})
    opened = open_pull_request(bot, commit, {"app/Dockerfile": b"".join([b"FROM new\n", *lines[1:]])})
    local.push(REPOSITORY, "main", {"app/Dockerfile": File(b"".join([*lines, b"RUN more\n"]))})

    (found,) = bot.pull_requests(REPOSITORY, BRANCH)
    merged = bot.merge(REPOSITORY, opened.number)

    assert not found.conflicts
    content = local.files(REPOSITORY, merged)["app/Dockerfile"].content
    assert content == b"".join([b"FROM new\n", *lines[1:], b"RUN more\n"])


def test_an_oversized_record_is_refused(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    open_pull_request(bot, commit)
    write_record(local, 1, b" " * (2**20 + 1))

    with pytest.raises(ForgeError, match=f"{REPOSITORY}: object .* over 1048576"):
        bot.pull_requests(REPOSITORY, BRANCH)


# Failures


def test_a_lock_that_a_killed_git_left_is_an_error_that_names_it(
    local: LocalWorld, bot: LocalForge, commit: str
) -> None:
    lock = local.path(REPOSITORY) / "refs" / "heads" / f"{BRANCH}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()

    with pytest.raises(ForgeError, match=f"{REPOSITORY}: git update-ref failed .*{BRANCH}.lock"):
        open_pull_request(bot, commit)

    lock.unlink()
    assert open_pull_request(bot, commit).number == 1


def test_a_branch_in_the_way_is_an_error_that_names_it(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    local.push(REPOSITORY, "refrom", {"README.md": File(b"Mine\n")})

    with pytest.raises(ForgeError, match=f"{REPOSITORY}: git update-ref failed .*refs/heads/refrom"):
        open_pull_request(bot, commit)


def test_a_damaged_object_is_an_error_that_names_the_repository(
    local: LocalWorld, bot: LocalForge, commit: str
) -> None:
    (entry,) = [entry for entry in bot.tree(REPOSITORY, commit) if entry.path == "app/Dockerfile"]
    stored = local.path(REPOSITORY) / "objects" / entry.id[:2] / entry.id[2:]
    stored.chmod(0o644)
    stored.write_bytes(b"damaged")

    with pytest.raises(ForgeError, match=f"{REPOSITORY}: object {entry.id} is missing or damaged; run git fsck"):
        bot.read(REPOSITORY, commit, ["app/Dockerfile"])


def test_a_missing_object_is_an_error_that_names_the_repository(
    local: LocalWorld, bot: LocalForge, commit: str
) -> None:
    (entry,) = [entry for entry in bot.tree(REPOSITORY, commit) if entry.path == "app/Dockerfile"]
    (local.path(REPOSITORY) / "objects" / entry.id[:2] / entry.id[2:]).unlink()

    with pytest.raises(ForgeError, match=f"{entry.id} is missing"), bot.checkout(REPOSITORY, commit):
        pass


def test_a_machine_without_git_is_told_so(bot: LocalForge, commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Git, "GIT_PYTHON_GIT_EXECUTABLE", "/missing/git")

    with pytest.raises(ForgeError, match=f"{REPOSITORY}: the git command is not there; install git"):
        bot.tree(REPOSITORY, commit)


def test_a_merge_of_what_both_changed_is_refused(local: LocalWorld, bot: LocalForge, commit: str) -> None:
    opened = open_pull_request(bot, commit)
    pushed = local.push(REPOSITORY, "main", {"app/Dockerfile": File(NEWER)})

    with pytest.raises(ForgeError, match="changed the same lines; merge them by hand"):
        bot.merge(REPOSITORY, opened.number)

    assert local.branches(REPOSITORY)["main"] == pushed


@pytest.mark.parametrize("press", [LocalForge.merge, LocalForge.close_by_person], ids=["merge", "close"])
@pytest.mark.usefixtures("commit")
def test_a_button_of_no_pull_request_is_an_error(
    bot: LocalForge, press: Callable[[LocalForge, str, int], object]
) -> None:
    with pytest.raises(ForgeError, match=f"{REPOSITORY}: there is no pull request 7"):
        press(bot, REPOSITORY, 7)


TreeLine = tuple[bytes, bytes, bytes, bytes]
"""Mode, kind, name, and the content of a blob or the id of another object."""


def tree(local: LocalWorld, lines: list[TreeLine]) -> bytes:
    """Store a tree as raw bytes, with whatever names."""
    raw = b""
    for mode, kind, name, what in lines:
        oid = git(local.path(REPOSITORY), "hash-object", "-w", "--stdin", given=what) if kind == b"blob" else what
        raw += mode.lstrip(b"0") + b" " + name + b"\0" + bytes.fromhex(oid.decode())
    return git(local.path(REPOSITORY), "hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=raw).strip()


def commit_tree(local: LocalWorld, lines: list[TreeLine]) -> str:
    oid = tree(local, lines).decode()
    return git(local.path(REPOSITORY), "commit-tree", "-m", "Hostile", oid).decode().strip()


def write_record(local: LocalWorld, number: int, content: bytes) -> None:
    oid = git(local.path(REPOSITORY), "hash-object", "-w", "--stdin", given=content).decode().strip()
    git(local.path(REPOSITORY), "update-ref", f"refs/refrom/pulls/{number}", oid)
