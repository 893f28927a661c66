"""Progress: one line that renews itself in a terminal, a line for every tenth elsewhere; never on standard output."""

import io

import pytest
from rich.console import Console

from bot.entrypoints.progress import shown_on


def lines(total: int) -> list[str]:
    out = io.StringIO()
    progress = shown_on(Console(file=out, force_terminal=False, width=40))
    for done in range(1, total + 1):
        progress("functions read", done, total)
    return out.getvalue().splitlines()


def test_a_file_gets_a_line_for_every_tenth() -> None:
    told = lines(500)

    assert told == [f"functions read: {done} of 500" for done in range(50, 501, 50)]


@pytest.mark.parametrize("total", [10, 11, 99, 1001])
def test_whatever_the_total_there_are_ten_lines_and_the_last_is_the_end(total: int) -> None:
    told = lines(total)

    assert len(told) == 10
    assert told[-1] == f"functions read: {total} of {total}"


def test_what_is_done_at_once_is_not_worth_a_line() -> None:
    assert lines(9) == []


def test_a_terminal_gets_one_line_that_renews_itself() -> None:
    out = io.StringIO()
    progress = shown_on(Console(file=out, force_terminal=True, width=40, color_system=None))

    for done in (1, 2, 3):
        progress("functions read", done, 3)

    shown = out.getvalue()
    assert shown.count("\n") == 1
    assert shown.split("\x1b[1G")[1:] == [f"functions read: {done} of 3" + "\n" * (done == 3) for done in (1, 2, 3)]
