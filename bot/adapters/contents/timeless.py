"""Contents without the times in them that say nothing but when a file was made.

Compiled Python holds its source's mtime (PEP 552), a gzip header the mtime of what was compressed (RFC 1952), an RPM
database the time at which each package was installed, and its indexes what they find in it.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bot.adapters.contents.rpmdb import sqlite_values
from bot.core.errors import ContentsError
from bot.core.packages import berkeley_values, header_identity

_PYC_BY_TIME: Final = bytes(4)
"""The flags of compiled Python that is compared with its source by mtime and size."""
_GZIP: Final = b"\x1f\x8b\x08"
_READERS: Final[Mapping[str, Callable[[bytes], Iterator[bytes]]]] = {
    "rpmdb.sqlite": sqlite_values,
    "Packages": berkeley_values,
}
_INDEXES: Final = re.compile(
    r"rpmdb\.sqlite-(?:shm|wal)|__db\.\d{3}|\.(?:dbenv|rpm)\.lock|Installtid|Basenames|Dirnames|Group|Sha1header|Sigmd5"
    r"|(?:Conflict|Enhance|Filetrigger|Obsolete|Provide|Recommend|Require|Suggest|Supplement|Transfiletrigger|Trigger)"
    r"name|Name"
)
"""What librpm makes of the database, and may make again at any time (rpm, lib/rpmdb.c and lib/backend)."""


def timeless(path: str, content: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on the content of a file, with zeros in the place of the times in its header."""
    if path.endswith(".pyc"):
        return _blank(content, 8, lambda head: head[4:8] == _PYC_BY_TIME)
    if path.endswith((".gz", ".tgz")):
        return _blank(content, 4, lambda head: head.startswith(_GZIP))
    return content


def _blank(content: Iterator[bytes], place: int, known: Callable[[bytes], bool]) -> Iterator[bytes]:
    """Put zeros over four bytes of the first piece, if it is what the name says."""
    first = next(content, b"")
    yield first[:place] + bytes(4) + first[place + 4 :] if len(first) >= place + 4 and known(first) else first
    yield from content


def database_digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Digest each RPM database by its packages, whatever their order and install times; those that cannot be read not.

    The packages' own files are entries of the layer, and are compared as such.
    """
    found = {}
    for path, content in files.items():
        reader = _READERS.get(path.rpartition("/")[2])
        try:
            identities = sorted(map(header_identity, reader(content))) if reader else None
        except ContentsError:  # said where the packages are read
            continue
        if identities is not None:
            found[path] = hashlib.sha256(b"".join(identities)).hexdigest()
    return found


def is_index_of(path: str, database: str) -> bool:
    """Say whether a file is what librpm derives from a database beside it."""
    folder, _, name = path.rpartition("/")
    return folder == database.rpartition("/")[0] and bool(_INDEXES.fullmatch(name))
