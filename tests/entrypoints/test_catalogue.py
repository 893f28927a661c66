"""The catalogue is shown offline: every runtime with its stream, platforms, dates and other names."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.core.reference import Reference
from bot.core.tags import lambda_image
from bot.entrypoints.cli import DONE, USAGE
from bot.settings import load_catalogue
from bot.wiring import VirtualClock
from tests.conftest import Figure
from tests.entrypoints.conftest import Refrom

CATALOGUE = load_catalogue()
MIRROR = "registry.example.com/bases"


def test_every_runtime_is_shown_with_all_that_is_known(refrom: Refrom, figure: Figure) -> None:
    ran = refrom("watch", "--catalogue", "--format", "json")

    rows = {row["runtime"]: row for row in ran.document["runtimes"]}
    assert (ran.code, ran.err, ran.document["schema"]) == (DONE, "", "refrom.catalogue/1")
    figure("runtimes that watch --catalogue shows", len(rows), len(CATALOGUE))
    assert rows["python3.10"] == {
        "runtime": "python3.10",
        "reference": "public.ecr.aws/lambda/python:3.10",
        "repository": "lambda/python",
        "tag": "3.10",
        "mirrors": ["docker.io/amazon/aws-lambda-python", "*/lambda/python"],
        "os": "AL2",
        "platforms": ["linux/amd64", "linux/arm64"],
        "preview": False,
        "deprecation": "2026-10-31",
        "deprecated": True,
        "block_create": "2027-02-01",
        "block_update": "2027-03-03",
        "watched": False,
    }
    assert rows["java21"]["watched"]
    assert rows["nodejs26.x"]["preview"]


def test_settings_give_mirrors_and_rows_of_their_own(refrom: Refrom) -> None:
    Path("refrom.yaml").write_text(
        f"version: 1\nmirrors: [{MIRROR}/]\nruntimes: {{watch: [cobol85], catalogue: rows.toml}}\n"
    )
    Path("rows.toml").write_text('"cobol85" = { repository = "lambda/cobol", tag = "85", os = "AL2023" }\n')

    ran = refrom("watch", "--catalogue", "--format", "json")

    rows = {row["runtime"]: row for row in ran.document["runtimes"]}
    assert rows["python3.13"]["mirrors"][-1] == f"{MIRROR}/python"
    assert (rows["cobol85"]["watched"], rows["python3.13"]["watched"]) == (True, False)


def test_some_runtimes_are_shown_alone_and_one_that_is_not_known_is_refused(refrom: Refrom) -> None:
    shown, refused = refrom("watch", "--catalogue", "java21", "java8"), refrom("watch", "--catalogue", "java20")

    lines = [line for line in shown.out.splitlines() if "java" in line]
    assert [line.split()[1] for line in lines] == ["java21", "java8"]
    assert (refused.code, refused.out) == (USAGE, "")
    assert "did you mean java2" in refused.err


def test_a_runtime_is_deprecated_from_the_day_after_its_date(refrom: Refrom) -> None:
    last = CATALOGUE.get("python3.10").deprecation
    assert last == date(2026, 10, 31)

    def deprecated(day: datetime) -> bool:
        ran = refrom("watch", "--catalogue", "python3.10", "--format", "json", clock=VirtualClock(day))
        return bool(ran.document["runtimes"][0]["deprecated"])

    assert not deprecated(datetime(2026, 10, 31, 23, tzinfo=UTC))
    assert deprecated(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize("identifier", list(CATALOGUE))
def test_each_other_name_is_read_back_as_the_same_runtime(refrom: Refrom, identifier: str) -> None:
    Path("refrom.yaml").write_text(f"version: 1\nmirrors: [{MIRROR}]\n")

    (row,) = refrom("watch", "--catalogue", identifier, "--format", "json").document["runtimes"]

    for name in row["mirrors"]:
        cached = name.replace("*", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-public")
        image = lambda_image(Reference.parse(f"{cached}:{row['tag']}"), mirrors=[MIRROR])
        assert image is not None
        assert (image.runtime, str(image.upstream)) == (identifier, row["reference"])
