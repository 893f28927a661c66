"""Whose a commit is, told by its message: what is ours is nobody's change, however it came to the default branch."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.authorship import LAST, Said, believed, is_ours, last_change, trailer

BEGINNING = "refrom/"
BRANCH = "refrom/lambda-base-images"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OURS = f"Update Lambda base image python3.13\n\n{trailer(BRANCH)}\n"


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(OURS, id="our commit"),
        pytest.param(f"Update Lambda base image (#7)\n\n* Update\n\n{trailer(BRANCH)}", id="squashed"),
        pytest.param(
            'Update (#7)\n\nWhy\n\n<!-- refrom:plan {"steps": ["1"]} -->\n',
            id="squashed, with our text",
        ),
        pytest.param(f"Merge pull request #7 from acme/{BRANCH}\n\nUpdate", id="merged by button"),
        pytest.param("Merge pull request #7 from acme/refrom/python3.13", id="merged by queue, another group"),
        pytest.param(f"Merge branch '{BRANCH}'", id="merged by git"),
        pytest.param(f"Merge remote-tracking branch 'origin/{BRANCH}'", id="merged by git from elsewhere"),
        pytest.param(f"Merge branch '{BRANCH}' of github.com:acme/orders into main", id="merged by git into a branch"),
        pytest.param(f"Merge branch 'main' into {BRANCH}", id="brought up to date"),
        pytest.param(f"Merge branch 'main' into '{BRANCH}'", id="brought up to date, quoted"),
    ],
)
def test_what_we_did_is_ours_whoever_merged_it(message: str) -> None:
    assert is_ours(message, BEGINNING)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("", id="nothing"),
        pytest.param("Fix the handler", id="a commit"),
        pytest.param("Merge pull request #7 from acme/feature/refrom/x\n\nRefrom", id="a branch named like ours"),
        pytest.param("Merge branch 'main' into feature", id="a branch brought up to date"),
        pytest.param(f'Revert "Update"\n\nThis reverts commit {"1" * 40}.', id="a revert of ours"),
        pytest.param(f"Talk about {trailer(BRANCH)}", id="our trailer inside a line"),
        pytest.param("Bump\n\nMerge pull request #7 from acme/refrom/x", id="a merge told below"),
    ],
)
def test_what_somebody_else_did_is_not(message: str) -> None:
    assert not is_ours(message, BEGINNING)


def test_the_last_change_is_the_newest_that_is_not_ours() -> None:
    commits = [Said(NOON, OURS), Said(NOON - timedelta(hours=1), "Fix"), Said(NOON - timedelta(hours=2), "Begin")]

    assert last_change(commits, BEGINNING) == NOON - timedelta(hours=1)


def test_where_all_that_is_looked_at_is_ours_nobody_is_known_to_have_changed_anything() -> None:
    assert last_change([Said(NOON, OURS)] * LAST, BEGINNING) is None
    assert last_change([], BEGINNING) is None


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        pytest.param(timedelta(days=-400), True, id="long ago"),
        pytest.param(timedelta(minutes=5), True, id="another clock"),
        pytest.param(timedelta(days=1), False, id="in the future"),
    ],
)
def test_a_change_in_the_future_is_none(ahead: timedelta, *, expected: bool) -> None:
    assert believed(NOON + ahead, NOON) == (NOON + ahead if expected else None)
    assert believed(None, NOON) is None
