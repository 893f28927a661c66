"""Where two emulators of GitHub are known to differ from it, so that the contract cannot hold: the reasons, and tests.

A test that is listed must fail, and one that is not must pass: what an emulator learns is noticed as what it unlearns.
`Difference.by_chance` are tests in which both may happen; they are not run, and a rule checks what they differ in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest

from bot.core.errors import ForgeError
from tests.adapters.forge.emulator_world import Impossible


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What an emulator does, and what GitHub does in its stead; tests by name, with the parameter where it matters."""

    why: str
    tests: Sequence[str] = ()
    by_chance: Sequence[str] = field(default=())


def expect(request: pytest.FixtureRequest, differences: Sequence[Difference]) -> None:
    """Expect the test that asks to fail if a difference names it."""
    for one in differences:
        if request.node.name in one.tests:
            failures = (AssertionError, pytest.fail.Exception, ForgeError, Impossible)
            request.applymarker(pytest.mark.xfail(reason=one.why, strict=True, raises=failures))
        if request.node.name in one.by_chance:
            pytest.xfail(f"by chance: {one.why}")


_NO_GIT: Final = Difference(
    why="it serves no git over HTTP, as GitHub does",
    tests=("test_a_checkout_has_all_files_with_their_modes", "test_a_checkout_has_no_link_that_leaves_it"),
)
_NO_DELETION: Final = Difference(
    why="no pull request can be deleted, at GitHub neither; test_emulators.py makes that crash in another way",
    tests=("test_a_branch_left_by_a_crash_is_taken_over",),
)
_NO_HISTORY: Final = Difference(
    why="the queries that it lacks are answered out of folders and files, which say nothing of the commits before",
    tests=(
        "test_what_we_did_is_no_change_of_somebody_else_whoever_merged_it[by button]",
        "test_what_we_did_is_no_change_of_somebody_else_whoever_merged_it[by git]",
    ),
)
_MERGED_BY_PUSH: Final = (
    "test_a_branch_that_is_merged_with_work_of_a_person_is_taken_over",
    "test_a_merge_with_plain_git_is_seen[branch stays]",
    "test_a_merge_with_plain_git_is_seen[branch deleted]",
    "test_after_the_end_of_one_the_next_is_another[merged by git]",
)
_DELETED_BRANCH: Final = (
    "test_a_deleted_branch_is_a_close_by_a_person",
    "test_after_the_end_of_one_the_next_is_another[branch deleted]",
)

EMULATE: Final = (
    _NO_GIT,
    _NO_DELETION,
    _NO_HISTORY,
    Difference(
        why="it opens a second pull request from the same branch (201), which GitHub refuses (422)",
        by_chance=("test_two_bots_at_once_open_one_pull_request",),
    ),
    Difference(
        why="its merge takes the files of the head; GitHub joins them with what was pushed to the base meanwhile",
        tests=("test_a_merge_joins_what_was_pushed_meanwhile",),
    ),
    Difference(
        why="it does not see that a push merged a pull request, as GitHub does",
        tests=_MERGED_BY_PUSH,
    ),
    Difference(
        why="it leaves a pull request open whose branch was deleted; GitHub closes it",
        tests=_DELETED_BRANCH,
    ),
    Difference(
        why="it calls every open pull request mergeable; GitHub tries the merge",
        tests=("test_a_conflict_is_seen_and_a_refresh_ends_it",),
    ),
    Difference(
        why="it cannot rename a branch, which at GitHub takes pull requests along",
        tests=("test_a_pull_request_follows_a_renamed_default_branch",),
    ),
)

MYWORLD: Final = (
    _NO_GIT,
    _NO_DELETION,
    _NO_HISTORY,
    Difference(
        why="its repositories begin with a file; GitHub's may be empty",
        tests=("test_an_empty_repository_that_only_a_pattern_finds_is_left_out",),
    ),
    Difference(
        why="it can neither rename a branch nor make another one the default, as GitHub can",
        tests=("test_a_renamed_default_branch_is_seen", "test_a_pull_request_follows_a_renamed_default_branch"),
    ),
    Difference(
        why="its files are texts without modes, so none is executable, a link, or bytes; git's are all that",
        tests=(
            "test_a_link_is_not_followed_and_its_text_is_no_content",
            "test_bytes_are_not_touched",
            "test_a_pull_request_holds_one_commit_with_the_new_contents",
            "test_the_mode_of_a_file_is_kept",
            "test_what_is_no_regular_file_is_not_edited[app/latest]",
            "test_a_merge_joins_what_was_pushed_meanwhile",
            "test_a_refresh_replaces_commit_title_and_body",
        ),
    ),
    Difference(
        why="its REST API commits one file at a time, and it has none of GitHub's ways to commit several",
        tests=("test_several_files_change_in_one_commit",),
    ),
    Difference(
        why="it does not tell who was asked to review",
        tests=("test_a_finish_adds_labels_and_reviewers_and_sets_the_body",),
    ),
    Difference(
        why="its comments cannot be deleted, so of several at once all may stay",
        by_chance=("test_of_two_bots_that_comment_at_once_one_comment_stays",),
    ),
    Difference(
        why="it forgets the head of a pull request whose branch is gone (null, where GitHub's schema has no null)",
        tests=(
            "test_a_close_deletes_the_branch_and_says_that_it_was_us",
            "test_a_close_may_be_repeated",
            "test_after_a_close_of_ours_the_next_is_another",
            "test_a_reader_beside_a_writer_never_sees_half_a_change",
            *_DELETED_BRANCH,
        ),
    ),
    Difference(
        why="it shows an ended pull request with the head that its branch has now; at GitHub that stays as it was",
        tests=(
            "test_after_the_end_of_one_the_next_is_another[merged]",
            "test_after_the_end_of_one_the_next_is_another[closed]",
        ),
    ),
    Difference(why="it does not see that a push merged a pull request, as GitHub does", tests=_MERGED_BY_PUSH),
)
