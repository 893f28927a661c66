"""What the runner is told: it hears our commands and nobody else's, and reads values whatever they hold."""

import io
from pathlib import Path

import pytest

from bot.core.errors import SettingsError
from bot.entrypoints.action.runner import Runner, assignment, command
from tests.entrypoints.action.listener import heard

HOSTILE = ("::add-mask::a", "  ::error::forged", "x ##[error]forged", "::stop-commands::mine", "%0A::error::forged")


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def runner(tmp_path: Path, log: io.StringIO) -> Runner:
    environ = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary", "RUNNER_TEMP": "."}
    return Runner.of({name: str(tmp_path / path) for name, path in environ.items()}, log)


@pytest.mark.parametrize(
    "text", ["plain", "100% :, of\r\ntwo lines", "::error::forged", "##[error]forged", "%0A", "%250A", ""]
)
def test_a_command_carries_any_text(text: str) -> None:
    line = command("error", text, title=text)

    assert "\n" not in line
    assert heard(line) == [("error", f"title={text}", text)]


def test_what_others_wrote_is_not_heard(runner: Runner, log: io.StringIO) -> None:
    with runner.unheard() as shown:
        shown.write("\n".join(HOSTILE))
    runner.error("after", "heard again")

    assert all(line in log.getvalue() for line in HOSTILE)
    assert heard(log.getvalue()) == [("error", "title=after", "heard again")]


def test_the_same_lines_would_be_heard_without_that() -> None:
    assert len(heard("\n".join(HOSTILE[:3]))) == 3


def test_nobody_can_know_the_word_that_ends_the_silence(runner: Runner, log: io.StringIO) -> None:
    for _ in range(2):
        with runner.unheard():
            pass

    words = [line for line in log.getvalue().splitlines() if line.startswith("::stop-commands::")]
    assert len(set(words)) == 2
    assert all(len(word) >= len("::stop-commands::") + 32 for word in words)


def test_a_secret_is_masked_line_by_line(runner: Runner, log: io.StringIO) -> None:
    runner.mask("-----BEGIN\nabc\n\n  \ndef")

    assert heard(log.getvalue()) == [("add-mask", "", "-----BEGIN"), ("add-mask", "", "abc"), ("add-mask", "", "def")]


def test_an_empty_secret_masks_nothing(runner: Runner, log: io.StringIO) -> None:
    runner.mask("")

    assert log.getvalue() == ""


def test_an_output_ends_where_its_delimiter_stands() -> None:
    assert assignment("name", "a\nEOF\n=b", "x7") == "name<<x7\na\nEOF\n=b\nx7\n"


def test_outputs_are_read_back_whatever_they_hold(runner: Runner, tmp_path: Path) -> None:
    runner.output("one", "a\none<<b\nb")
    runner.output("two", "")

    lines = (tmp_path / "output").read_text().split("\n")
    delimiter = lines[0].removeprefix("one<<")
    assert len(delimiter) == 32
    assert lines[1 : lines.index(delimiter)] == ["a", "one<<b", "b"]
    assert lines[lines.index(delimiter) + 1].startswith("two<<")


def test_text_that_is_no_unicode_is_shown_all_the_same(runner: Runner, tmp_path: Path) -> None:
    """Paths of a repository may hold any byte; Python hands them over as surrogates."""
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        strict = Runner(log=log, outputs=runner.outputs, summary_file=runner.summary_file, temporary=tmp_path)
        strict.error("a\udcff", "b\udcff")
        strict.summarize("c\udcff")

    assert heard((tmp_path / "log").read_text()) == [
        ("error", "title=a?", "b?"),
    ]
    assert (tmp_path / "summary").read_text() == "c?"


def test_each_use_keeps_its_own_file(runner: Runner) -> None:
    first, second = runner.keep("run.json", "1"), runner.keep("run.json", "2")

    assert (first.read_text(), second.read_text()) == ("1", "2")


def test_outside_of_a_job_it_says_what_is_missing(log: io.StringIO) -> None:
    with pytest.raises(SettingsError) as told:
        Runner.of({"RUNNER_TEMP": "/tmp"}, log)  # noqa: S108 - never written to

    assert [fault.split()[0] for fault in told.value.faults] == ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]
