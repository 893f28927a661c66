"""The demo's fleet in files, for tests that work over it."""

from pathlib import Path

from bot.entrypoints.demo.fleet import MOVES, START
from bot.entrypoints.demo.stage import Stage
from bot.wiring import VirtualClock, open_rehearsal


def moved_fleet(folder: Path) -> Stage:
    """Make the fleet in a new folder, as it is after its bases moved; nothing was proposed yet."""
    stage = Stage(folder)
    stage.folder.mkdir()
    stage.write_settings()
    with open_rehearsal(stage.settings, VirtualClock(START)) as rehearsal:
        stage.build(rehearsal)
        for move in MOVES:
            if move.after:
                stage.publish(rehearsal, move.after)
    return stage
