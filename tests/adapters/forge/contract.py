"""The contract of `Forge` and `PullRequests`: every implementation inherits these tests and brings its `World`."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Barrier

import pytest

from bot.adapters.builder.sources import Sources as Lister
from bot.core.errors import ForgeError
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
from tests.adapters.forge.world import EXECUTABLE, LINK, Bot, File, World, undated

REPOSITORY = "acme/orders"
BRANCH = "refrom/lambda-base-images"
OLD, NEW, NEWER = b"FROM old\nCMD run\n", b"FROM new\nCMD run\n", b"FROM newer\nCMD run\n"
BODY = "Why\n\n<!-- marker -->\n"
MARK = "<!-- refrom:note -->"
FILES = {
    "README.md": File(b"Orders\n"),
    "app/Dockerfile": File(OLD),
    "app/run.sh": File(b"#!/bin/sh\n", EXECUTABLE),
    "app/latest": File(b"Dockerfile", LINK),
}


class ForgeContract:
    """Reading, and pull requests that are never doubled, never lost, and never over a person's work."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    @pytest.fixture
    def bot(self, world: World) -> Bot:
        return world.bot()

    @pytest.fixture
    def commit(self, world: World) -> str:
        """The first commit of the repository."""
        return world.create_repository(REPOSITORY, FILES)

    # Listing

    def test_repositories_are_listed_by_name_with_their_default_branch(self, world: World, bot: Bot) -> None:
        second = world.create_repository("acme/zebra", FILES, branch="trunk")
        first = world.create_repository("acme/aardvark", FILES)

        assert list(bot.repositories()) == [
            SourceRepository(name="acme/aardvark", default_branch="main", commit=first),
            SourceRepository(name="acme/zebra", default_branch="trunk", commit=second),
        ]

    def test_an_empty_repository_that_only_a_pattern_finds_is_left_out(self, world: World, bot: Bot) -> None:
        world.create_repository("acme/empty", {})
        world.create_repository(REPOSITORY, FILES)

        assert [listed.name for listed in bot.repositories()] == [REPOSITORY]

    def test_our_branches_are_listed_with_the_moment_since_which_they_wait(
        self, world: World, bot: Bot, commit: str
    ) -> None:
        for branch in ("refrom/left", "refrom-x", "feature/refrom/x", "refroms/x"):
            world.push(REPOSITORY, branch, {"README.md": File(branch.encode())})
        open_pull_request(bot, commit)

        (listed,) = bot.repositories()

        opened, left = listed.branches
        assert (opened.name, left) == (BRANCH, OwnBranch(name="refrom/left"))
        assert opened.opened is not None

    def test_a_branch_whose_pull_request_ended_waits_no_longer(self, world: World, bot: Bot, commit: str) -> None:
        world.close(REPOSITORY, open_pull_request(bot, commit).number)

        (listed,) = bot.repositories()

        assert listed.branches == (OwnBranch(name=BRANCH),)

    def test_a_new_commit_is_seen(self, world: World, bot: Bot, commit: str) -> None:
        pushed = world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

        (listed,) = bot.repositories()

        assert listed.commit == pushed != commit

    @pytest.mark.usefixtures("commit")
    def test_a_renamed_default_branch_is_seen(self, world: World, bot: Bot) -> None:
        world.rename_default_branch(REPOSITORY, "trunk")

        (listed,) = bot.repositories()

        assert listed.default_branch == "trunk"

    # Reading

    def test_files_are_read_as_they_are_in_the_commit(self, world: World, bot: Bot, commit: str) -> None:
        world.push(REPOSITORY, "main", {"app/Dockerfile": File(NEW)})

        assert sources(bot, commit, {"app/Dockerfile", "README.md"}.__contains__) == Sources(
            files={"README.md": b"Orders\n", "app/Dockerfile": OLD}, unread={}
        )

    def test_each_file_and_link_is_asked_about_once_and_no_folder(self, bot: Bot, commit: str) -> None:
        asked: list[str] = []

        def wanted(path: str) -> bool:
            asked.append(path)
            return False

        found = sources(bot, commit, wanted)

        assert sorted(asked) == sorted(FILES)
        assert found == Sources(files={}, unread={})

    def test_a_link_is_not_followed_and_its_text_is_no_content(self, bot: Bot, commit: str) -> None:
        found = sources(bot, commit, "app/latest".__eq__)

        assert found == Sources(files={}, unread={"app/latest": "a symbolic link, which is not followed"})

    def test_bytes_are_not_touched(self, world: World, bot: Bot) -> None:
        files = {
            "a": File(b"a\r\n\0\xff"),
            "no text": File(b"FROM \xff\xfe\n"),
            "empty": File(b""),
            "no newline": File(b"x"),
            "marked": File("\N{ZERO WIDTH NO-BREAK SPACE}FROM x\r\n".encode()),
            "ü\n*": File("strange \N{REPLACEMENT CHARACTER} name".encode()),
        }
        commit = world.create_repository(REPOSITORY, files)

        assert sources(bot, commit).files == {path: file.content for path, file in files.items()}

    def test_a_file_is_found_however_deep_it_lies(self, world: World, bot: Bot) -> None:
        paths = ["/".join([*map(str, range(depth)), "Dockerfile"]) for depth in range(12)]
        commit = world.create_repository(REPOSITORY, {path: File(path.encode()) for path in paths})

        assert sources(bot, commit).files == {path: path.encode() for path in paths}

    def test_a_file_that_is_too_large_is_told(self, world: World, bot: Bot) -> None:
        files = {"large": File(b"#" * (LARGEST_SOURCE + 1)), "largest": File(b"#" * LARGEST_SOURCE)}
        commit = world.create_repository(REPOSITORY, files)

        found = sources(bot, commit)

        assert found.files == {"largest": b"#" * LARGEST_SOURCE}
        assert found.unread == {"large": f"larger than {LARGEST_SOURCE} bytes; not read"}

    def test_many_commits_are_read_at_once_and_one_that_fails_stops_none(self, world: World, bot: Bot) -> None:
        listed = [
            SourceRepository(name=name, commit=world.create_repository(name, {"x": File(name.encode()), **FILES}))
            for name in (f"acme/r{number}" for number in range(7))
        ]
        gone = SourceRepository(name="acme/gone", commit=listed[0].commit)
        lost = replace(listed[1], commit="1" * 40)

        given = dict(bot.sources([gone, lost, *listed], "x".__eq__))

        assert given.keys() == {gone, lost, *listed}
        assert all(isinstance(given[each], ForgeError) and each.name in str(given[each]) for each in (gone, lost))
        assert {each: undated(given[each]) for each in listed} == {
            each: Sources(files={"x": each.name.encode()}, unread={}) for each in listed
        }

    @pytest.mark.parametrize("way", [pytest.param("button", id="by button"), pytest.param("git", id="by git")])
    def test_what_we_did_is_no_change_of_somebody_else_whoever_merged_it(
        self, world: World, bot: Bot, commit: str, way: str
    ) -> None:
        before = changed(bot)
        pull = open_pull_request(bot, commit)

        if way == "git":
            world.merge_with_git(REPOSITORY, BRANCH)
        else:
            world.merge(REPOSITORY, pull.number)

        assert before is not None
        assert changed(bot) == before

    def test_a_checkout_has_all_files_with_their_modes(self, bot: Bot, commit: str) -> None:
        with bot.checkout(REPOSITORY, commit) as folder:
            found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}

            assert found == set(FILES)
            assert (folder / "app/Dockerfile").read_bytes() == OLD
            assert (folder / "app/run.sh").stat().st_mode & 0o111
            assert not (folder / "app/Dockerfile").stat().st_mode & 0o111
            assert (folder / "app/latest").readlink() == Path("Dockerfile")
        assert not folder.exists()

    def test_a_checkout_has_no_link_that_leaves_it(self, world: World, bot: Bot) -> None:
        links = {
            "absolute": b"/etc/passwd",
            "above": b"../outside",
            "deep/above": b"../../outside",
            "deep/through": b"here/../../outside",
            "deep/here": b".",
            "inside": b"deep/../file",
            "dangling": b"nowhere",
        }
        commit = world.create_repository(
            REPOSITORY, {"file": File(b"x"), **{path: File(target, LINK) for path, target in links.items()}}
        )

        with bot.checkout(REPOSITORY, commit) as folder:
            kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink()}

        assert kept == {"deep/here", "inside", "dangling"}

    @pytest.mark.parametrize("repository", ["acme/missing", "acme", "../acme/orders", "", "-x/y"])
    def test_an_unknown_repository_is_an_error_that_names_it(self, bot: Bot, commit: str, repository: str) -> None:
        with pytest.raises(ForgeError, match=re.escape(repository or "'' is no repository")):
            sources(bot, commit, repository=repository)

    @pytest.mark.parametrize("commit", ["0" * 40, "main", "--help", "HEAD:app", ""])
    def test_an_unknown_commit_is_an_error_that_names_the_repository(self, world: World, bot: Bot, commit: str) -> None:
        world.create_repository(REPOSITORY, FILES)

        for call in (
            lambda: sources(bot, commit),
            lambda: bot.checkout(REPOSITORY, commit).__enter__(),
        ):
            with pytest.raises(ForgeError, match=REPOSITORY):
                call()

    # Opening

    def test_a_pull_request_holds_one_commit_with_the_new_contents(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        assert world.branches(REPOSITORY) == {"main": commit, BRANCH: opened.head}
        assert world.parents(REPOSITORY, opened.head) == [commit]
        assert world.files(REPOSITORY, opened.head) == {**FILES, "app/Dockerfile": File(NEW)}
        assert (opened.repository, opened.branch, opened.base) == (REPOSITORY, BRANCH, "main")
        assert (opened.title, opened.body) == ("Update", BODY)
        assert (opened.state, opened.by_us, opened.closed_by_us) == (PullRequestState.OPEN, True, False)
        assert str(opened.number) in opened.url

    def test_the_commit_has_its_own_message_and_says_whose_it_is(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        assert world.message(REPOSITORY, opened.head) == f"Update the base\n\nIt is old.\n\nRefrom-Branch: {BRANCH}"

    @pytest.mark.parametrize("draft", [False, True])
    def test_a_draft_is_opened_where_that_is_wanted(self, world: World, bot: Bot, commit: str, draft: bool) -> None:
        opened = open_pull_request(bot, commit, draft=draft)

        assert world.is_draft(REPOSITORY, opened.number) == draft

    def test_the_mode_of_a_file_is_kept(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit, {"app/run.sh": b"#!/bin/bash\n"})

        assert world.files(REPOSITORY, opened.head)["app/run.sh"] == File(b"#!/bin/bash\n", EXECUTABLE)

    def test_several_files_change_in_one_commit(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit, {"app/Dockerfile": NEW, "README.md": b"New\n"})

        assert world.files(REPOSITORY, opened.head) == {
            **FILES,
            "app/Dockerfile": File(NEW),
            "README.md": File(b"New\n"),
        }
        assert world.parents(REPOSITORY, opened.head) == [commit]

    @pytest.mark.parametrize("path", ["app/latest", "app", "missing", "../Dockerfile", ".git/config", "app/latest/x"])
    def test_what_is_no_regular_file_is_not_edited(self, world: World, bot: Bot, commit: str, path: str) -> None:
        with pytest.raises(ForgeError, match=REPOSITORY):
            open_pull_request(bot, commit, {path: NEW})

        assert world.branches(REPOSITORY) == {"main": commit}
        assert bot.pull_requests(REPOSITORY, BRANCH) == []

    def test_a_pull_request_into_no_branch_is_refused(self, world: World, bot: Bot, commit: str) -> None:
        with pytest.raises(ForgeError, match="trunk"):
            open_pull_request(bot, commit, base="trunk")

        assert world.branches(REPOSITORY) == {"main": commit}

    def test_another_process_sees_what_is_open(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        assert list(world.bot().pull_requests(REPOSITORY, BRANCH)) == [opened]

    def test_pull_requests_are_listed_for_their_branch_only(self, bot: Bot, commit: str) -> None:
        one = open_pull_request(bot, commit)
        other = open_pull_request(bot, commit, branch="refrom/other")

        assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [one]
        assert list(bot.pull_requests(REPOSITORY, "refrom/other")) == [other]
        assert list(bot.pull_requests(REPOSITORY, "refrom")) == []
        assert one.number != other.number

    def test_opening_again_returns_the_one_that_is_open(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        again = open_pull_request(world.bot(), commit)

        assert again == opened
        assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [opened]

    def test_two_bots_at_once_open_one_pull_request(self, world: World, commit: str) -> None:
        """Each bot is a process of its own; here threads meet at a barrier before they write."""
        bots = [world.bot() for _ in range(3)]
        barrier = Barrier(len(bots))

        def race(bot: Bot) -> PullRequest:
            barrier.wait()
            return open_pull_request(bot, commit)

        with ThreadPoolExecutor(len(bots)) as pool:
            opened = list(pool.map(race, bots))

        (found,) = world.bot().pull_requests(REPOSITORY, BRANCH)
        assert {one.number for one in opened} == {found.number}
        assert world.parents(REPOSITORY, found.head) == [commit]
        assert found.by_us

    def test_bots_at_once_on_several_branches_lose_nothing(self, world: World, commit: str) -> None:
        branches = ["refrom/a", "refrom/b", "refrom/c"]

        with ThreadPoolExecutor(len(branches)) as pool:
            opened = list(pool.map(lambda b: open_pull_request(world.bot(), commit, branch=b), branches))

        assert len({one.number for one in opened}) == len(branches)
        assert [list(world.bot().pull_requests(REPOSITORY, branch)) for branch in branches] == [[one] for one in opened]

    def test_a_reader_beside_a_writer_never_sees_half_a_change(self, world: World, commit: str) -> None:
        """A pull request without its branch would be taken for one whose branch a person deleted."""

        def write() -> None:
            for _ in range(5):
                world.bot().close(open_pull_request(world.bot(), commit), comment="Once more.")

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            while not writing.done():
                for found in world.bot().pull_requests(REPOSITORY, BRANCH):
                    assert found.state is PullRequestState.OPEN or found.closed_by_us
            writing.result()

    def test_a_branch_left_by_a_crash_is_taken_over(self, world: World, bot: Bot, commit: str) -> None:
        world.forget_pull_request(REPOSITORY, open_pull_request(bot, commit).number)
        pushed = world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

        opened = open_pull_request(world.bot(), pushed, {"app/Dockerfile": NEWER})

        assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [opened]
        assert world.parents(REPOSITORY, opened.head) == [pushed]
        assert world.files(REPOSITORY, opened.head)["app/Dockerfile"] == File(NEWER)

    def test_a_branch_with_work_of_a_person_is_not_taken_over(self, world: World, bot: Bot, commit: str) -> None:
        pushed = world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})

        with pytest.raises(ForgeError, match=f"{BRANCH} holds commits of a person"):
            open_pull_request(bot, commit)

        assert world.branches(REPOSITORY) == {"main": commit, BRANCH: pushed}
        assert bot.pull_requests(REPOSITORY, BRANCH) == []

    # What persons do

    def test_a_push_by_a_person_is_seen(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        pushed = world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.number, found.head) == (opened.number, pushed)
        assert (found.state, found.by_us) == (PullRequestState.OPEN, False)

    def test_a_merge_is_seen(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        world.merge(REPOSITORY, opened.number)

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.number, found.state) == (opened.number, PullRequestState.MERGED)
        assert world.files(REPOSITORY, world.branches(REPOSITORY)["main"])["app/Dockerfile"].content == NEW

    def test_a_merge_joins_what_was_pushed_meanwhile(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

        world.merge(REPOSITORY, opened.number)

        merged = bot.repositories()[0].commit
        assert world.files(REPOSITORY, merged) == {
            **FILES,
            "README.md": File(b"More\n"),
            "app/Dockerfile": File(NEW),
        }

    def test_a_conflict_is_seen_and_a_refresh_ends_it(self, world: World, bot: Bot, commit: str) -> None:
        """A forge may find it out only once it was asked."""
        opened = open_pull_request(bot, commit)
        pushed = world.push(REPOSITORY, "main", {"app/Dockerfile": File(b"FROM other\nCMD run\n")})
        bot.pull_requests(REPOSITORY, BRANCH)

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.number, found.conflicts) == (opened.number, True)
        assert not bot.refresh(found, proposal(pushed, NEWER, title="Again")).conflicts
        bot.pull_requests(REPOSITORY, BRANCH)
        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert not found.conflicts

    def test_changes_that_do_not_meet_are_no_conflict(self, world: World, bot: Bot, commit: str) -> None:
        open_pull_request(bot, commit)
        world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})
        bot.pull_requests(REPOSITORY, BRANCH)

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)

        assert not found.conflicts

    def test_labels_are_seen(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        world.label(REPOSITORY, opened.number, ["refrom:ignore", "later"])

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert sorted(found.labels) == ["later", "refrom:ignore"]

    @pytest.mark.parametrize("gone", [False, True], ids=["branch stays", "branch deleted"])
    def test_a_merge_with_plain_git_is_seen(self, world: World, bot: Bot, commit: str, gone: bool) -> None:
        opened = open_pull_request(bot, commit)

        world.merge_with_git(REPOSITORY, BRANCH)
        if gone:
            world.delete_branch(REPOSITORY, BRANCH)

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.number, found.state) == (opened.number, PullRequestState.MERGED)

    def test_a_close_by_a_person_is_seen(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        world.close(REPOSITORY, opened.number)

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.state, found.closed_by_us) == (PullRequestState.CLOSED, False)
        assert found.body == opened.body

    def test_a_deleted_branch_is_a_close_by_a_person(self, world: World, bot: Bot, commit: str) -> None:
        open_pull_request(bot, commit)

        world.delete_branch(REPOSITORY, BRANCH)

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.state, found.closed_by_us) == (PullRequestState.CLOSED, False)

    def test_a_pull_request_follows_a_renamed_default_branch(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        world.rename_default_branch(REPOSITORY, "trunk")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.number, found.state, found.base) == (opened.number, PullRequestState.OPEN, "trunk")
        world.merge_with_git(REPOSITORY, BRANCH)
        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert found.state is PullRequestState.MERGED

    @pytest.mark.parametrize("end", ["merged", "merged by git", "closed", "branch deleted"])
    def test_after_the_end_of_one_the_next_is_another(self, world: World, bot: Bot, commit: str, end: str) -> None:
        """The branch may still be there, with the commit that we made; what became of the first one stays."""
        first = open_pull_request(bot, commit)
        {
            "merged": lambda: world.merge(REPOSITORY, first.number),
            "merged by git": lambda: world.merge_with_git(REPOSITORY, BRANCH),
            "closed": lambda: world.close(REPOSITORY, first.number),
            "branch deleted": lambda: world.delete_branch(REPOSITORY, BRANCH),
        }[end]()
        (ended,) = bot.pull_requests(REPOSITORY, BRANCH)
        now = bot.repositories()[0].commit

        second = open_pull_request(bot, now, {"app/Dockerfile": NEWER})

        assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [second, ended]
        assert second.number > ended.number
        assert world.parents(REPOSITORY, second.head) == [now]

    def test_a_branch_that_is_merged_with_work_of_a_person_is_taken_over(
        self, world: World, bot: Bot, commit: str
    ) -> None:
        open_pull_request(bot, commit)
        world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})
        world.merge_with_git(REPOSITORY, BRANCH)
        now = bot.repositories()[0].commit

        second = open_pull_request(bot, now, {"app/Dockerfile": NEWER})

        assert second.by_us
        assert world.files(REPOSITORY, second.head)["README.md"] == File(b"Mine\n")

    # Refreshing

    def test_a_refresh_replaces_commit_title_and_body(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        pushed = world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

        refreshed = bot.refresh(opened, proposal(pushed, NEWER, title="Again", body="Better\n"))

        assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [refreshed]
        assert (refreshed.number, refreshed.title, refreshed.body) == (opened.number, "Again", "Better\n")
        assert (refreshed.state, refreshed.by_us) == (PullRequestState.OPEN, True)
        assert world.branches(REPOSITORY)[BRANCH] == refreshed.head
        assert world.parents(REPOSITORY, refreshed.head) == [pushed]
        assert world.files(REPOSITORY, refreshed.head) == {
            **FILES,
            "README.md": File(b"More\n"),
            "app/Dockerfile": File(NEWER),
        }

    def test_a_refresh_is_refused_once_a_person_pushed(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        pushed = world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})

        with pytest.raises(ForgeError, match=REPOSITORY):
            bot.refresh(opened, proposal(commit, NEWER, title="Again"))

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.head, found.title) == (pushed, opened.title)

    def test_of_two_bots_that_refresh_at_once_one_is_refused(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        other = world.bot()

        first = bot.refresh(opened, proposal(commit, NEWER, title="First"))
        with pytest.raises(ForgeError, match=REPOSITORY):
            other.refresh(opened, proposal(commit, OLD, title="Second"))

        assert list(bot.pull_requests(REPOSITORY, BRANCH)) == [first]

    @pytest.mark.parametrize("end", ["merged", "closed", "branch deleted"])
    def test_a_refresh_is_refused_after_the_end(self, world: World, bot: Bot, commit: str, end: str) -> None:
        opened = open_pull_request(bot, commit)
        {
            "merged": lambda: world.merge(REPOSITORY, opened.number),
            "closed": lambda: world.close(REPOSITORY, opened.number),
            "branch deleted": lambda: world.delete_branch(REPOSITORY, BRANCH),
        }[end]()
        before = world.branches(REPOSITORY)

        with pytest.raises(ForgeError, match=REPOSITORY):
            bot.refresh(opened, proposal(commit, NEWER, title="Again"))

        assert world.branches(REPOSITORY) == before

    def test_of_bots_that_refresh_at_the_same_time_one_does(self, world: World, commit: str) -> None:
        opened = open_pull_request(world.bot(), commit)
        bots, barrier = [world.bot() for _ in range(3)], Barrier(3)

        def race(number: int) -> PullRequest | None:
            barrier.wait()
            try:
                return bots[number].refresh(opened, proposal(commit, b"FROM %d\n" % number, title=f"Bot {number}"))
            except ForgeError:
                return None

        with ThreadPoolExecutor(len(bots)) as pool:
            (refreshed,) = filter(None, pool.map(race, range(len(bots))))

        assert list(world.bot().pull_requests(REPOSITORY, BRANCH)) == [refreshed]
        assert world.branches(REPOSITORY) == {"main": commit, BRANCH: refreshed.head}

    # Finishing

    def test_a_finish_adds_labels_and_reviewers_and_sets_the_body(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        world.add_reviewer(REPOSITORY, "ada")

        undone = bot.finish(opened, Finish(labels=("base", "security"), reviewers=("ada",)), "Finished\n")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert list(undone) == []
        assert (found.number, found.head, found.title, found.body) == (1, opened.head, "Update", "Finished\n")
        assert sorted(found.labels) == ["base", "security"]
        assert list(world.reviewers(REPOSITORY, opened.number)) == ["ada"]

    def test_a_finish_adds_to_what_a_person_did(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        world.label(REPOSITORY, opened.number, ["mine", "base"])

        bot.finish(opened, Finish(labels=("base", "security")), "Finished\n")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert sorted(found.labels) == ["base", "mine", "security"]

    def test_a_label_that_a_person_took_off_stays_off(self, world: World, bot: Bot, commit: str) -> None:
        """Though another bot has read the pull request before it was finished."""
        opened = open_pull_request(bot, commit)
        bot.finish(opened, Finish(labels=("base",)), "Finished\n")
        world.label(REPOSITORY, opened.number, [])

        world.bot().finish(opened, Finish(labels=("base",)), "Finished\n")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert found.labels == ()

    def test_what_cannot_merge_by_itself_is_told_and_stays_open(self, world: World, bot: Bot, commit: str) -> None:
        """Nobody allowed it, and nothing is required that it could wait for."""
        opened = open_pull_request(bot, commit)

        (undone,) = bot.finish(opened, Finish(labels=("base",), auto_merge="squash"), "Finished\n")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert REPOSITORY in undone
        assert (found.state, found.labels, found.body) == (PullRequestState.OPEN, ("base",), "Finished\n")
        assert world.branches(REPOSITORY)["main"] == commit

    @pytest.mark.parametrize("end", ["merged", "closed"])
    def test_what_ended_is_not_finished(self, world: World, bot: Bot, commit: str, end: str) -> None:
        opened = open_pull_request(bot, commit)
        {"merged": world.merge, "closed": world.close}[end](REPOSITORY, opened.number)

        with pytest.raises(ForgeError, match=REPOSITORY):
            bot.finish(opened, Finish(labels=("base",)), "Finished\n")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.labels, found.body) == ((), BODY)

    # Comments

    def test_a_comment_is_made_once_for_each_mark(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        made = [
            bot.comment_once(opened, mark=MARK, text="Left alone."),
            bot.comment_once(opened, mark=MARK, text="Left alone, still."),
            world.bot().comment_once(opened, mark=MARK, text="Left alone."),
            bot.comment_once(opened, mark="<!-- refrom:other -->", text="Something else."),
        ]

        first, second = world.comments(REPOSITORY, opened.number)
        assert made == [True, False, False, True]
        assert first.splitlines()[0] == "Left alone."
        assert MARK in first.splitlines()
        assert second.splitlines()[0] == "Something else."

    def test_of_two_bots_that_comment_at_once_one_comment_stays(self, world: World, commit: str) -> None:
        opened = open_pull_request(world.bot(), commit)
        bots, barrier = [world.bot() for _ in range(3)], Barrier(3)

        def race(bot: Bot) -> bool:
            barrier.wait()
            return bot.comment_once(opened, mark=MARK, text="Left alone.")

        with ThreadPoolExecutor(len(bots)) as pool:
            made = list(pool.map(race, bots))

        assert len(world.comments(REPOSITORY, opened.number)) == 1
        assert made.count(True) == 1

    # Closing

    def test_a_close_deletes_the_branch_and_says_that_it_was_us(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        bot.close(opened, comment="No longer needed.")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.state, found.closed_by_us) == (PullRequestState.CLOSED, True)
        assert world.branches(REPOSITORY) == {"main": commit}
        assert [said.splitlines()[0] for said in world.comments(REPOSITORY, opened.number)] == ["No longer needed."]

    def test_a_close_may_be_repeated(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)

        bot.close(opened, comment="No longer needed.")
        world.bot().close(opened, comment="No longer needed.")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert found.closed_by_us
        assert len(world.comments(REPOSITORY, opened.number)) == 1

    def test_a_close_leaves_work_of_a_person(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        pushed = world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})

        with pytest.raises(ForgeError, match=REPOSITORY):
            bot.close(opened, comment="No longer needed.")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert (found.state, found.head) == (PullRequestState.OPEN, pushed)

    def test_what_a_person_closed_is_not_closed_by_us(self, world: World, bot: Bot, commit: str) -> None:
        opened = open_pull_request(bot, commit)
        world.close(REPOSITORY, opened.number)

        with pytest.raises(ForgeError, match=REPOSITORY):
            bot.close(opened, comment="No longer needed.")

        (found,) = bot.pull_requests(REPOSITORY, BRANCH)
        assert not found.closed_by_us

    def test_after_a_close_of_ours_the_next_is_another(self, bot: Bot, commit: str) -> None:
        first = open_pull_request(bot, commit)
        bot.close(first, comment="No longer needed.")

        second = open_pull_request(bot, commit)

        assert [found.number for found in bot.pull_requests(REPOSITORY, BRANCH)] == [second.number, first.number]


def open_pull_request(
    bot: Bot,
    commit: str,
    files: dict[str, bytes] | None = None,
    *,
    branch: str = BRANCH,
    base: str = "main",
    draft: bool = False,
) -> PullRequest:
    held = proposal(commit, title="Update", body=BODY, files=files)
    return bot.create(repository=REPOSITORY, branch=branch, base=base, proposal=held, draft=draft)


def proposal(
    commit: str, content: bytes = NEW, *, title: str, body: str = "", files: dict[str, bytes] | None = None
) -> Proposal:
    """Hold a new Dockerfile, or other files; the commit says more than the title."""
    files = {"app/Dockerfile": content} if files is None else files
    return Proposal(commit=commit, files=files, title=title, message=f"{title} the base\n\nIt is old.\n", body=body)


def sources(
    bot: Bot, commit: str, wanted: Callable[[str], bool] = lambda _: True, *, repository: str = REPOSITORY
) -> Sources:
    """Read one commit; raises its error."""
    listed = SourceRepository(name=repository, default_branch="main", commit=commit)
    ((given, found),) = bot.sources([listed], wanted)
    assert given == listed
    if isinstance(found, ForgeError):
        raise found
    return replace(found, changed=None)


def changed(bot: Bot) -> datetime | None:
    """When somebody else last changed the default branch."""
    (listed,) = bot.repositories()
    ((_, found),) = bot.sources([listed], lambda _: False)
    assert isinstance(found, Sources)
    return found.changed


class CommitContract:
    """What the builder is proven with: all that a commit lists, with ids; the forges that serve it inherit these."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    @pytest.fixture
    def lister(self, world: World) -> Lister:
        raise NotImplementedError

    @pytest.fixture
    def commit(self, world: World) -> str:
        return world.create_repository(REPOSITORY, FILES)

    def test_a_tree_lists_files_and_links_in_path_order_with_modes_and_sizes(self, lister: Lister, commit: str) -> None:
        tree = lister.tree(REPOSITORY, commit)

        assert [(entry.path, entry.mode, entry.size) for entry in tree] == [
            (path, file.mode, len(file.content)) for path, file in sorted(FILES.items())
        ]

    def test_an_unchanged_file_keeps_its_id(self, world: World, lister: Lister, commit: str) -> None:
        pushed = world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

        before, after = ({e.path: e.id for e in lister.tree(REPOSITORY, c)} for c in (commit, pushed))

        assert {path for path in before if before[path] != after[path]} == {"README.md"}

    def test_files_are_read_as_they_are_and_what_is_none_is_left_out(self, lister: Lister, commit: str) -> None:
        read = lister.read(REPOSITORY, commit, ["app/Dockerfile", "app/latest", "missing", "app", "app/", ""])

        assert read == {"app/Dockerfile": OLD, "app/latest": b"Dockerfile"}

    def test_an_unknown_commit_is_an_error_that_names_the_repository(self, lister: Lister, commit: str) -> None:
        for unknown in ("0" * 40, "main", "--help", f"{commit}:app", ""):
            with pytest.raises(ForgeError, match=REPOSITORY):
                lister.tree(REPOSITORY, unknown)
            with pytest.raises(ForgeError, match=REPOSITORY):
                lister.read(REPOSITORY, unknown, ["README.md"])
