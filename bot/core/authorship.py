"""Whose a commit is: what its message says tells ours from somebody else's.

Good for telling when a repository was last worked on, where a lie gains nothing; not for taking a branch for ours.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LAST: Final = 10
"""Commits that are looked at; where all of them are ours, nobody is known to have changed anything."""

_CLOCKS_DIFFER: Final = timedelta(hours=1)
_TRAILER: Final = "Refrom-Branch"
_MARKER: Final = "<!-- refrom:plan "
_MERGED: Final = (
    re.compile(r"Merge pull request #\d+ from [^/\s]+/(?P<branch>\S+)\Z"),
    re.compile(r"Merge (?:remote-tracking )?branch '(?:origin/)?(?P<branch>[^']+)'(?: of \S+)?(?: into \S+)?\Z"),
)
_UPDATED: Final = re.compile(r"Merge (?:remote-tracking )?branch '[^']+'(?: of \S+)? into '?(?P<branch>[^'\s]+)'?\Z")


@dataclass(frozen=True, slots=True)
class Said:
    """What a commit says, and when it was made."""

    at: datetime
    message: str


def trailer(branch: str) -> str:
    """Return the line of a commit message that says that it is ours, and for which branch."""
    return f"{_TRAILER}: {branch}"


def is_ours(message: str, beginning: str) -> bool:
    """Say whether a commit is ours, or merely joins one of our branches, whose names have this `beginning`.

    Ours is one with our trailer, however it was merged, and one whose message is the text of a pull request of ours.
    """
    lines = message.splitlines()
    if any(line.startswith((f"{_TRAILER}: ", _MARKER)) for line in lines):
        return True
    found = [pattern.match(lines[0]) for pattern in (*_MERGED, _UPDATED)] if lines else []
    return any(each and each["branch"].startswith(beginning) for each in found)


def last_change(commits: Iterable[Said], beginning: str) -> datetime | None:
    """Return when somebody else last changed what the last commits lead to, None where all of them are ours.

    An older change may lie below them; to say none then means to wait for the next one.
    """
    return max((said.at for said in commits if not is_ours(said.message, beginning)), default=None)


def believed(changed: datetime | None, now: datetime) -> datetime | None:
    """Return when a repository was changed, None for a time that is yet to come: a commit says of itself when it was.

    One that lies in the future would keep its repository in phase one, and let every base ride along, for ever.
    """
    return changed if changed and changed <= now + _CLOCKS_DIFFER else None
