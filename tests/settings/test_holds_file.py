"""What a command declares stands beside what people wrote, whose bytes stay; it is written whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml.comments import CommentedMap

from bot.core.digest import Digest
from bot.core.errors import SettingsError
from bot.core.modes import Mode, UpdateMode
from bot.core.policy import Block, Declarations, FunctionMode, Hold
from bot.settings import load_declarations
from bot.settings.holds_file import Edit, block, by_document, declare_mode, hold, release, unblock
from bot.settings.loading import DECLARED
from tests.core.facts import manual

MODE = manual("orders", 'it "hangs": #7', date(2027, 1, 31))
BY_HAND = """\
# what we hold
version: 1

holds:  # ask Jo
  - repository: "acme/legacy-*"   # old
    reason: 'it''s frozen'
    until: 2026-12-31

  - {function: search, reason: "a very long reason that is longer than a line of eighty characters, and then some more"}
blocks: []
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "refrom.holds.yaml"


def test_a_file_that_is_not_there_is_written(path: Path) -> None:
    declare_mode(path, MODE)

    assert load_declarations(path) == Declarations(modes=(MODE,))
    assert path.read_text() == (
        "version: 1\nmodes:\n  - function: orders\n    mode: manual\n    reason: 'it \"hangs\": #7'\n"
        "    until: 2027-01-31\n"
    )
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BY_HAND, id="indented lists"),
        pytest.param(BY_HAND.replace("\n  - ", "\n- ").replace("\n    ", "\n  "), id="lists that are not"),
        pytest.param("version: 1\n# nothing yet\n", id="a comment alone"),
    ],
)
def test_what_people_wrote_stays_byte_for_byte(path: Path, text: str) -> None:
    path.write_text(text)

    declare_mode(path, MODE)

    assert path.read_text().startswith(text.rstrip("\n"))
    assert load_declarations(path).modes == (MODE,)


def test_a_function_is_declared_once_and_the_latest_counts(path: Path) -> None:
    other = manual("search", "x", date(2027, 2, 1))
    later = manual("orders", "still", date(2027, 3, 1))

    for mode in (MODE, other, later):
        declare_mode(path, mode)

    assert load_declarations(path).modes == (later, other)


def test_a_mode_that_is_not_manual_needs_no_reason_and_leaves_none_of_the_one_before(path: Path) -> None:
    said = UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by=DECLARED)

    for mode in (MODE, FunctionMode(function="orders", mode=said)):
        declare_mode(path, mode)

    assert path.read_text() == "version: 1\nmodes:\n  - function: orders\n    mode: function-update\n"


def test_a_faulty_file_is_refused_with_its_faults_and_left_alone(path: Path) -> None:
    path.write_text("version: 1\nholds: [{reason: x}]\n")

    with pytest.raises(SettingsError, match=r"holds.yaml:2: holds\[0\]: names nothing"):
        declare_mode(path, MODE)

    assert path.read_text() == "version: 1\nholds: [{reason: x}]\n"


def test_a_change_that_says_something_else_than_was_meant_is_not_written(path: Path) -> None:
    path.write_text(BY_HAND)

    def drop(document: CommentedMap) -> None:
        del document["holds"][0]

    with pytest.raises(SettingsError, match="would not say what was meant"):
        Edit(rewrite=by_document(drop), expected=lambda before: replace(before, modes=(MODE,))).apply(path)

    assert path.read_text() == BY_HAND
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_rights_of_the_file_stay(path: Path) -> None:
    path.write_text(BY_HAND)
    path.chmod(0o600)

    declare_mode(path, MODE)

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "refrom.holds.yaml"

    with pytest.raises(SettingsError, match=r"cannot be written .No such file or directory.; make its folder writable"):
        declare_mode(path, MODE)


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    path.write_text(BY_HAND)
    modes = [manual(f"f{number}", "x", date(2027, 1, 1)) for number in range(20)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda mode: declare_mode(path, mode), modes))

    assert set(load_declarations(path).modes) == set(modes)
    assert len(load_declarations(path).holds) == 2


# Hold and release, block and unblock

