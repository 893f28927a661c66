"""What GitHub really answered, as others recorded it, read by our parsers and explained by our errors."""

import json
import re
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from bot.adapters.forge.github.limits import Kind, limit_of
from bot.adapters.forge.github.refusals import Said, refusal
from bot.adapters.forge.github.tokens import Installation, Issued
from bot.adapters.forge.github.wire import CommentDocument, Made, PullDocument, parse
from tests.adapters.forge.github.recordings import Exchange, recordings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REPOSITORY = r"/repos/[^/]+/[^/]+"


@pytest.fixture(scope="module")
def exchanges() -> tuple[Exchange, ...]:
    return recordings()


@pytest.mark.parametrize(
    ("model", "asked", "least"),
    [
        (CommentDocument, rf"POST {REPOSITORY}/issues/\d+/comments\Z", 2),
        (Made, rf"POST {REPOSITORY}/git/(blobs|trees|commits)\Z", 13),
        (PullDocument, rf"(POST|PATCH) {REPOSITORY}/pulls(/\d+)?\Z", 10),
        (PullDocument, rf"GET {REPOSITORY}/pulls/\d+\Z", 30),
        (Installation, r"GET /(orgs|users)/[^/]+/installation\Z", 2),
        (Issued, r"POST /app/installations/\d+/access_tokens\Z", 22),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_was_answered_is_read(
    exchanges: tuple[Exchange, ...], model: type[BaseModel], asked: str, least: int
) -> None:
    matching = [e for e in exchanges if re.match(asked, f"{e.method} {e.path}") and 200 <= e.answer.status < 300]
    found = [e for e in matching if "json" in e.answer.headers.get("Content-Type", "")]

    for exchange in found:
        parse(model, exchange.answer.body, exchange.source)

    assert len(found) >= least


def test_every_refusal_is_explained_on_one_line_with_what_github_said(exchanges: tuple[Exchange, ...]) -> None:
    refused = [e for e in exchanges if e.answer.status >= 400]

    for exchange in refused:
        said = Said.of_rest(exchange.answer)
        explained = str(refusal("acme/orders", "do it", exchange.answer, said))
        assert explained.isprintable(), exchange.source
        assert len(explained) < 1000, exchange.source
        assert str(exchange.answer.status) in explained
        assert _first_words(exchange) in explained, exchange.source
    assert len(refused) > 100


def test_a_limit_is_seen_where_there_was_one_and_nowhere_else(exchanges: tuple[Exchange, ...]) -> None:
    limits = {
        exchange.source.rpartition("/")[2]: limit
        for exchange in exchanges
        if (limit := limit_of(exchange.answer.status, exchange.answer.headers, exchange.answer.excerpt, NOW))
    }

    kinds = {kind: sorted(name for name, limit in limits.items() if limit.kind is kind) for kind in Kind}
    assert kinds == {
        Kind.PRIMARY: ["SpecificExceptions.testRateLimitExceeded.txt"],
        Kind.SECONDARY: ["SpecificExceptions.testAuthenticatedRateLimitExceeded.txt"],
    }


def _first_words(exchange: Exchange) -> str:
    try:
        return " ".join(str(json.loads(exchange.answer.body)["message"]).split())[:40]
    except (ValueError, LookupError, TypeError):
        return ""
