"""RPM's order of versions (rpm, `rpmvercmp` in rpmio/rpmvercmp.c, `parseEVR` and `rpmverCmp` in rpmio/rpmver.c).

A version is a row of segments: digits, letters, `~` and `^`; everything else only separates.
`~` sorts before the end of the version, `^` right after the end, then letters, then numbers.
"""

import re
from typing import Final

_EPOCH: Final = re.compile(r"([0-9]*):")
_SEGMENT: Final = re.compile(r"[0-9]+|[a-zA-Z]+|~|\^")

_Rank = tuple[int, int, str]
_END: Final[_Rank] = (1, 0, "")


def compare_evr(a: str, b: str) -> int:
    """Return -1, 0 or 1 as rpm orders two `epoch:version-release`; any text has a place.

    A missing epoch is 0; a missing release is older than every release.
    """
    one, other = _order(a), _order(b)
    return (one > other) - (one < other)


def _order(evr: str) -> tuple[tuple[_Rank, ...], ...]:
    epoch = _EPOCH.match(evr)
    rest = evr[epoch.end() :] if epoch else evr
    version, dash, release = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return (
        _ranks(epoch[1] or "0" if epoch else "0"),
        _ranks(version),
        _ranks(release) if dash else (),
    )


def _ranks(version: str) -> tuple[_Rank, ...]:
    return (*(_rank(segment) for segment in _SEGMENT.findall(version)), _END)


def _rank(segment: str) -> _Rank:
    if segment == "~":
        return (0, 0, "")
    if segment == "^":
        return (2, 0, "")
    if segment.isalpha():
        return (3, 0, segment)
    # By length and digits: rpm takes numbers of any length, int() stops at 4300 digits.
    number = segment.lstrip("0")
    return (4, len(number), number)
