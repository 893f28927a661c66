"""Package databases of an image: where they lie, and the packages in them.

RPM keeps one under `/var/lib/rpm` or `/usr/lib/sysimage/rpm`: SQLite (AL2023) or a Berkeley hash file (AL2 and older).
dpkg keeps `/var/lib/dpkg/status`, distroless images a file a package beside it; apk keeps `/lib/apk/db/installed`.
That the Lambda base images hold exactly these files is UNVERIFIED; a layer with none of them has no package list.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bot.adapters.contents.rpmdb import sqlite_values
from bot.core.errors import ContentsError
from bot.core.layer import Package
from bot.core.packages import berkeley_values, parse_header, parse_installed, parse_status

_DATABASE: Final = re.compile(
    r"(?:var/lib|usr/lib/sysimage)/rpm/(?:rpmdb\.sqlite(?:-wal)?|Packages(?:\.db)?)\Z"
    r"|var/lib/dpkg/status(?:\.d/[^/]+(?<!\.md5sums))?\Z"
    r"|(?:usr/)?lib/apk/db/installed\Z"
)


def is_database(path: str) -> bool:
    """Say whether a file is a package database, or a part of one."""
    return bool(_DATABASE.match(path))


def read_packages(files: Mapping[str, bytes]) -> tuple[tuple[Package, ...] | None, tuple[str, ...]]:
    """List the packages of all databases among `files`, sorted, and what could not be read, each with its reason.

    Packages are None where there is no database, or none that could be read.
    """
    found: set[Package] = set()
    unread = []
    databases = [path for path in sorted(files) if is_database(path) and not _is_settled(path, files[path])]
    for path in databases:
        try:
            found.update(_packages(path, files[path]))
        except ContentsError as fault:
            unread.append(f"{path}: {fault}")
    return tuple(sorted(found)) if len(databases) > len(unread) else None, tuple(unread)


def _packages(path: str, content: bytes) -> Iterable[Package]:
    match path.rpartition("/")[2]:
        case "rpmdb.sqlite":
            return [parse_header(value) for value in sqlite_values(content)]
        case "Packages":
            return [parse_header(value) for value in berkeley_values(content)]
        case "rpmdb.sqlite-wal":
            raise ContentsError("it holds changes that are not in the database yet, and is not read")
        case "Packages.db":
            raise ContentsError("RPM's ndb form is not read")
        case "installed":
            return parse_installed(content)
        case _:
            return parse_status(content)


def _is_settled(path: str, content: bytes) -> bool:
    """Say whether a file is an empty write-ahead log, which programs leave behind that only read."""
    return path.endswith("-wal") and not content
