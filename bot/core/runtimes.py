"""Runtime identifiers of Lambda and the base image that belongs to each.

The identifiers are those of Lambda's API; which tag, operating system, platforms and dates belong to them is data that
the settings room loads, because AWS changes it without notice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final, Self

from bot.core.errors import InvalidReference
from bot.core.platforms import Platform
from bot.core.reference import Reference

REGISTRY: Final = "public.ecr.aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One runtime identifier and the moving tag of its base image.

    `platforms` are those that the tag is known to have. A date is None where AWS has named none.
    """

    identifier: str
    repository: str
    tag: str
    os: str
    platforms: tuple[Platform, ...]
    deprecation: date | None = None
    block_create: date | None = None
    block_update: date | None = None
    preview: bool = False

    @property
    def reference(self) -> Reference:
        """The stream's moving tag, such as `public.ecr.aws/lambda/python:3.13`."""
        return Reference(REGISTRY, self.repository, self.tag)


class Catalogue:
    """All runtimes that are known, by identifier; iterating gives the identifiers in their order."""

    __slots__ = ("_runtimes",)

    def __init__(self, runtimes: Iterable[Runtime]) -> None:
        self._runtimes: Mapping[str, Runtime] = {runtime.identifier: runtime for runtime in runtimes}

    def get(self, identifier: str) -> Runtime:
        """Return one runtime; an `InvalidReference` names the closest identifier where there is none."""
        if identifier not in self._runtimes:
            raise InvalidReference(f"runtime {identifier[:80]!r} is unknown; {self.hint(identifier)}")
        return self._runtimes[identifier]

    def closest(self, identifier: str) -> str | None:
        """Return the identifier that was probably meant."""
        return next(iter(get_close_matches(identifier[:80], self._runtimes, n=1)), None)

    def hint(self, identifier: str) -> str:
        """Say what to do about an identifier that is not in the catalogue."""
        closest = self.closest(identifier)
        return f"did you mean {closest}?" if closest else "add it to the file that runtimes.catalogue names"

    def overlay(self, others: Iterable[Runtime]) -> Self:
        """Return a catalogue in which the others are added, and replace those of the same identifier."""
        return type(self)((*self._runtimes.values(), *others))

    def __iter__(self) -> Iterator[str]:
        return iter(self._runtimes)

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._runtimes

    def __len__(self) -> int:
        return len(self._runtimes)

    def __repr__(self) -> str:
        return f"Catalogue({len(self)} runtimes)"
