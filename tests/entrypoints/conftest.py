"""What the tests of the command line share: a fleet in files, and a way to run refrom over it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.entrypoints.cli import main
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.ports.clock import Clock
from bot.wiring import VirtualClock
from tests.lab.fleet import moved_fleet


@dataclass(frozen=True, slots=True)
class Ran:
    """What one invocation gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document that standard output is, and nothing else."""
        document: dict[str, Any] = json.loads(self.out)
        return document


Refrom = Callable[..., Ran]


@pytest.fixture
def refrom(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refrom:
    """Run the command line in an empty folder of its own, a few hours after the demo's bases moved."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*arguments: object, clock: Clock | None = None) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments], clock=clock or VirtualClock(MOVED + timedelta(hours=3)))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def fleet(tmp_path: Path) -> Stage:
    """The demo's fleet in files, on the day after its bases moved; nothing was proposed yet."""
    return moved_fleet(tmp_path / "fleet")
