"""A baseline: an earlier audit, whose findings are known, so that only new ones end a command with exit code 1."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.core.errors import SettingsError
from bot.entrypoints.documents import Document
from bot.entrypoints.forms.findings import breaches
from bot.entrypoints.forms.sarif import sarif_fingerprints

_SCHEMA: Final = "refrom.audit/1"
_LARGEST: Final = 256 << 20
_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


def read_baseline(path: Path) -> Document:
    """Read what `refrom audit --format json` wrote. Raises `SettingsError` with the path and the cure."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as fault:
        cure = "name what refrom audit --format json wrote"
        raise SettingsError([f"--baseline {path}: cannot be read ({fault.strerror}); {cure}"]) from fault
    try:
        return _checked(json.loads(content))
    except _MALFORMED as fault:
        reason = f"{type(fault).__name__}: {fault}"[:200]
        cure = "name what refrom audit --format json wrote"
        raise SettingsError([f"--baseline {path}: is no document {_SCHEMA} ({reason}); {cure}"]) from fault


def _checked(document: Any) -> Document:  # noqa: ANN401 - it may be anything
    """Return a document of which every finding has its fingerprint."""
    if not isinstance(document, Mapping) or document.get("schema") != _SCHEMA:
        raise ValueError(f"its schema is not {_SCHEMA}")
    known = dict(document)
    breaches(known)
    sarif_fingerprints(known)
    return known
