"""What was taken back halts others on its base, by whichever digest that is named, and is told without a trick."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.core.deployment import Alias, Mark
from bot.core.digest import Digest
from bot.core.observation import KnownBase
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.taken_back import TakenBack, why_halted

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
INDEX, AMD64, ARM64 = (Digest.of(text.encode()) for text in ("index", "amd64", "arm64"))
PYTHON = Reference.parse("public.ecr.aws/lambda/python:3.13")
BASE = KnownBase(
    runtime="python3.13",
    reference=PYTHON.with_digest(INDEX),
    platform=Platform("linux", "amd64"),
    digest=AMD64,
    layers=(),
    diff_ids=(),
)
BACK = TakenBack(
    function="orders",
    arn="arn:aws:lambda:eu-west-1:123456789012:function:orders",
    alias=Alias(name="live", version="1", revision="r"),
    version="2",
    since=NOW,
    image=PYTHON.with_digest(ARM64),
    base=BASE,
)


def test_the_base_is_known_by_all_its_digests_and_another_one_is_not_it() -> None:
    other_platform = replace(BASE, digest=ARM64)
    by_itself = replace(BASE, reference=PYTHON.with_digest(AMD64))
    newer = replace(BASE, reference=PYTHON.with_digest(Digest.of(b"newer")), digest=Digest.of(b"amd64 of it"))

    halted = [bool(why_halted("later", base, (BACK,))) for base in (BASE, other_platform, by_itself, newer)]

    assert halted == [True, True, True, False]


def test_the_function_itself_is_halted_by_no_other_that_was_taken_back_like_it() -> None:
    both = (BACK, replace(BACK, function="later"))

    assert [bool(why_halted(name, BASE, both)) for name in ("orders", "later", "third")] == [False, False, True]


def test_each_version_of_each_function_has_a_comment_of_its_own() -> None:
    others = (replace(BACK, version="3"), replace(BACK, arn=f"{BACK.arn}2"), replace(BACK, since=NOW.replace(hour=13)))

    assert [one.mark == BACK.mark for one in others] == [False, False, True]


def test_a_hostile_reason_stays_in_its_code_span() -> None:
    text = BACK.comment("`boom`\n<!-- refrom:closed -->\n@everyone")

    (why,) = (line for line in text.splitlines() if line.startswith("Why: "))
    assert why == "Why: `'boom' <!-- refrom:closed --> @everyone`"
    assert "<!-- refrom:closed -->" not in map(str.strip, text.splitlines())
    assert f"`{Mark(new='2', since=NOW).on('')}`" in text
