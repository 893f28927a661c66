"""Evidence: an audit in all its forms, in a folder of its own that nobody writes to again, chained to the one before.

A bundle is `refrom-evidence-YYYYMMDDTHHMMSSZ` with the forms, `about.json` and `MANIFEST`. A line of the manifest is a
digest and a path, as `sha256sum --check` reads it; the last one names the manifest of the bundle before, if there is
one. So whoever knows the digest of the newest manifest can tell whether anything before it was changed.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import botocore

from bot import __version__
from bot.core.errors import EvidenceError
from bot.entrypoints.documents import time_text

MANIFEST: Final = "MANIFEST"
NAME: Final = re.compile(r"refrom-evidence-\d{8}T\d{6}Z")
_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class Kept:
    """A bundle that was written, and the digest of its manifest, to be kept somewhere else as well."""

    folder: Path
    digest: str


def keep_evidence(folder: Path, declared: tuple[Path, Path], forms: Mapping[str, str], now: datetime) -> Kept:
    """Write a bundle, whole or not at all. Raises `EvidenceError`.

    `declared` are the settings file and the one of what people declared; their digests are kept, not their texts.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            return _write(folder, {**forms, "about.json": _about(declared, now)}, now)
    except OSError as fault:
        cure = "name a folder that can be written to, with room in it"
        raise EvidenceError(f"{folder}: no evidence could be written ({fault.strerror}); {cure}") from fault


def bundles(folder: Path) -> list[Path]:
    """The bundles in a folder, oldest first."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))


def sha256(content: bytes) -> str:
    """The digest of a file, as sha256sum writes it."""
    return hashlib.sha256(content).hexdigest()


def _write(folder: Path, files: Mapping[str, str], now: datetime) -> Kept:
    target, before = folder / f"refrom-evidence-{now:%Y%m%dT%H%M%SZ}", bundles(folder)
    if before and before[-1].name >= target.name:
        raise EvidenceError(f"{folder} has {before[-1].name} already, which is not older than now; set the clock right")
    contents = {name: text.encode(errors="replace") for name, text in files.items()}
    lines = [f"{sha256(content)}  {name}" for name, content in sorted(contents.items())]
    if before:
        lines.append(f"{sha256((before[-1] / MANIFEST).read_bytes())}  ../{before[-1].name}/{MANIFEST}")
    manifest = ("\n".join(lines) + "\n").encode()
    making = Path(tempfile.mkdtemp(dir=folder, prefix=".making-"))
    try:
        for name, content in {**contents, MANIFEST: manifest}.items():
            _put(making / name, content)
        making.chmod(0o755)
        _settle(making)
        making.rename(target)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    _settle(folder)
    return Kept(target, sha256(manifest))


def _put(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)


def _settle(folder: Path) -> None:
    """Let the names in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes here, so that no two bundles follow the same one."""
    with (folder / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _about(declared: tuple[Path, Path], now: datetime) -> str:
    settings, holds = declared
    about = {
        "schema": "refrom.evidence/1",
        "written": time_text(now),
        "versions": {"refrom": __version__, "python": platform.python_version(), "botocore": botocore.__version__},
        "settings": {"file": settings.name, "sha256": sha256(settings.read_bytes())},
        "holds": {"file": holds.name, "sha256": sha256(holds.read_bytes())} if holds.exists() else None,
    }
    return json.dumps(about, indent=1) + "\n"
