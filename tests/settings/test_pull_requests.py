"""Settings of pull requests: what is left out has its default, and every fault stands at its place."""

from pathlib import Path
from textwrap import indent
from zoneinfo import ZoneInfo

import pytest

from bot.core.admission import Limits
from bot.core.errors import SettingsError
from bot.core.proposals import PullRequestPolicy
from bot.core.windows import Window
from bot.settings import load_settings

CONFIG = Path(__file__).parents[2] / "config"


def pull_requests(tmp_path: Path, text: str) -> PullRequestPolicy:
    (tmp_path / "refrom.yaml").write_text(f"version: 1\npull_requests:\n{indent(text, '  ')}\n")
    return load_settings(tmp_path / "refrom.yaml", {}).pull_requests


def test_pull_requests_are_as_the_example_says() -> None:
    read = load_settings(CONFIG / "refrom.example.yaml", {"REGISTRY_PASSWORD": "s3cret", "GITHUB_TOKEN": "t0ken"})
    made = read.pull_requests

    assert (made.group_by, made.branch_of("x"), made.draft, made.auto_merge) == (
        "repository",
        "refrom/x",
        False,
        "squash",
    )
    assert (made.labels, made.reviewers) == (("lambda-base",), ("octocat", "acme/platform"))
    assert made.limits == Limits(open=200, open_per_repository=3, new_per_hour=50) == Limits()
    assert made.window == Window(zone=ZoneInfo("Europe/Berlin"), days=frozenset(range(5)), start=540, end=1020)
    assert made.wording.title.render({"summary": "x"}) == "chore(deps): x"
    assert read.commit_with == "api"


def test_without_a_word_on_pull_requests_they_are_as_the_reference_says(tmp_path: Path) -> None:
    (tmp_path / "refrom.yaml").write_text("version: 1\n")

    assert load_settings(tmp_path / "refrom.yaml", {}).pull_requests == PullRequestPolicy()


@pytest.mark.parametrize(
    ("hours", "start", "end"),
    [("22:00-06:00", 1320, 360), ("00:00-24:00", 0, 1440), ("17:30-24:00", 1050, 1440)],
)
def test_hours_are_minutes_of_the_day(tmp_path: Path, hours: str, start: int, end: int) -> None:
    window = pull_requests(tmp_path, f'schedule: {{hours: "{hours}", days: [sun]}}').window

    assert window
    assert (window.start, window.end, window.days, str(window.zone)) == (start, end, frozenset({6}), "UTC")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("group_by: folder", "pull_requests.group_by: "),
        ("branch: '{group}'", "pull_requests.branch: starts with no folder of its own; write one before the group"),
        ("branch: refrom", "pull_requests.branch: starts with no folder of its own"),
        ("branch: 'refrom/{runtime}'", "pull_requests.branch: has a field that is not known here; use {group}"),
        ("branch: 'refrom/a b/{group}'", "pull_requests.branch: is no branch to git"),
        ("branch: '/refrom/{group}'", "pull_requests.branch: is no branch to git"),
        ("{group_by: runtime, branch: refrom/all}", "pull_requests: group_by: runtime needs {group} in branch"),
        ("title: '{summary.title}'", "pull_requests.title: has a field that is not known here"),
        ("title: '{details}'", "pull_requests.title: has a field that is not known here"),
        ("title: ''", "pull_requests.title: is empty, or more than one line"),
        ('title: "a\\nb"', "pull_requests.title: is empty, or more than one line"),
        ("message: ' '", "pull_requests.message: is empty; leave it out"),
        ("body: '{'", "pull_requests.body: has a brace alone"),
        (
            "body: '<!-- refrom:plan {details} -->'",
            "pull_requests.body: holds <!-- refrom:, which refrom itself writes",
        ),
        ("labels: ['']", "pull_requests.labels[0]: is no label"),
        ("reviewers: ['a/b/c']", "pull_requests.reviewers[0]: 'a/b/c' is no reviewer; write a login, or ORG/TEAM"),
        ("{draft: true, auto_merge: squash}", "pull_requests: a draft is never merged by the forge"),
        ("open: -1", "pull_requests.open: "),
        ("new_per_hour: true", "pull_requests.new_per_hour: "),
        ("schedule: {days: []}", "pull_requests.schedule.days: "),
        ("schedule: {hours: '9-17'}", "pull_requests.schedule.hours: are no hours; write HH:MM-HH:MM"),
        ("schedule: {hours: '00:00-24:30'}", "pull_requests.schedule.hours: are no hours; write HH:MM-HH:MM"),
        ("schedule: {hours: '09:00-09:00'}", "pull_requests.schedule.hours: begin and end at once"),
        ("schedule: {timezone: Mars/Base}", "pull_requests.schedule.timezone: 'Mars/Base' is no time zone here"),
        (
            "schedule: {timezone: ../etc/passwd}",
            "pull_requests.schedule.timezone: '../etc/passwd' is no time zone here",
        ),
        ("commit_with: svn", "pull_requests.commit_with: "),
    ],
)
def test_a_fault_in_pull_requests_is_told_at_its_place(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SettingsError) as told:
        pull_requests(tmp_path, text)

    (line,) = told.value.faults
    where = 2 if fault.startswith("pull_requests: ") else 3
    assert line.startswith(f"{tmp_path / 'refrom.yaml'}:{where}: {fault}")
