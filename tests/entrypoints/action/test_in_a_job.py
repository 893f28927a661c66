"""The Action in a job, from action.yml on: a runner on this machine, a GitHub on loopback, a hostile checkout."""

import json
from collections.abc import Iterator

import pytest

from bot.core.pull_request import BRANCH
from tests.conftest import Figure
from tests.entrypoints.action.scene import ORDERS, SEALED, TRAPS, Ran, play
from tests.lab.github.fake import github_fake

USES = ("nowhere", "mistyped", "expired", "sealed", "rehearsed", "opened", "again", "audited")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("action")
    with github_fake(folder / "github") as github:
        yield play(folder, github)


def test_it_opens_the_pull_request_and_says_so_to_the_steps_after_it(ran: Ran, figure: Figure) -> None:
    (pull,) = ran.github.pulls(ORDERS)

    assert ran.job.code == 0, ran.job.log
    assert pull.branch == BRANCH
    assert json.loads(ran.job.outputs("opened")["pull-requests"]) == [ran.document["outcomes"][0]["pull_request"]]
    assert ran.document["outcomes"][0]["pull_request"].endswith(f"/{ORDERS}/pull/{pull.number}")
    figure("the Action opens pull requests, of the uses in one job that could", len(ran.github.pulls(ORDERS)), 1)


def test_it_shows_what_it_did_on_the_page_of_the_job(ran: Ran, figure: Figure) -> None:
    summary = ran.job.summary("opened")

    assert "Decisions: 1 update." in summary
    assert f"| `{ORDERS}` | `Dockerfile` | 1 | `python3.13` | update (bump) |" in summary
    assert f"<{ran.document['outcomes'][0]['pull_request']}>" in summary
    assert "a dry run" in ran.job.summary("rehearsed")
    assert ran.job.summary("audited").startswith("## refrom: audit")
    figure("uses of the Action without a summary", [use for use in USES if not ran.job.summary(use)], [])


def test_a_second_use_finds_the_pull_request_and_leaves_it(ran: Ran) -> None:
    assert json.loads(ran.job.outputs("again")["pull-requests"]) == []
    assert "is up to date" in ran.job.summary("again")
    assert [json.loads(ran.job.outputs(use)["pull-requests"]) for use in ("rehearsed", "audited")] == [[], []]


def test_nothing_of_the_checkout_is_imported(ran: Ran, figure: Figure) -> None:
    """The traps are real: plain Python in the same checkout, with the same PYTHONPATH, steps into each of them."""
    assert ran.trapped("control") == sorted(TRAPS)
    figure("modules of a hostile checkout that the Action imports", ran.trapped("traps"), [])


@pytest.mark.parametrize(
    ("use", "code", "thing", "cure"),
    [
        ("nowhere", "2", "no settings at", "check the repository out before this step"),
        ("mistyped", "2", "input command: 'rnu'", "give run or audit"),
        ("mistyped", "2", "input dry-run: 'maybe'", "give true or false"),
        ("expired", "1", "401 Bad credentials", "put a new one where the settings name it"),
        ("sealed", "1", f"{SEALED}: GitHub does not let us", "give the token the permission contents"),
    ],
)
def test_bad_input_is_one_message_with_its_cure(
    ran: Ran, use: str, code: str, thing: str, cure: str, figure: Figure
) -> None:
    (message,) = ran.job.errors(use)

    assert ran.job.failed(use)
    assert thing in message
    assert cure in message
    assert cure in ran.job.summary(use)
    figure(f"exit code of the Action where {thing!r}, told once with its cure", ran.job.outputs(use)["exit-code"], code)


def test_good_uses_succeed_without_annotations(ran: Ran) -> None:
    for use in ("rehearsed", "opened", "again", "audited"):
        assert not ran.job.failed(use)
        assert ran.job.outputs(use)["exit-code"] == "0"
        assert ran.job.errors(use) == []


def test_no_token_is_in_the_log_or_on_the_page(ran: Ran, figure: Figure) -> None:
    shown = ran.job.log + "".join(map(ran.job.summary, USES))

    figure("tokens in the log of the job or its summaries", [t for t in ran.secrets if t in shown], [])


def test_github_is_asked_only_what_it_describes(ran: Ran, figure: Figure) -> None:
    assert ran.github.pulls(SEALED) == []
    exchanges = sum(ran.github.exchanges.values())
    assert exchanges > 0
    figure(f"of {exchanges} exchanges with GitHub, those against its descriptions", list(ran.github.violations), [])
