"""Inputs arrive as text; what is wrong with them is told at once, each with its cure."""

from pathlib import Path

import pytest

from bot.core.errors import SettingsError
from bot.entrypoints.action.inputs import Command, read_inputs


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """What action.yml hands over where a workflow gives nothing, in a workspace with settings."""
    (tmp_path / "refrom.yaml").write_text("version: 1\n")
    return {
        "GITHUB_WORKSPACE": str(tmp_path),
        "REFROM_CONFIG": "refrom.yaml",
        "REFROM_COMMAND": "run",
        "REFROM_DRY_RUN": "false",
    }


def test_the_defaults_are_one_cycle_over_the_settings_of_the_workspace(given: dict[str, str], tmp_path: Path) -> None:
    inputs = read_inputs(given)

    assert (inputs.command, inputs.config, inputs.dry_run) == (Command.RUN, tmp_path / "refrom.yaml", False)


def test_settings_may_be_elsewhere(given: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "refrom.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("version: 1\n")

    assert read_inputs({**given, "REFROM_CONFIG": str(elsewhere)}).config == elsewhere


@pytest.mark.parametrize(
    ("text", "truth"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)],
)
def test_a_truth_value_is_written_as_in_yaml(given: dict[str, str], text: str, truth: bool) -> None:
    assert read_inputs({**given, "REFROM_DRY_RUN": text}).dry_run is truth


@pytest.mark.parametrize("text", ["", "yes", "1", "tRUE", " true"])
def test_what_is_no_truth_value_changes_nothing_by_accident(given: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsError, match="no truth value; give true or false"):
        read_inputs({**given, "REFROM_DRY_RUN": text})


def test_all_faults_are_told_at_once(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as told:
        read_inputs({**given, "REFROM_COMMAND": "serve", "REFROM_DRY_RUN": "", "REFROM_CONFIG": "none.yaml"})

    assert [fault.partition(":")[0] for fault in told.value.faults] == [
        "input command",
        "input dry-run",
        "input config",
    ]
