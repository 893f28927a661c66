"""Whether evidence is as it was written: offline, every file of every bundle, and the chain from one to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from bot.core.errors import EvidenceError
from bot.entrypoints.documents import Document
from bot.entrypoints.evidence import MANIFEST, NAME, bundles, sha256
from bot.entrypoints.tables import say

_LINE: Final = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that is not as it was written: `changed`, `missing` or `added`; the path is relative to the folder."""

    path: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found in a folder of evidence; `newest` is the digest of the last manifest."""

    folder: Path
    bundles: tuple[str, ...]
    newest: str
    problems: tuple[Problem, ...]


def verify(folder: Path) -> Verification:
    """Check all bundles in a folder. Raises `EvidenceError` where there is none, or it cannot be read."""
    try:
        found = bundles(folder)
        if not found:
            raise EvidenceError(f"{folder} holds no evidence; name the folder that refrom audit --evidence wrote to")
        problems = [*_strangers(folder), *(problem for each in found for problem in _check(each))]
        problems += _unchained(found)
        last = found[-1] / MANIFEST
        newest = sha256(last.read_bytes()) if last.is_file() else ""
    except OSError as fault:
        raise EvidenceError(f"{folder} cannot be read ({fault.strerror}); name a folder of evidence") from fault
    unique = tuple(dict.fromkeys(problems))
    return Verification(folder=folder, bundles=tuple(each.name for each in found), newest=newest, problems=unique)


def verification_document(checked: Verification) -> Document:
    """`refrom.verification/1`."""
    return {
        "schema": "refrom.verification/1",
        "bundles": list(checked.bundles),
        "newest": checked.newest or None,
        "problems": [{"path": problem.path, "problem": problem.what} for problem in checked.problems],
    }


def show_verification(console: Console, checked: Verification) -> None:
    """Show `refrom.verification/1`."""
    for problem in checked.problems:
        say(console, f"{problem.what}: {problem.path}", "bold red")
    count = len(checked.bundles)
    if checked.problems:
        say(console, f"{len(checked.problems)} files are not as they were written, in {count} bundles", "bold red")
    else:
        say(console, f"{count} bundles are as they were written", "green")
        say(console, f"newest MANIFEST sha256 {checked.newest}")


def _strangers(folder: Path) -> Iterator[Problem]:
    """What lies beside the bundles; hidden files are the lock's, or a version control system's."""
    for path in sorted(folder.iterdir()):
        if not NAME.fullmatch(path.name) and not path.name.startswith("."):
            yield Problem(path.name, "added")


def _check(bundle: Path) -> Iterator[Problem]:
    if bundle.is_symlink() or not bundle.is_dir():
        yield Problem(bundle.name, "changed")
        return
    listed = _listed(bundle)
    if listed is None:
        yield Problem(f"{bundle.name}/{MANIFEST}", "changed" if (bundle / MANIFEST).exists() else "missing")
        return
    for name, digest in listed.items():
        if what := _compare(bundle / name, digest):
            yield Problem(name[3:] if name.startswith("../") else f"{bundle.name}/{name}", what)
    for path in sorted(bundle.iterdir()):
        if path.name not in listed and path.name != MANIFEST:
            yield Problem(f"{bundle.name}/{path.name}", "added")


def _compare(path: Path, digest: str) -> str:
    if path.is_symlink():
        return "changed"
    if not path.exists():
        return "missing"
    return "" if path.is_file() and sha256(path.read_bytes()) == digest else "changed"


def _listed(bundle: Path) -> dict[str, str] | None:
    """The manifest's digests by path; None where it is none, or names what lies elsewhere."""
    path = bundle / MANIFEST
    if path.is_symlink() or not path.is_file():
        return None
    listed = {}
    for line in path.read_bytes().decode(errors="replace").splitlines():
        digest, name = line[:_LINE], line[_LINE + 2 :]
        before = name.split("/")
        chained = len(before) == 3 and before[0] == ".." and NAME.fullmatch(before[1]) and before[2] == MANIFEST
        if line[_LINE : _LINE + 2] != "  " or not name or ("/" in name and not chained):
            return None
        listed[name] = digest
    return listed


def _unchained(found: list[Path]) -> Iterator[Problem]:
    """The bundles whose manifest leaves out the one before, or names another; one that is gone is told by its name."""
    for before, bundle in zip([None, *found[:-1]], found, strict=True):
        listed = _listed(bundle)
        named = [name for name in listed or () if name.startswith("../")]
        expected = [f"../{before.name}/{MANIFEST}"] if before else []
        if listed is not None and named != expected and all((bundle / name).exists() for name in named):
            yield Problem(f"{bundle.name}/{MANIFEST}", "changed")
