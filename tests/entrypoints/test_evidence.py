"""Evidence: whole or not at all, never written over, and whatever was changed, lost or added is named."""

import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.errors import EvidenceError
from bot.entrypoints.auditing import forms_of
from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.evidence import MANIFEST, bundles, keep_evidence, sha256
from bot.entrypoints.verification import verify
from bot.wiring import VirtualClock
from tests.entrypoints.audits import whole
from tests.entrypoints.conftest import Ran, Refrom
from tests.lab.need import need

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FILES = ["MANIFEST", "about.json", "audit.csv", "audit.html", "audit.json", "audit.sarif"]


@pytest.fixture
def declared(tmp_path: Path) -> tuple[Path, Path]:
    settings, holds = tmp_path / "refrom.yaml", tmp_path / "refrom.holds.yaml"
    settings.write_text("version: 1\n")
    return settings, holds


@pytest.fixture
def kept(tmp_path: Path, declared: tuple[Path, Path]) -> Path:
    """Three bundles, a day apart."""
    folder = tmp_path / "evidence"
    for days in range(3):
        now = NOW + days * DAY
        keep_evidence(folder, declared, forms_of(whole(), now), now)
    return folder


def writable(path: Path) -> Path:
    path.chmod(0o644)
    return path


def problems(folder: Path) -> list[tuple[str, str]]:
    return [(problem.what, problem.path.replace("refrom-evidence-", "")) for problem in verify(folder).problems]


def test_a_bundle_has_every_form_what_it_was_made_of_and_their_digests(kept: Path, declared: tuple[Path, Path]) -> None:
    first = bundles(kept)[0]

    assert (first.name, sorted(path.name for path in first.iterdir())) == ("refrom-evidence-20261124T120000Z", FILES)
    about = json.loads((first / "about.json").read_text())
    assert (about["schema"], about["written"]) == ("refrom.evidence/1", "2026-11-24T12:00:00Z")
    assert about["settings"] == {"file": "refrom.yaml", "sha256": sha256(declared[0].read_bytes())}
    assert about["holds"] is None
    assert about["versions"].keys() == {"refrom", "python", "botocore"}
    assert json.loads((first / "audit.json").read_text()) == whole()
    assert {stat.S_IMODE(path.stat().st_mode) for path in first.iterdir()} == {0o444}


def test_coreutils_check_the_digests_and_the_chain(kept: Path) -> None:
    """An auditor needs nothing of ours for it."""
    for bundle in bundles(kept):
        command = [need("sha256sum", "apt-get install coreutils"), "--check", "--strict", MANIFEST]
        told = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=True)
        assert told.stdout.count(": OK") == len((bundle / MANIFEST).read_text().splitlines())

    last = bundles(kept)[-1] / MANIFEST
    assert last.read_text().splitlines()[-1].endswith("  ../refrom-evidence-20261125T120000Z/MANIFEST")


def test_what_was_written_verifies(kept: Path) -> None:
    found = verify(kept)

    assert (found.problems, len(found.bundles)) == ((), 3)
    assert found.newest == sha256((bundles(kept)[-1] / MANIFEST).read_bytes())


def change(folder: Path) -> None:
    with writable(bundles(folder)[0] / "audit.csv").open("a") as file:
        file.write("x")


def change_digest_too(folder: Path) -> None:
    """Somebody mends the manifest to what they changed; the next bundle knows the old one."""
    change(folder)
    first = bundles(folder)[0]
    old, new = sha256(b""), sha256((first / "audit.csv").read_bytes())
    lines = [
        f"{new}  audit.csv" if line.endswith("  audit.csv") else line
        for line in (first / MANIFEST).read_text().splitlines()
    ]
    assert old not in lines
    writable(first / MANIFEST).write_text("\n".join(lines) + "\n")


def lose(folder: Path) -> None:
    (bundles(folder)[1] / "audit.sarif").unlink()


def add(folder: Path) -> None:
    (bundles(folder)[2] / "note.txt").write_text("looks good")


def lose_bundle(folder: Path) -> None:
    shutil.rmtree(bundles(folder)[1])


def lose_first(folder: Path) -> None:
    shutil.rmtree(bundles(folder)[0])


def add_bundle(folder: Path) -> None:
    """A forged bundle in between, with a manifest of its own that names the one before."""
    forged = folder / "refrom-evidence-20261124T180000Z"
    shutil.copytree(bundles(folder)[1], forged)


def lose_manifest(folder: Path) -> None:
    (bundles(folder)[2] / MANIFEST).unlink()


def spoil_manifest(folder: Path) -> None:
    writable(bundles(folder)[2] / MANIFEST).write_text(f"{sha256(b'x')}  ../../secret\n")


def unchain(folder: Path) -> None:
    """The last bundle is made to be the first."""
    manifest = bundles(folder)[2] / MANIFEST
    text = manifest.read_text()
    writable(manifest).write_text("".join(line for line in text.splitlines(keepends=True) if "../" not in line))


