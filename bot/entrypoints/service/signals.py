"""The end of the service: asked for by a signal, enforced after a grace."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import FrameType
from typing import Final

from bot.wiring import AskedStop

ENDING: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(stop: AskedStop, grace: float) -> Iterator[None]:
    """Ask for a stop at SIGTERM or SIGINT, as long as the block lasts; only in the main thread.

    A second signal, or `grace` seconds after the first, raises `KeyboardInterrupt` in whatever the main thread does:
    that is what a crash would do to it, and every effect is safe to repeat.
    """
    arrivals = count(1)

    def ask(_number: int, _frame: FrameType | None) -> None:
        if next(arrivals) > 1:  # counted in one step, for the second signal may come while the first is handled
            raise KeyboardInterrupt
        stop.ask()
        signal.setitimer(signal.ITIMER_REAL, grace)

    def cut_off(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {ending: signal.signal(ending, ask) for ending in ENDING}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, cut_off)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for ending, handler in before.items():
            signal.signal(ending, handler)
