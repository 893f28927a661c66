"""What the lab fetched once is there for all test processes, whole."""

from functools import partial
from pathlib import Path

import pytest

from tests.lab.cache import cached


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REFROM_LAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def installed(folder: Path, text: str) -> Path:
    made = folder / "installed"
    made.mkdir(parents=True)
    (made / "file").write_text(text)
    return made


def test_a_folder_is_made_once_and_kept(folder: Path) -> None:
    for text in ("first", "second"):
        kept = cached("tool", partial(installed, text=text))

        assert (kept, (kept / "file").read_text()) == (folder / "tool", "first")
    assert [path.name for path in folder.iterdir()] == ["tool"]


def test_of_two_processes_that_make_a_folder_the_first_one_stays(folder: Path) -> None:
    def make(place: Path) -> Path:
        installed(folder, "of the other process").rename(folder / "tool")
        return installed(place, "ours")

    assert (cached("tool", make) / "file").read_text() == "of the other process"
    assert [path.name for path in folder.iterdir()] == ["tool"]


def test_what_could_not_be_made_leaves_nothing(folder: Path) -> None:
    def make(place: Path) -> Path:
        installed(place, "half")
        raise LookupError

    with pytest.raises(LookupError):
        cached("tool", make)
    assert list(folder.iterdir()) == []