def link(folder: Path) -> None:
    """The same content, but where it can be changed later."""
    path = bundles(folder)[0] / "audit.html"
    elsewhere = folder.parent / "elsewhere.html"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def lay_beside(folder: Path) -> None:
    (folder / "summary.xlsx").write_bytes(b"x")


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        pytest.param(change, [("changed", "20261124T120000Z/audit.csv")], id="a file"),
        pytest.param(change_digest_too, [("changed", "20261124T120000Z/MANIFEST")], id="a file and its digest"),
        pytest.param(lose, [("missing", "20261125T120000Z/audit.sarif")], id="lost"),
        pytest.param(add, [("added", "20261126T120000Z/note.txt")], id="added"),
        pytest.param(lose_bundle, [("missing", "20261125T120000Z/MANIFEST")], id="a bundle lost"),
        pytest.param(lose_first, [("missing", "20261124T120000Z/MANIFEST")], id="the first lost"),
        pytest.param(add_bundle, [("changed", "20261125T120000Z/MANIFEST")], id="a bundle forged in between"),
        pytest.param(lose_manifest, [("missing", "20261126T120000Z/MANIFEST")], id="a manifest lost"),
        pytest.param(spoil_manifest, [("changed", "20261126T120000Z/MANIFEST")], id="a manifest that leads elsewhere"),
        pytest.param(unchain, [("changed", "20261126T120000Z/MANIFEST")], id="a chain cut"),
        pytest.param(link, [("changed", "20261124T120000Z/audit.html")], id="a link"),
        pytest.param(lay_beside, [("added", "summary.xlsx")], id="beside the bundles"),
    ],
)
def test_whatever_was_tampered_with_is_named(
    kept: Path, tamper: Callable[[Path], None], expected: list[tuple[str, str]]
) -> None:
    tamper(kept)

    assert problems(kept) == expected


def test_nothing_is_written_over(kept: Path, declared: tuple[Path, Path]) -> None:
    now = NOW + 2 * DAY
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}

    for earlier in (now, now - timedelta(hours=1)):
        with pytest.raises(EvidenceError, match="has refrom-evidence-20261126T120000Z already, which is not older"):
            keep_evidence(kept, declared, forms_of(whole(), earlier), earlier)

    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before


def test_a_bundle_that_could_not_be_finished_leaves_no_trace(kept: Path, declared: tuple[Path, Path]) -> None:
    """One of its names is a folder's, so that its writing fails after others were written."""
    now = NOW + 9 * DAY

    with pytest.raises(EvidenceError, match="no evidence could be written"):
        keep_evidence(kept, declared, {**forms_of(whole(), now), "no/such/folder.txt": "x"}, now)

    assert len(bundles(kept)) == 3
    assert [path.name for path in kept.iterdir() if path.name.startswith(".making")] == []
    assert problems(kept) == []


def test_writers_at_once_make_one_chain(tmp_path: Path, declared: tuple[Path, Path]) -> None:
    folder = tmp_path / "evidence"
    refused: list[EvidenceError] = []

    def write(seconds: int) -> None:
        now = NOW + timedelta(seconds=seconds)
        try:
            keep_evidence(folder, declared, {"audit.json": "{}"}, now)
        except EvidenceError as fault:  # one that comes after a later one
            refused.append(fault)

    writers = [threading.Thread(target=write, args=(seconds,)) for seconds in range(12)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(bundles(folder)) + len(refused) == 12
    assert problems(folder) == []


def test_a_folder_without_evidence_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="holds no evidence; name the folder"):
        verify(tmp_path)
    with pytest.raises(EvidenceError, match="cannot be read"):
        verify(tmp_path / "nowhere")


def test_the_command_keeps_evidence_and_checks_it_offline(refrom: Refrom, fleet: Stage) -> None:
    folder = Path("evidence")

    def keep(hours: int) -> Ran:
        clock = VirtualClock(MOVED + timedelta(hours=hours))
        return refrom("audit", "--config", fleet.settings, "--evidence", folder, "--format", "json", clock=clock)

    first, ran = keep(3), keep(4)
    kept_json = json.loads((bundles(folder)[-1] / "audit.json").read_text())
    digest = sha256((bundles(folder)[-1] / MANIFEST).read_bytes())
    fleet.settings.unlink()

    good = refrom("audit", "--verify", folder)
    change(folder)
    bad = refrom("audit", "--verify", folder, "--format", "json")

    assert (first.code, ran.code) == (DONE, DONE)
    assert kept_json == ran.document
    assert ran.err.splitlines()[-1] == f"evidence: {bundles(folder)[-1]}, MANIFEST sha256 {digest}"
    assert (good.code, good.out.splitlines()) == (
        DONE,
        ["2 bundles are as they were written", f"newest MANIFEST sha256 {digest}"],
    )
    assert bad.code == ATTENTION
    assert bad.document["problems"] == [{"path": f"{bundles(folder)[0].name}/audit.csv", "problem": "changed"}]


def test_a_check_audits_nothing(refrom: Refrom, kept: Path) -> None:
    ran = refrom("audit", "--verify", kept, "--config", "x.yaml", "--evidence", "y", "--format", "csv")

    assert (ran.code, ran.out) == (USAGE, "")
    assert [line.partition(" says")[0] for line in ran.err.splitlines()] == [
        *("refrom: --config", "--evidence"),
        "--format csv is no form of what --verify finds; give table or json",
    ]


def test_a_place_that_cannot_be_written_is_one_line(refrom: Refrom, fleet: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ran = refrom("audit", "--config", fleet.settings, "--evidence", tmp_path / "file" / "evidence")

    assert ran.code == ATTENTION
    assert ran.err == (
        f"refrom: {tmp_path}/file/evidence: no evidence could be written ({os.strerror(20)}); "
        "name a folder that can be written to, with room in it\n"
    )
