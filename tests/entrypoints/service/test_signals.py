"""Signals ask for the end once, and cut off when they come again, even while the first is handled."""

import signal
from datetime import timedelta

import pytest

from bot.adapters.engine.clock import SystemClock
from bot.adapters.engine.stop import AskedStop
from bot.entrypoints.service.signals import ENDING, stop_on_signals

LONG = 3600.0


class Interrupted(AskedStop):
    """A stop during whose asking the second signal arrives."""

    def ask(self) -> None:
        signal.raise_signal(signal.SIGINT)
        super().ask()


@pytest.mark.parametrize("number", ENDING)
def test_the_first_signal_asks(number: signal.Signals) -> None:
    clock = SystemClock()
    stop = AskedStop(clock)

    with stop_on_signals(stop, LONG):
        signal.raise_signal(number)
        stop.wait_until(clock.now() + timedelta(days=1))

    assert stop.asked


@pytest.mark.parametrize("number", ENDING)
def test_the_second_signal_cuts_off(number: signal.Signals) -> None:
    stop = AskedStop(SystemClock())

    with stop_on_signals(stop, LONG):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)

    assert stop.asked


def test_a_second_signal_while_the_first_is_handled_cuts_off() -> None:
    with stop_on_signals(Interrupted(SystemClock()), LONG), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_the_end_of_the_grace_cuts_off() -> None:
    def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        signal.pause()  # at most until the alarm

    with pytest.raises(KeyboardInterrupt), stop_on_signals(AskedStop(SystemClock()), 0.01):
        work()


def test_afterwards_signals_and_alarm_are_as_before() -> None:
    numbers = (*ENDING, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]

    with stop_on_signals(AskedStop(SystemClock()), LONG):
        signal.raise_signal(signal.SIGTERM)

    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
