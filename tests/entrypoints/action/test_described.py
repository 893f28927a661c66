"""The page of the Action says what action.yml says, and the code reads what action.yml hands over."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/action.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return document


def rows(title: str) -> dict[str, tuple[str, ...]]:
    """The rows of the table under a heading, by the name in their first cell."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines() if "| `" in line]
    return {name.strip("`"): tuple(rest) for name, *rest in cells}


def test_the_page_names_every_input_with_its_meaning_and_default(action: dict[str, Any]) -> None:
    assert rows("Inputs") == {
        name: (given["description"], f"`{given['default']}`") for name, given in action["inputs"].items()
    }


def test_the_page_names_every_output_with_its_meaning(action: dict[str, Any]) -> None:
    assert rows("Outputs") == {name: (given["description"],) for name, given in action["outputs"].items()}


def test_no_script_holds_an_expression(action: dict[str, Any]) -> None:
    """Text of a workflow would be run as a script; variables carry it."""
    scripts = [step["run"] for step in action["runs"]["steps"]]

    assert len(scripts) == 2
    assert [script for script in scripts if "${{" in script] == []


def test_the_token_is_seen_by_the_last_step_alone(action: dict[str, Any]) -> None:
    *setting_up, last = action["runs"]["steps"]

    assert [step for step in setting_up if "token" in str(step).lower()] == []
    assert "GITHUB_TOKEN" in last["env"]


def test_every_input_reaches_the_code_under_a_name_that_it_reads(action: dict[str, Any]) -> None:
    environment = action["runs"]["steps"][-1]["env"]
    sources = "".join(path.read_text() for path in (ROOT / "bot/entrypoints/action").glob("*.py"))

    handed = {value: name for name, value in environment.items() if value.startswith("${{ inputs.")}
    assert set(handed) == {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    assert [name for name in handed.values() if f'"{name}"' not in sources] == []


def test_every_python_of_the_action_is_isolated(action: dict[str, Any]) -> None:
    """`-I` keeps the working directory, PYTHONPATH and a user's site-packages out; the scripts leave the checkout."""
    for step in action["runs"]["steps"]:
        script = step["run"]
        started = re.findall(r'"\$(?:python|own/bin/python|REFROM_PYTHON)" (-\S+)', script)
        assert script.startswith('cd "$RUNNER_TEMP"\n')
        assert started
        assert set(started) == {"-I"}
