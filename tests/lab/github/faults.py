"""Trouble that a test plans: an answer instead of the real one, or none at all, before or after the thing is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.lab.web import Answer

WRITE: Final = "write"
"""The operation that every request is that would change something, whatever else it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one call; without an `answer` the connection ends, and `after` means once it is done.

    `act` is called before the connection ends, such as to kill the caller.
    """

    answer: Answer | None = None
    after: bool = False
    act: Callable[[], None] | None = None


@dataclass(slots=True, kw_only=True)
class _Plan:
    operation: str
    fault: Fault
    first: int
    last: int
    seen: int = 0


@dataclass(slots=True, kw_only=True)
class Meddling:
    """Something that somebody does just before a request; `is_done` once it has happened."""

    act: Callable[[], object]
    left: int
    is_done: bool = False


@dataclass(slots=True)
class Faults:
    """The plans of a test."""

    _plans: list[_Plan] = field(default_factory=list)
    _meddling: list[Meddling] = field(default_factory=list)

    def before(self, request: int, act: Callable[[], object]) -> Meddling:
        """Let somebody do something just before the n-th request from now on, whatever that is for."""
        meddling = Meddling(act=act, left=request)
        self._meddling.append(meddling)
        return meddling

    def forget(self, meddling: Meddling) -> None:
        """Let it not happen any more."""
        self._meddling.remove(meddling)

    def arrive(self) -> None:
        """Count a request, and do what is to be done before it."""
        for meddling in self._meddling:
            meddling.left -= 1
            if meddling.left == 0:
                meddling.act()
                meddling.is_done = True

    def plan(
        self,
        operation: str,
        on_call: int = 1,
        *,
        answer: Answer | None = None,
        after: bool = False,
        times: int = 1,
        act: Callable[[], None] | None = None,
    ) -> None:
        """Let the n-th call of an operation from now on, or that and the next ones, go wrong.

        An operation is one of the REST description (`pulls/create`), a GraphQL operation by its name or a field of its
        top (`createCommitOnBranch`), `git/upload-pack` and `git/receive-pack`, or `WRITE`. Without an answer the
        connection ends; `after` lets the thing be done first, as a timeout after the commit does.
        """
        fault = Fault(answer=answer, after=after, act=act)
        self._plans.append(_Plan(operation=operation, fault=fault, first=on_call, last=on_call + times - 1))

    def due(self, operations: set[str], *, writes: bool = False) -> Fault | None:
        """Count a call, and return what is planned for it."""
        operations = {*operations, WRITE} if writes else operations
        due = None
        for plan in self._plans:
            if plan.operation in operations:
                plan.seen += 1
                if plan.first <= plan.seen <= plan.last:
                    due = due or plan.fault
        return due


def gateway_timeout() -> Answer:
    """Build what GitHub's front answers when it waited too long: a page, no JSON."""
    return Answer(status=504, headers={"Content-Type": "text/html"}, body=b"<html>We had issues</html>")
