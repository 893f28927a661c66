"""A source repository's own file: read as hostile text, every fault with its line, nothing but narrower parts."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from bot.core.advisories import Severity
from bot.core.errors import SettingsError
from bot.core.modes import Mode, UpdateMode
from bot.core.policy import OWN_FILE, Narrowing, UpdateOn
from bot.settings import load_narrowing
from bot.settings.loading import LARGEST_OWN
from bot.settings.schema import own_schema_json

NAME = f"acme/orders/{OWN_FILE}"
PAGE = Path(__file__).parents[2] / "docs/reference/survey.md"


def fault(content: bytes) -> str:
    with pytest.raises(SettingsError) as raised:
        load_narrowing(NAME, content)
    return str(raised.value)


def test_all_that_it_may_say_is_read() -> None:
    example = PAGE.read_text().partition("```yaml\n")[2].partition("```")[0]

    assert load_narrowing(NAME, example.encode()) == Narrowing(
        ignore=("legacy/*", "examples/*"),
        update_on=UpdateOn.SECURITY,
        min_severity=Severity.IMPORTANT,
        soak=timedelta(days=3),
        mode=UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by=f"{OWN_FILE} of the repository", narrows=True),
    )
    jsonschema.Draft202012Validator(json.loads(own_schema_json())).validate(YAML(typ="safe").load(example))


def test_a_version_alone_narrows_nothing() -> None:
    assert load_narrowing(NAME, b"version: 1\n") == Narrowing()


def test_every_key_is_in_the_reference() -> None:
    schema, page = json.loads(own_schema_json()), PAGE.read_text()
    keys = {*schema["properties"], *(f"policy.{key}" for key in schema["$defs"]["NarrowedPolicy"]["properties"])}

    assert {key for key in keys if f"| `{key}` |" not in page} == {"policy"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("enabled: false", ":1: version: is missing; add it"),
        ("version: 2", ":1: version: is a version that this refrom does not read; write 1, or upgrade refrom"),
        ("version: 1\nenabled: 'no'", ":2: enabled: input should be a valid boolean"),
        ("version: 1\npolicy:\n  max_age: 9000d", ":3: policy.max_age: is no key here"),
        ("version: 1\npolicy: {on_unknown: pin}", ":2: policy.on_unknown: is no key here"),
        ("version: 1\npolicy: {min_severity: unrated}", ":2: policy.min_severity: is no rating"),
        ("version: 1\npolicy: {mode: manual, reason: x}", ":2: policy: says mode: manual, which is for a while"),
        ("version: 1\nignore: ['']", ":2: ignore[0]: is no glob of 1 to 200 characters"),
        (f"version: 1\nignore: [{'x' * 201}]", ":2: ignore[0]: is no glob of 1 to 200 characters"),
        (f"version: 1\nignore: [{', '.join('x' * 101)}]", ":2: ignore: list should have at most 100 items"),
        ("version: 1\nignore: &a [x]", ":2: has a YAML anchor (&name); leave it out"),
        ("[" * 40, ":1: is nested deeper than 32 levels; write it flatter"),
        ("- x", ":1: is no mapping of keys to values; start with version: 1"),
        ("", ":1: is no mapping of keys to values; start with version: 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    assert f"{NAME}{told}" in fault(text.encode())


def test_what_is_no_text_or_too_long_is_not_looked_into() -> None:
    assert fault(b"version: 1 # \xff") == f"{NAME}: is no UTF-8; save it as UTF-8"
    assert fault(b"#" * (LARGEST_OWN + 1)) == f"{NAME}: is larger than {LARGEST_OWN} bytes; write less"
