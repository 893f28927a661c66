"""What a command declares stands beside what people wrote, whose bytes stay; it is written whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml.comments import CommentedMap

from bot.core.errors import SettingsError
from bot.core.modes import Mode, UpdateMode
from bot.core.policy import Declarations, FunctionMode
from bot.settings import load_declarations
from bot.settings.holds_file import declare_mode, edit
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
        edit(path, drop, lambda before: before)

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