COMMENTED = """\
# what we hold
version: 1

holds:  # ask Jo
  # the first
  - repository: "acme/legacy-*"   # old
    reason: 'it\'\'s frozen'
    until: 2026-12-31

  # the second
  - {function: search, reason: "a very long reason"}
  # the third
  - function: z
    reason: >-
      many

      lines
    # of z

# below
blocks: []
"""
DIGEST = Digest.of(b"bad")


def test_a_hold_is_written_with_who_said_it(path: Path) -> None:
    declared = Hold(
        repository="acme/*", path="app/*", runtime="python3.13", reason="freeze", until=date(2027, 1, 31), by="Jo"
    )

    assert hold(declared).apply(path)

    assert load_declarations(path).holds == (declared,)
    assert path.read_text() == (
        "version: 1\nholds:\n  - repository: acme/*\n    path: app/*\n    runtime: python3.13\n    reason: freeze\n"
        "    until: 2027-01-31\n    by: Jo\n"
    )


def test_what_is_held_already_is_held_once_with_what_was_said_last(path: Path) -> None:
    first, last = Hold(function="orders", reason="x", until=date(2027, 1, 1)), Hold(function="orders", reason="y")

    changed = [hold(one).apply(path) for one in (first, first, last)]

    assert changed == [True, False, True]
    assert load_declarations(path).holds == (last,)


@pytest.mark.parametrize(
    ("named", "gone"),
    [
        pytest.param(
            Hold(repository="acme/legacy-*", reason=""),
            "  - repository: \"acme/legacy-*\"   # old\n    reason: 'it''s frozen'\n    until: 2026-12-31\n",
            id="several lines",
        ),
        pytest.param(
            Hold(function="search", reason=""),
            '  - {function: search, reason: "a very long reason"}\n',
            id="one line",
        ),
        pytest.param(
            Hold(function="z", reason=""),
            "  - function: z\n    reason: >-\n      many\n\n      lines\n    # of z\n",
            id="a text of several lines",
        ),
    ],
)
def test_what_is_released_goes_with_its_own_lines_and_all_others_stay(path: Path, named: Hold, gone: str) -> None:
    path.write_text(COMMENTED)

    assert release(named).apply(path)

    assert path.read_text() == COMMENTED.replace(gone, "")


def test_the_last_one_that_is_released_leaves_an_empty_list(path: Path) -> None:
    path.write_text("version: 1\nholds:  # ask Jo\n- function: f\n  reason: x\n# below\n")

    assert release(Hold(function="f", reason="")).apply(path)

    assert path.read_text() == "version: 1\nholds: []  # ask Jo\n# below\n"


def test_a_list_in_one_line_is_edited_too(path: Path) -> None:
    path.write_text("version: 1\nholds: [{function: f, reason: x}, {function: g, reason: y}]\n")

    release(Hold(function="f", reason="")).apply(path)

    assert load_declarations(path).holds == (Hold(function="g", reason="y"),)


def test_what_is_not_held_cannot_be_released(path: Path) -> None:
    """A glob is no name of what it covers."""
    path.write_text(COMMENTED)

    with pytest.raises(SettingsError, match=r"repository acme/legacy-x, path Dockerfile is not held; name what was"):
        release(Hold(repository="acme/legacy-x", path="Dockerfile", reason="")).apply(path)

    assert path.read_text() == COMMENTED


def test_a_digest_is_blocked_once_and_unblocked(path: Path) -> None:
    first, last = Block(digest=DIGEST, reason="breaks dnf", by="Jo"), Block(digest=DIGEST, reason="x")

    changed = [block(one).apply(path) for one in (first, first, last)]
    there = load_declarations(path).blocks
    unblock(DIGEST).apply(path)

    assert changed == [True, False, True]
    assert there == (last,)
    assert load_declarations(path).blocks == ()
    with pytest.raises(SettingsError, match=rf"{DIGEST} is not blocked"):
        unblock(DIGEST).apply(path)


def test_what_an_edit_would_change_is_known_before(path: Path) -> None:
    declared = hold(Hold(function="orders", reason="x"))

    before = declared.changes(path)
    declared.apply(path)

    assert (before, declared.changes(path)) == (True, False)
