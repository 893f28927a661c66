"""How far a long reading is: one line that renews itself in a terminal, elsewhere a line for every tenth."""

from typing import Final

from rich.console import Console
from rich.control import Control

from bot.entrypoints.tables import say
from bot.ports.fleet import Progress

_STEPS: Final = 10


def shown_on(console: Console) -> Progress:
    """Return what shows progress on a console; what is done at once is not worth a line."""
    return _Renewed(console) if console.is_terminal else _Lines(console)


class _Renewed:
    """One line in a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, what: str, done: int, total: int) -> None:
        """Write over the line before; the last word on something stays, and the next begins below."""
        end = "\n" if done == total else ""
        self._console.control(Control.move_to_column(0))
        self._console.print(f"{what}: {done} of {total}", end=end, highlight=False, markup=False)


class _Lines:
    """A line for every tenth, in a file or a pipe."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, what: str, done: int, total: int) -> None:
        """Write a line where another tenth is done; fewer than ten get none."""
        if total >= _STEPS and done * _STEPS // total > (done - 1) * _STEPS // total:
            say(self._console, f"{what}: {done} of {total}")
