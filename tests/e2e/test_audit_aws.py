"""An audit over AWS accounts and Regions: all four rows, what cannot be read and why, and the rest complete."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from bot.entrypoints.cli import ATTENTION
from tests.e2e.audit_aws import HERE, NEWEST, OLDER, OTHER, OWN, THERE, Accounts, arn
from tests.entrypoints import schemas

Row = tuple[str, str | None]


def duties(row: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    return [(duty["duty"], duty["state"], duty["days"]) for duty in row["duties"]]


def test_every_function_of_all_places_stands_in_its_row_with_its_duties(aws_accounts: Accounts) -> None:
    ran = aws_accounts.audit("--format", "json")

    jsonschema.validate(ran.document, schemas.AUDIT)
    rows = aws_accounts.rows(ran.document)
    redeploy, update = "redeploy on the latest base", "update the function regularly"
    roll_back, leave = "roll back a runtime version that is incompatible", "return to Auto or Function update"
    behind = (redeploy, "due", 28)
    assert {key: (row["row"], row["verdict"], duties(row)) for key, row in rows.items()} == {
        (arn("orders"), "live"): ("container-image", "behind", [behind]),
        (arn("orders", THERE), "live"): ("container-image", "behind", [behind]),
        (arn("stray", HERE, OTHER), "live"): ("container-image", "current", [(redeploy, "met", None)]),
        (arn("auto"), None): ("managed-auto", "current", [(roll_back, "met", None)]),
        (arn("auto"), "live"): ("managed-auto", "current", [(roll_back, "met", None)]),
        (arn("late", THERE), None): ("managed-function-update", "behind", [(update, "overdue", 15)]),
        (arn("pinned"), None): ("managed-manual", "behind", [(leave, "due", 29)]),
        (arn("go"), None): (
            "managed-auto",
            "current",
            [(roll_back, "met", None), ("update the runtime in its own package regularly", "due", 29)],
        ),
        (arn("old", HERE, OTHER), None): (
            "managed-auto",
            "current",
            [(roll_back, "met", None), ("move off a deprecated runtime", "overdue", 341)],
        ),
    }
    assert (ran.code, ran.document["errors"]) == (ATTENTION, [])


def test_the_table_counts_each_function_once_in_its_row(aws_accounts: Accounts) -> None:
    table = aws_accounts.told().document["responsibility"]

    counted = [(row["row"], row["functions"], row["met"], row["due"], row["overdue"]) for row in table]
    assert counted == [
        ("managed-auto", 3, 1, 1, 1),
        ("managed-function-update", 1, 0, 0, 1),
        ("managed-manual", 1, 0, 1, 0),
        ("container-image", 3, 1, 2, 0),
    ]


def test_an_image_shows_what_it_lacks_and_where_it_differs(aws_accounts: Accounts) -> None:
    rows = aws_accounts.rows(aws_accounts.told().document)

    here, stray = rows[arn("orders"), "live"], rows[arn("stray", HERE, OTHER), "live"]
    assert (here["account"], here["region"], here["repository"], here["path"]) == (
        OWN, HERE, "acme/orders", "Dockerfile",
    )  # fmt: skip
    assert here["missing"] == {"significance": "language", "severity": None, "advisories": []}
    assert here["redeployed"] == "2026-11-01T16:00:00Z"
    assert here["consistency"].startswith(f"one source, several images: {arn('orders')}:live serves ")
    assert here["consistency"] == rows[arn("orders", THERE), "live"]["consistency"]
    assert (stray["account"], stray["repository"], stray["consistency"]) == (OTHER, None, None)
    assert stray["base"].startswith("public.ecr.aws/lambda/python:3.13")


def test_a_managed_function_shows_its_runtime_version_and_what_is_newest(aws_accounts: Accounts) -> None:
    rows = aws_accounts.rows(aws_accounts.told().document)

    seen = {
        name: (one["version"], one["from"], one["newest_seen"])
        for name, one in ((key[0].rpartition(":")[2], rows[key].get("runtime_version")) for key in rows)
        if one
    }
    assert seen == {
        "auto": (NEWEST, "configuration", NEWEST),
        "late": (OLDER, "configuration", NEWEST),
        "pinned": (OLDER, "management-config", NEWEST),
        "go": ("provided:al2023.v102", "log", "provided:al2023.v102"),
        "old": ("python:3.9.v120", "configuration", "python:3.9.v120"),
    }
    assert rows[arn("old", HERE, OTHER), None]["deprecation"] == {
        "deprecated": "2025-12-15",
        "block_create": "2027-02-01",
        "block_update": "2027-03-03",
    }


def test_an_open_pull_request_of_ours_is_named(aws_accounts: Accounts) -> None:
    from bot.entrypoints.work import run_cycle  # noqa: PLC0415 - this test alone runs a cycle

    run_cycle(aws_accounts.settings, aws_accounts.clock, dry_run=False)

    rows = aws_accounts.rows(aws_accounts.told().document)

    assert "acme/orders" in rows[arn("orders"), "live"]["pull_request"]
    assert rows[arn("stray", HERE, OTHER), "live"]["pull_request"] is None


def test_asking_writes_nothing_in_aws(aws_accounts: Accounts) -> None:
    before = len(aws_accounts.aws.writes)

    aws_accounts.told()

    assert [request.operation for request in aws_accounts.aws.writes[before:]] == ["AssumeRole"] * 2


def test_progress_is_told_on_standard_error_alone(aws_accounts: Accounts) -> None:
    for number in range(30):
        aws_accounts.aws.create_zip_function(f"many{number}")

    ran = aws_accounts.audit("--format", "json")

    told = [line for line in ran.err.splitlines() if line.startswith("functions read: ")]
    assert 8 <= len(told) <= 10
    assert told[-1] == "functions read: 38 of 38"
    assert ran.document["schema"] == "refrom.audit/1"


class Cut(Exception):
    """The end of an audit that is interrupted."""


def test_an_interrupted_audit_goes_on_and_says_the_same(aws_accounts: Accounts) -> None:
    """What was read stands in the store; nothing of it is asked for once more."""

    def cut(what: str, done: int, total: int) -> None:
        if (what, done) == ("functions judged", 1) and total:
            raise Cut

    with pytest.raises(Cut):
        aws_accounts.told(cut)
    reads = ("GetFunction", "ListAliases", "GetRuntimeManagementConfig", "FilterLogEvents")
    asked = [request.operation for request in aws_accounts.aws.requests if request.operation in reads]
    before = len(aws_accounts.aws.requests)

    resumed = aws_accounts.told().document

    again = [request.operation for request in aws_accounts.aws.requests[before:] if request.operation in reads]
    assert asked.count("GetFunction") == 12
    assert [operation for operation in again if operation != "FilterLogEvents"] == []
    assert resumed == aws_accounts.told().document


def denied(made: Accounts) -> None:
    made.aws.deny("ListFunctions", account=OTHER)


def unassumable(made: Accounts) -> None:
    made.aws._sts.trusting.clear()


def down(made: Accounts) -> None:
    made.aws.down.add(THERE)


def vanishing(made: Accounts) -> None:
    made.aws.vanish(arn("pinned"))


def unmanaged(made: Accounts) -> None:
    made.aws.deny("GetRuntimeManagementConfig", region=THERE)


LOST: list[Any] = [
    pytest.param(
        denied, {(arn("stray", HERE, OTHER), "live"), (arn("old", HERE, OTHER), None)},
        f"account {OTHER} in {HERE}", "allow it in the IAM policy", id="no permission for one account",
    ),
    pytest.param(
        unassumable, {(arn("stray", HERE, OTHER), "live"), (arn("old", HERE, OTHER), None)},
        f"account {OTHER} in {HERE}", "is not authorized to perform: sts:AssumeRole", id="no role in one account",
    ),
    pytest.param(
        down, {(arn("orders", THERE), "live"), (arn("late", THERE), None)},
        THERE, "AWS cannot be reached", id="one Region down",
    ),
    pytest.param(
        vanishing, {(arn("pinned"), None)},
        HERE, "was gone when it was to be read", id="a function vanishes midway",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("trouble", "lost", "place", "why"), LOST)
def test_a_place_that_cannot_be_read_is_told_and_all_else_is_there(
    aws_accounts: Accounts, trouble: Callable[[Accounts], None], lost: set[Row], place: str, why: str
) -> None:
    whole = aws_accounts.rows(aws_accounts.told().document)
    trouble(aws_accounts)

    told = aws_accounts.told()

    (error,) = told.document["errors"]
    assert (told.code, error["place"]) == (ATTENTION, place)
    assert why in error["reason"]
    rest = aws_accounts.rows(told.document)
    assert rest.keys() == whole.keys() - lost
    assert _settled(rest) == _settled({key: row for key, row in whole.items() if key not in lost})


def _settled(rows: dict[Row, dict[str, Any]]) -> dict[Row, dict[str, Any]]:
    """The rows without what depends on the others: the newest version seen, and other places of a source."""
    parts = ("verdict", "serves", "runtime_version", "consistency")
    return {key: {name: value for name, value in row.items() if name not in parts} for key, row in rows.items()}


def no_group(made: Accounts) -> str:
    made.aws.logs.groups.clear()
    return "there is no log group /aws/lambda/go: it never ran, or its log is gone"


def no_start(made: Accounts) -> str:
    group = (OWN, HERE, "/aws/lambda/go")
    made.aws.logs.groups[group] = {}
    made.aws.logs.write(group, "2026/11/21/[$LATEST]0", made.clock.now(), "START RequestId: 1")
    return "log group /aws/lambda/go holds no INIT_START in its 5 newest streams"


def skewed(made: Accounts) -> str:
    made.aws.logs.groups.pop((OWN, HERE, "/aws/lambda/go"))
    made.aws.log_start(arn("go"), "provided:al2023.v102", ago=-timedelta(days=400))
    return "in the future; check the clock here"


def unreadable(made: Accounts) -> str:
    made.aws.deny("FilterLogEvents")
    return "allow it in the IAM policy"


@pytest.mark.parametrize("trouble", [no_group, no_start, skewed, unreadable])
def test_a_runtime_version_that_no_log_tells_is_unknown_and_its_duties_are_there(
    aws_accounts: Accounts, trouble: Callable[[Accounts], str]
) -> None:
    why = trouble(aws_accounts)

    told = aws_accounts.told()

    go = aws_accounts.rows(told.document)[arn("go"), None]
    assert (told.code, go["verdict"], go["runtime_version"]["version"]) == (ATTENTION, "unknown", None)
    assert why in go["runtime_version"]["reason"]
    assert [duty["state"] for duty in go["duties"]] == ["met", "due"]
    assert len(told.document["functions"]) == 9


def test_an_update_mode_that_may_not_be_read_is_a_row_of_its_own(aws_accounts: Accounts) -> None:
    unmanaged(aws_accounts)

    told = aws_accounts.told()

    late = aws_accounts.rows(told.document)[arn("late", THERE), None]
    assert (told.code, late["row"], late["mode"]) == (ATTENTION, "managed-unknown", None)
    (duty,) = late["duties"]
    assert (duty["duty"], duty["state"]) == ("know the update mode", "unknown")
    assert "allow it in the IAM policy" in duty["reason"]
    assert told.document["responsibility"][-1]["row"] == "managed-unknown"


def test_a_clock_that_is_behind_leaves_a_regular_update_unknown(aws_accounts: Accounts) -> None:
    aws_accounts.aws.modified(arn("late", THERE), aws_accounts.clock.now() + timedelta(days=2))

    told = aws_accounts.told()

    (duty,) = aws_accounts.rows(told.document)[arn("late", THERE), None]["duties"]
    assert (told.code, duty["state"]) == (ATTENTION, "unknown")
    assert "lies in the future; check the clock here" in duty["reason"]


def test_an_image_that_its_registry_does_not_give_is_unknown(aws_accounts: Accounts) -> None:
    """A function that nobody mapped, whose image this machine may not read."""
    settings = aws_accounts.settings.read_text()
    closed = f'  {OTHER}.dkr.ecr.{HERE}.amazonaws.com: {{url: "http://127.0.0.1:9"}}'
    lines = [closed if line.startswith(f"  {OTHER}.dkr") else line for line in settings.splitlines()]
    aws_accounts.settings.write_text("\n".join(lines))

    told = aws_accounts.told()

    stray = aws_accounts.rows(told.document)[arn("stray", HERE, OTHER), "live"]
    assert (told.code, stray["verdict"], stray["duties"][0]["state"]) == (ATTENTION, "unknown", "unknown")
    assert "127.0.0.1:9" in stray["reason"]
