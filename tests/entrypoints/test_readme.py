"""The README shows what the commands really say."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```text\n(.*?)```\n<!-- /{name} -->", README, re.DOTALL)
    assert found, f"the README has no block {name}"
    return found[1]


def test_the_help_is_the_one_of_the_command() -> None:
    command = [sys.executable, "-c", "from bot.entrypoints.cli import entry; entry()", "--help"]

    shown = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "100"}
    ).stdout

    assert block("help").split() == shown.replace("-c [OPTIONS]", "refrom [OPTIONS]").split()


def test_the_demo_is_real_output() -> None:
    """Each line of the excerpt stands in what the demo prints today, digests and folders aside."""
    command = [sys.executable, "-c", "from bot.entrypoints.cli import entry; entry()", "demo"]

    environment = {**os.environ, "COLUMNS": "110"}
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    lines = {neutral(line) for line in shown.splitlines()}
    assert [line for line in block("demo").splitlines() if neutral(line) not in lines and line.strip() != "[...]"] == []


def neutral(line: str) -> str:
    """Leave out what differs from run to run, and the drawing."""
    line = re.sub(r"sha256:[0-9a-f]+", "sha256:", re.sub(r"refrom-demo-\w+", "refrom-demo", line))
    plain = re.sub(r"[─━│┃╭╮╰╯┏┓┗┛┡┩└┘┴┳╇┬┼]", " ", line)
    return " ".join(plain.split())
