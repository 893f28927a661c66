"""The end of the service: asked for by a signal, enforced after a grace."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
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

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask()
        signal.setitimer(signal.ITIMER_REAL, grace)

    def cut_off(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in ENDING}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, cut_off)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
