"""What the commands say about advisories, over the demo's fleet and a mirror on loopback."""

from collections.abc import Iterator

import jsonschema
import pytest

from bot.core.advisories import Advisory, Severity
from bot.entrypoints.cli import DONE
from bot.entrypoints.demo.fleet import MOVES
from bot.entrypoints.demo.stage import Stage
from tests.entrypoints import schemas
from tests.entrypoints.conftest import Refrom
from tests.lab.package_mirror import PackageMirror, package_mirror

OLD, NEW = (f"public.ecr.aws/lambda/java:21.2026.11.{stamp}" for stamp in ("01.15", "20.14"))
MOVE = next(move.after for move in MOVES if move.after and move.after.name == "java")
ADVISORY = Advisory(
    identifier="ALAS2023-2026-001",
    severity=Severity.IMPORTANT,
    packages=tuple(p for packages in MOVE.packages.values() for p in packages if p.name == "openssl-libs"),
    cves=("CVE-2026-0001", "CVE-2026-0002"),
)


@pytest.fixture
def mirror(fleet: Stage) -> Iterator[PackageMirror]:
    """A mirror that the fleet's settings lead to, with one advisory that the move of java21 fixes."""
    with package_mirror(ADVISORY) as mirror:
        feeds = f"{{AL2023: {mirror.feeds['AL2023']!r}}}"
        fleet.settings.write_text(fleet.settings.read_text().replace("feeds: {}", f"feeds: {feeds}"))
        yield mirror


def test_a_diff_names_the_advisories_that_it_fixes(refrom: Refrom, fleet: Stage, mirror: PackageMirror) -> None:
    ran = refrom("diff", OLD, NEW, "--config", fleet.settings, "--format", "json")

    assert (ran.code, ran.err) == (DONE, "")
    document = ran.document
    jsonschema.validate(document, schemas.DIFF)
    assert (document["significance"], document["severity"]) == ("security", "important")
    assert document["reasons"][0] == {
        "significance": "security",
        "severity": "important",
        "what": "ALAS2023-2026-001 (openssl-libs)",
    }
    for platform in document["platforms"]:
        assert platform["advisories"] == [
            {
                "id": "ALAS2023-2026-001",
                "severity": "important",
                "cves": ["CVE-2026-0001", "CVE-2026-0002"],
                "packages": ["openssl-libs"],
                "page": "https://alas.aws.amazon.com/AL2023/ALAS2023-2026-001.html",
            }
        ]
        assert platform["advisories_unknown"] is None
        assert platform["uncovered"] == ["files of no package"]
    assert {asked.path.split("/")[3] for asked in mirror.web.log} == {"x86_64", "aarch64"}


@pytest.mark.usefixtures("mirror")
def test_a_person_reads_the_same(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("diff", OLD, NEW, "--config", fleet.settings)

    assert "significance: security (important)" in ran.out
    assert "CVE-2026-0001" in ran.out
    assert "in no advisory: files of no package" in ran.out


def test_without_a_feed_they_are_unknown_and_the_reason_is_told(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("diff", OLD, NEW, "--config", fleet.settings)

    assert ran.code == DONE
    assert "significance: packages" in ran.out
    assert "advisories unknown: no feed of advisories for AL2023 on linux/amd64; name one in the settings" in ran.out


def test_images_without_a_name_of_a_runtime_have_no_known_advisories(refrom: Refrom, fleet: Stage) -> None:
    old, new = (f"oci:{fleet.folder}/registry/lambda/java:21.2026.11.{stamp}" for stamp in ("01.15", "20.14"))

    ran = refrom("diff", old, new, "--format", "json")

    jsonschema.validate(ran.document, schemas.DIFF)
    reasons = {platform["advisories_unknown"] for platform in ran.document["platforms"]}
    assert reasons == {"neither name says which runtime it is; name one of them by its tag"}


@pytest.mark.usefixtures("mirror")
def test_a_run_says_which_advisory_made_it_act(refrom: Refrom, fleet: Stage) -> None:
    fleet.settings.write_text(fleet.settings.read_text().replace("update_on: packages", "update_on: security"))

    ran = refrom("run", "--dry-run", "--config", fleet.settings, "--format", "json")

    reasons = {d["reason"] for d in ran.document["decisions"] if d["runtime"] == "java21" and d["decision"] == "update"}
    assert reasons == {"security: important, ALAS2023-2026-001 (openssl-libs)"}
