"""Versions of managed runtimes: read from names and from both forms of INIT_START, compared by number in one line."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.errors import InvalidReference
from bot.core.runtime_version import InitStart, RuntimeVersion, newest_by_line, read_init_start

ARN = f"arn:aws:lambda:us-east-1::runtime:{'7b620fc2e66107a1046b140b9d320295811af3ad5d4c6a011fad1fa65127e9e6'}"
TEXT = f"INIT_START Runtime Version: python:3.13.v68\tRuntime Version ARN: {ARN}\n"
JSON = {
    "time": "2026-11-24T10:00:00.000Z",
    "type": "platform.initStart",
    "record": {
        "initializationType": "on-demand",
        "phase": "init",
        "runtimeVersion": "python:3.13.v68",
        "runtimeVersionArn": ARN,
        "functionName": "orders",
        "functionVersion": "$LATEST",
    },
}
STARTED = InitStart(RuntimeVersion("python:3.13", 68), ARN)


@pytest.mark.parametrize(
    ("text", "line", "number"),
    [
        ("python:3.13.v68", "python:3.13", 68),
        ("python:3.12.mainlinev2.v11", "python:3.12.mainlinev2", 11),
        ("nodejs:20.v5", "nodejs:20", 5),
        ("java:8.al2.v40", "java:8.al2", 40),
        ("provided:al2023.v102", "provided:al2023", 102),
        ("provided:al2.v0", "provided:al2", 0),
    ],
)
def test_a_version_is_its_line_and_its_number(text: str, line: str, number: int) -> None:
    version = RuntimeVersion.parse(text)

    assert version == RuntimeVersion(line, number)
    assert str(version) == text


@pytest.mark.parametrize(
    "text",
    ["", "python", "python:3.13", "python:3.13.68", "python:3.13.v", "python:3.13.vx", "python:3.13.v1 ", "v68",
     "python:3.13.v٣", "python:3.13.v1\n", "Python:3.13.v1", "python:3.13.v1234567890"],
)  # fmt: skip
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference, match="is no runtime version; one is such as"):
        RuntimeVersion.parse(text)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(TEXT, id="text"),
        pytest.param(TEXT.replace("\t", "    "), id="text with blanks"),
        pytest.param(json.dumps(JSON), id="JSON"),
        pytest.param(json.dumps(JSON, indent=1) + "\n", id="JSON on several lines"),
        pytest.param(json.dumps({**JSON, "more": 1}), id="JSON with more members"),
    ],
)
def test_both_forms_of_a_start_are_read(line: str) -> None:
    assert read_init_start(line) == STARTED


def test_the_arn_of_another_partition_and_of_a_version_path_are_read() -> None:
    gov = "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:runtime/python3.13/version/68"

    assert read_init_start(TEXT.replace(ARN, gov)) == InitStart(STARTED.version, gov)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("START RequestId: 1 Version: $LATEST", id="another platform line"),
        pytest.param(f"I say {TEXT}", id="a function that prints it"),
        pytest.param(TEXT.replace("python:3.13.v68", "???"), id="no version"),
        pytest.param(TEXT.replace(":lambda:", ":s3:"), id="no ARN of Lambda"),
        pytest.param("{", id="broken JSON"),
        pytest.param("{}", id="empty JSON"),
        pytest.param("[" * 5000, id="deep text"),
        pytest.param('{"a":' * 5000, id="deep JSON"),
        pytest.param(json.dumps({**JSON, "type": "platform.initReport"}), id="another JSON"),
        pytest.param(json.dumps({**JSON, "record": "python:3.13.v68"}), id="a record that is none"),
        pytest.param(json.dumps({**JSON, "record": {}}), id="an empty record"),
        pytest.param(json.dumps({**JSON, "record": {"runtimeVersion": 1, "runtimeVersionArn": None}}), id="numbers"),
    ],
)
def test_any_other_line_is_none(line: str) -> None:
    assert read_init_start(line) is None


@given(st.text(max_size=300))
@example('{"type": 1, "record": {}}')
@example("{1}")
def test_no_line_that_a_function_prints_is_an_error(text: str) -> None:
    read_init_start(text)
    read_init_start("{" + text)
    read_init_start(TEXT + text)


LINES = st.sampled_from(["python:3.13", "python:3.13.mainlinev2", "nodejs:20", "provided:al2023"])


@given(LINES, st.integers(0, 999_999_999))
def test_a_version_reads_back_as_it_is_written(line: str, number: int) -> None:
    assert RuntimeVersion.parse(str(RuntimeVersion(line, number))) == RuntimeVersion(line, number)


@given(st.lists(st.builds(RuntimeVersion, LINES, st.integers(0, 200))))
def test_the_newest_of_a_line_is_never_of_another_line_and_never_passed(versions: list[RuntimeVersion]) -> None:
    newest = newest_by_line(versions)

    assert newest.keys() == {version.line for version in versions}
    assert all(newest[version.line].number >= version.number for version in versions)
    assert set(newest.values()) <= set(versions)
