"""Many small questions in few requests: a batch that GitHub does not answer is asked again in halves.

GitHub ends a query after ten seconds, and refuses one that asks for too much; which one that is it tells nobody before
(docs.github.com, "Rate limits and query limits for the GraphQL API").
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, Final, TypeVar

from bot.adapters.forge.github.refusals import Said, refusal
from bot.adapters.forge.github.sender import Reply
from bot.core.errors import ForgeError

_KINDS: Final = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"})
_WORDS: Final = ("something went wrong", "timeout", "timed out", "in time")
"""What GitHub says when it gave up; these errors have no code."""

I = TypeVar("I")  # noqa: E741 (an item)
A = TypeVar("A")


class TooMuch(ForgeError):
    """A query that GitHub did not answer, of which a part may get an answer."""


Ask = Callable[[Sequence[I]], Iterable[tuple[I, A | ForgeError]]]
"""Asks for some items in one query; raises `TooMuch` for all, or gives it as the answer for some of them."""


def answered(items: Sequence[I], ask: Ask[I, A], lesser: Callable[[I], I | None]) -> Iterator[tuple[I, A | ForgeError]]:
    """Give an answer or the error for each item, or for a lesser one in its place.

    `lesser` says what to ask where even one item is too much, None where nothing is less.
    """
    waiting = [list(items)]
    while waiting:
        batch = waiting.pop()
        if not batch:
            continue
        refused: list[I] = []
        for item, answer in _ask(batch, ask):
            if not isinstance(answer, TooMuch):
                yield item, answer
            elif len(batch) > 1:
                refused.append(item)
            elif (less := lesser(item)) is not None:
                refused.append(less)
            else:
                yield item, answer
        half = (len(refused) + 1) // 2 if len(batch) > 1 else len(refused)
        waiting += [refused[half:], refused[:half]]


def _ask(batch: Sequence[I], ask: Ask[I, A]) -> Iterable[tuple[I, A | ForgeError]]:
    try:
        return list(ask(batch))
    except ForgeError as fault:
        return [(item, fault) for item in batch]


def in_batches(items: Iterable[I], most: int, key: Callable[[I], Hashable]) -> Iterator[list[I]]:
    """Cut items into batches of at most so many, each of one key; items of one key stand together."""
    for _, group in groupby(items, key):
        while batch := list(islice(group, most)):
            yield batch


def too_much(errors: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether errors of GraphQL are about the size of what was asked, or about the time that it took."""
    said = Said.of_graphql(errors)
    return bool(said.kinds & _KINDS) or any(words in said.message.casefold() for words in _WORDS)


def part(reply: Reply, alias: str, what: str, verb: str) -> Mapping[str, Any]:
    """Return the part of an answer that has this alias; raises `TooMuch`, or another `ForgeError` that names `what`."""
    errors = [error for error in reply.errors if (error.get("path") or [alias])[0] == alias]
    if too_much(errors):
        raise TooMuch(f"{what}: GitHub gave up ({Said.of_graphql(errors).message}); run again later", retryable=True)
    found = reply.data.get(alias)
    if errors or not isinstance(found, Mapping):
        raise refusal(what, verb, reply.answer, Said.of_graphql(errors))
    return found
