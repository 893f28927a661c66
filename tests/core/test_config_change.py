"""What differs between two image configs, setting by setting."""

import pytest

from bot.core.config_change import ConfigChange, compare_settings, parts_of
from tests.core.test_change import config


def change(part: str, old: str | None, new: str | None, name: str = "") -> ConfigChange:
    return ConfigChange(part=part, name=name, old=old, new=new)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"env": ("LANG=C",)}, change("environment", "en_US.UTF-8", "C", "LANG"), id="variable"),
        pytest.param({"env": ()}, change("environment", "en_US.UTF-8", None, "LANG"), id="variable removed"),
        pytest.param(
            {"env": ("LANG=en_US.UTF-8", "A=b=c")}, change("environment", None, "b=c", "A"), id="variable added"
        ),
        pytest.param(
            {"entrypoint": ("/a", "b")}, change("entry point", '["/lambda-entrypoint.sh"]', '["/a", "b"]'), id="entry"
        ),
        pytest.param({"cmd": ("app.handler",)}, change("command", None, '["app.handler"]'), id="command"),
        pytest.param({"working_dir": ""}, change("working directory", "/var/task", None), id="working directory"),
        pytest.param({"labels": {"a": "1"}}, change("labels", None, "1", "a"), id="label"),
        pytest.param({"document": {"config": {"User": "1000"}}}, change("user", None, "1000"), id="user"),
        pytest.param(
            {"document": {"config": {"OnBuild": ["RUN x"]}}},
            change("on-build triggers", None, '["RUN x"]'),
            id="onbuild",
        ),
    ],
)
def test_each_setting_that_differs_is_named_with_both_values(
    changed: dict[str, object], expected: ConfigChange
) -> None:
    assert compare_settings(config(), config(**changed)) == (expected,)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"created": None}, id="created"),
        pytest.param({"document": {"history": [{"created": "2026-11-01T00:00:00Z"}], "config": None}}, id="history"),
        pytest.param({"env": ("LANG=old", "LANG=en_US.UTF-8")}, id="a variable set twice"),
    ],
)
def test_what_no_container_notices_is_no_difference(changed: dict[str, object]) -> None:
    assert compare_settings(config(), config(**changed)) == ()


def test_the_order_of_variables_and_labels_does_not_matter() -> None:
    one = config(env=("A=1", "B=2"), labels={"a": "1", "b": "2"})
    other = config(env=("B=2", "A=1"), labels={"b": "2", "a": "1"})

    assert compare_settings(one, other) == ()


def test_a_part_is_named_once_however_many_of_its_settings_differ() -> None:
    changes = compare_settings(config(), config(env=("A=1", "B=2"), cmd=("x",)))

    assert parts_of(changes) == ("environment", "command")
