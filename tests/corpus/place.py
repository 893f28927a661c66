"""Where the corpora are: in the folder that REFROM_CORPUS names, else in a folder `shared` beside the checkout."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
CORPUS = Path(os.environ.get("REFROM_CORPUS") or _BESIDE)

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "score.py").is_file(), reason="the corpora are not here; set REFROM_CORPUS to their folder"
)


def load(name: str) -> Any:
    """Read one corpus file; None where the corpora are not there, so that tests can be collected."""
    path = CORPUS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def cases(name: str, *keys: str) -> list[Any]:
    """The cases below some keys of a corpus file."""
    found = load(name)
    for key in keys:
        found = found[key] if found else None
    return list(found or ())
