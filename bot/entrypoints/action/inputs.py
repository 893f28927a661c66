"""The Action's inputs, which action.yml hands over in the environment; every fault is told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bot.core.errors import SettingsError

_TRUTH: Final = {"true": True, "false": False}
_YAML: Final = {word for plain in _TRUTH for word in (plain, plain.capitalize(), plain.upper())}
"""How YAML 1.2 writes a truth value, which is how an input may be written."""


class Command(StrEnum):
    """What the Action does; the commands of the command line that end by themselves."""

    RUN = "run"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a job asked for; `config` is the settings file. The token is where the settings look for it."""

    command: Command
    config: Path
    dry_run: bool


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read the inputs; a path is relative to the job's workspace. Raises `SettingsError` with every fault."""
    command, dry_run = environ.get("REFROM_COMMAND", ""), environ.get("REFROM_DRY_RUN", "")
    config = Path(environ.get("GITHUB_WORKSPACE", "."), environ.get("REFROM_CONFIG", ""))
    faults = []
    if command not in set(Command):
        faults.append(f"input command: {command!r} is no command of the Action; give {' or '.join(Command)}")
    if dry_run not in _YAML:
        faults.append(f"input dry-run: {dry_run!r} is no truth value; give true or false")
    if not config.is_file():
        cure = "check the repository out before this step, write them there (refrom init does), or name them in config"
        faults.append(f"input config: no settings at {config}; {cure}")
    if faults:
        raise SettingsError(faults)
    return Inputs(command=Command(command), config=config, dry_run=_TRUTH[dry_run.lower()])
