"""Where the lab keeps what it fetched once: the folder REFROM_LAB_CACHE, else `refrom-lab` in the user's caches."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def cached(name: str, make: Callable[[Path], Path]) -> Path:
    """Return a file or folder of the cache; `make` gets an empty folder and returns what it made in it, which is moved.

    That is one step: of several test processes, each leaves the whole of it, and of folders the first one stays.
    """
    kept = cache_folder() / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="making-") as folder:
            made = make(Path(folder))
            try:
                made.replace(kept)
            except OSError:
                if not (made.is_dir() and kept.is_dir()):
                    raise
    return kept


def cache_folder() -> Path:
    """The folder; it may not be there yet."""
    named = os.environ.get("REFROM_LAB_CACHE")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(caches) / "refrom-lab"
