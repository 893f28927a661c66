"""Processes that end at a write: ports whose writes are counted, and the write at which the process dies."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any


class Killed(BaseException):
    """The process ends here; nothing that the loop catches."""


@dataclass(slots=True)
class Writes:
    """What was written so far, and the write at which the process ends: before it, or right after it."""

    fatal: tuple[str, int, bool] | None = None
    made: list[str] = field(default_factory=list)

    def wrap(self, name: str, write: Callable[..., Any], *args: object, **kwargs: object) -> Any:
        self.made.append(name)
        here = (name, self.made.count(name))
        if self.fatal == (*here, False):
            raise Killed
        result = write(*args, **kwargs)
        if self.fatal == (*here, True):
            raise Killed
        return result


class Watched:
    """A port whose writes are told to `Writes`; everything else passes through."""

    def __init__(self, port: str, inner: object, writes: Writes, names: Collection[str]) -> None:
        self._port, self._inner, self._writes, self._names = port, inner, writes, names

    def __getattr__(self, name: str) -> Any:
        found, full = getattr(self._inner, name), f"{self._port}.{name}"
        return partial(self._writes.wrap, full, found) if full in self._names else found
