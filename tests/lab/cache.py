"""Where the lab keeps what it fetched once: the folder REFROM_LAB_CACHE, else `refrom-lab` in the user's caches."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def cached(name: str, make: Callable[[Path], Path]) -> Path:
    """Return a file of the cache; `make` gets an empty folder and returns the file in it, which is then moved there.

    That is one step: of several test processes, each leaves the whole file.
    """
    kept = cache_folder() / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="making-") as folder:
            make(Path(folder)).replace(kept)
    return kept


def cache_folder() -> Path:
    """The folder; it may not be there yet."""
    named = os.environ.get("REFROM_LAB_CACHE")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(caches) / "refrom-lab"
