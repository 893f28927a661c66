"""Figures beside their goals, and the CPU time that they are about."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its goal; `holds` is None where it could not be measured."""

    what: str
    figure: str
    goal: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program took: seconds of CPU, bytes of memory at its peak."""

    cpu: float
    memory: int


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU that some work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def cost(command: Sequence[str | Path], folder: Path) -> Cost:
    """Run a program in a folder to its good end, and say what it took."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as program:
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def report(rows: Sequence[Row]) -> int:
    """Print rows; 1 if a goal is missed."""
    words = {True: "holds", False: "FAILS", None: "-----"}
    for row in rows:
        print(f"{words[row.holds]}  {row.what}: {row.figure} (goal: {row.goal})")  # noqa: T201 - a command
    return 1 if any(row.holds is False for row in rows) else 0
