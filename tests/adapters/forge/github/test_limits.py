"""Which limit an answer speaks of, from what GitHub documents and what users report."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.forge.github.limits import Kind, Limit, Quota, limit_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for user ID 1."
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int((NOW + timedelta(minutes=40)).timestamp()))}
LEFT = {"x-ratelimit-remaining": "4290"}


def limit(kind: Kind, **wait: float) -> Limit:
    """The limit with the wait that GitHub named; without one it is the minute that GitHub asks for then."""
    return Limit(kind, timedelta(**wait)) if wait else Limit(kind, timedelta(minutes=1), guessed=True)


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "message", "expected"),
    [
        pytest.param(SPENT, PRIMARY, limit(Kind.PRIMARY, minutes=40), id="quota spent"),
        pytest.param(SPENT, "", limit(Kind.PRIMARY, minutes=40), id="quota spent, no message"),
        pytest.param({**SPENT, "retry-after": "30"}, PRIMARY, limit(Kind.PRIMARY, seconds=30), id="with retry-after"),
        pytest.param(LEFT, PRIMARY, limit(Kind.PRIMARY), id="primary by its message alone"),
        pytest.param(LEFT, SECONDARY, limit(Kind.SECONDARY), id="secondary, no retry-after, quota left"),
        pytest.param(SPENT, SECONDARY, limit(Kind.SECONDARY), id="secondary, quota spent as well"),
        pytest.param({**LEFT, "retry-after": "7"}, SECONDARY, limit(Kind.SECONDARY, seconds=7), id="secondary, waits"),
        pytest.param({"retry-after": "7"}, "", limit(Kind.SECONDARY, seconds=7), id="retry-after alone"),
        pytest.param({"retry-after": "0"}, "", limit(Kind.SECONDARY), id="retry-after of nothing"),
        pytest.param(
            {**SPENT, "x-ratelimit-remaining": "2"}, PRIMARY, limit(Kind.PRIMARY, minutes=40), id="too little is left"
        ),
        pytest.param(LEFT, "You have triggered an abuse detection mechanism.", limit(Kind.SECONDARY), id="old words"),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"},
            "",
            limit(Kind.PRIMARY),
            id="no time",
        ),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 30}, "", limit(Kind.PRIMARY, hours=2), id="absurd"
        ),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "", limit(Kind.PRIMARY, seconds=1), id="past"
        ),
    ],
)
def test_a_limit_is_told_with_its_wait(status: int, headers: dict[str, str], message: str, expected: Limit) -> None:
    assert limit_of(status, Headers(headers), message, NOW) == expected


def test_429_without_any_word_is_a_secondary_limit() -> None:
    assert limit_of(429, Headers(LEFT), "", NOW) == limit(Kind.SECONDARY)


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (403, LEFT, "Resource not accessible by integration"),
        (403, {}, ""),
        (404, SPENT, "Not Found"),
        (200, SPENT, ""),
        (401, {"retry-after": "7"}, "Bad credentials"),
        (502, {"retry-after": "7"}, "Server Error"),
    ],
)
def test_other_refusals_are_no_limit(status: int, headers: dict[str, str], message: str) -> None:
    assert limit_of(status, Headers(headers), message, NOW) is None


STATED = {"x-ratelimit-limit": "5000", **SPENT, "x-ratelimit-resource": "graphql"}


def test_a_quota_is_read_as_an_answer_states_it() -> None:
    renewed = NOW + timedelta(minutes=40)

    assert Quota.of(Headers(STATED), "core", NOW) == Quota(resource="graphql", limit=5000, remaining=0, reset=renewed)
    unnamed = {name: value for name, value in STATED.items() if not name.endswith("resource")}
    assert Quota.of(Headers(unnamed), "core", NOW) == Quota(resource="core", limit=5000, remaining=0, reset=renewed)


@pytest.mark.parametrize("lacking", ["limit", "remaining", "reset"])
@pytest.mark.parametrize("value", [None, "", "many", "-1", "1.5", "²"])
def test_half_a_quota_is_none(lacking: str, value: str | None) -> None:
    headers = {name: stated for name, stated in STATED.items() if not name.endswith(lacking)}
    if value is not None:
        headers[f"x-ratelimit-{lacking}"] = value

    assert Quota.of(Headers(headers), "core", NOW) is None


@pytest.mark.parametrize(
    ("reset", "seconds"), [("0", 1), (str(int(NOW.timestamp())), 1), ("9" * 40, 7200)], ids=["1970", "now", "absurd"]
)
def test_a_quota_is_renewed_ahead_of_us_and_within_two_hours(reset: str, seconds: int) -> None:
    """Else whoever waits for it would come back at once for ever, or never."""
    quota = Quota.of(Headers({**STATED, "x-ratelimit-reset": reset}), "core", NOW)

    assert quota
    assert quota.reset == NOW + timedelta(seconds=seconds)


class Headers(dict[str, str]):
    """Header names without regard to case, as the transport gives them."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in given.items()})

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override] # narrower on purpose
        return super().get(name.lower(), default)
