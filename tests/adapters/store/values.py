"""Values to store: a few to read, and strategies for all that the core allows."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.layer import Component, Entry, Kind, Language, Layer, Package
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.platforms import Platform
from bot.core.reference import Reference

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def digest(of: str) -> Digest:
    return Digest.of(of.encode())


def base(of: str, *, runtime: str = "python3.13", platform: str = "linux/amd64") -> KnownBase:
    return KnownBase(
        runtime=runtime,
        reference=Reference.parse("public.ecr.aws/lambda/python:3.13").with_digest(digest(f"index {of}")),
        platform=Platform.parse(platform),
        digest=digest(f"manifest {of} {platform}"),
        layers=(digest(f"{of} 1"), digest(f"{of} 2")),
        diff_ids=(digest(f"{of} 1 unpacked"), digest(f"{of} 2 unpacked")),
        created=NOON - HOUR,
    )


def observation(of: str, *, runtime: str = "python3.13", seen: datetime = NOON) -> Observation:
    return Observation(
        runtime=runtime,
        reference=Reference.parse("public.ecr.aws/lambda/python:3.13"),
        digest=digest(f"index {of}"),
        bases=(base(of, runtime=runtime), base(of, runtime=runtime, platform="linux/arm64")),
        first_seen=seen,
        last_seen=seen,
    )


def outcome(message: str) -> Outcome:
    return Outcome(
        step="propose", subject="acme/orders", result=Result.OPENED, message=message, details={"pull_request": "7"}
    )


def layer(of: str) -> Layer:
    return Layer(
        digest=digest(of),
        entries={"var/lang/bin/python": Entry(kind=Kind.FILE, mode=0o755, size=9, content=digest("python").hex)},
        whiteouts=frozenset({"tmp/old"}),
        packages=(Package("openssl-libs", "x86_64", "1:3.0.8-2"),),
        language=Language("python", "3.13.9"),
    )


_NAMES = st.text(st.characters(codec=None), max_size=12)
"""Any text, lone surrogates too: names come out of layers."""
_NUMBERS = st.integers(0, 2**63)
_DIGESTS = st.builds(Digest.of, st.binary(max_size=4)) | st.builds(
    Digest, st.just("sha512"), st.text("0123456789abcdef", min_size=128, max_size=128)
)
TIMES = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    min_value=NOON.replace(year=1971, tzinfo=None),
    max_value=NOON.replace(year=2400, tzinfo=None),
    timezones=st.timezones(),
)
_ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    mode=_NUMBERS,
    uid=_NUMBERS,
    gid=_NUMBERS,
    size=_NUMBERS,
    content=_NAMES,
    xattrs=st.lists(st.tuples(_NAMES, _NAMES), max_size=2).map(tuple),
)

LAYERS = st.builds(
    Layer,
    digest=_DIGESTS,
    entries=st.dictionaries(_NAMES, _ENTRIES, max_size=4),
    whiteouts=st.frozensets(_NAMES, max_size=3),
    opaque=st.frozensets(_NAMES, max_size=3),
    packages=st.none() | st.lists(st.builds(Package, _NAMES, _NAMES, _NAMES), max_size=3).map(tuple),
    language=st.none() | st.builds(Language, _NAMES, _NAMES),
    unread=st.lists(_NAMES, max_size=2).map(tuple),
    components=st.lists(st.builds(Component, _NAMES, _NAMES, _NAMES), max_size=2).map(tuple),
    diff_id=st.none() | _DIGESTS,
)
BASES = st.builds(
    KnownBase,
    runtime=_NAMES,
    reference=st.builds(
        Reference,
        st.sampled_from(["docker.io", "public.ecr.aws", "127.0.0.1:5000"]),
        st.sampled_from(["lambda/python", "library/python"]),
        st.none() | st.sampled_from(["3.13", "latest"]),
        st.none() | _DIGESTS,
    ),
    platform=st.builds(Platform, _NAMES, _NAMES, _NAMES),
    digest=_DIGESTS,
    layers=st.lists(_DIGESTS, max_size=3).map(tuple),
    diff_ids=st.lists(_DIGESTS, max_size=3).map(tuple),
    created=st.none() | TIMES,
)
OUTCOMES = st.builds(
    Outcome,
    step=_NAMES,
    subject=_NAMES,
    result=st.sampled_from(Result),
    message=_NAMES,
    details=st.dictionaries(_NAMES, _NAMES, max_size=3),
)
