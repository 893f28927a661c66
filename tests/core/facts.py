"""Facts for the plan: uses as they are read from small Dockerfiles, a stream, and changes of each significance."""

from datetime import UTC, date, datetime, timedelta

from bot.core.advisories import Assessment, Fix, Severity
from bot.core.carriers import scan_file
from bot.core.change import BaseChange, FileChanges, LanguageChange, PackageChange, PlatformChange, Significance
from bot.core.decision import BaseUse, Known
from bot.core.digest import Digest
from bot.core.modes import Mode, UpdateMode
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.policy import Declarations, FunctionMode
from bot.core.reference import Reference

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SEEN = NOW - timedelta(days=3)
OLD, NEW, NEW_AMD64, NEW_ARM64 = (Digest.of(name) for name in (b"old", b"new", b"new amd64", b"new arm64"))
STREAM = Reference.parse("public.ecr.aws/lambda/python:3.13")
UNPINNED = "FROM public.ecr.aws/lambda/python:3.13\n"
PINNED = f"FROM public.ecr.aws/lambda/python:3.13@{OLD}\n"
DATED = "FROM public.ecr.aws/lambda/python:3.13.2026.10.02.11\n"
DATE = "3.13.2026.11.20.14"
"""The date-stamped tag of what is new."""
UNEDITABLE = "ARG LINE=3\nFROM public.ecr.aws/lambda/python:${LINE}.13\n"
NOTHING = Declarations()

OPENSSL = (PackageChange(name="openssl", arch="x86_64", old="1", new="2"),)
FIX = Fix(
    system="AL2023",
    identifier="ALAS2023-2026-001",
    severity=Severity.IMPORTANT,
    cves=("CVE-2026-0001", "CVE-2026-0002"),
    packages=("openssl",),
)
CHANGES: dict[Significance, dict[str, object]] = {
    Significance.NONE: {},
    Significance.METADATA: {"metadata": ("environment",)},
    Significance.FILES: {"files": FileChanges(changed=1)},
    Significance.PACKAGES: {"packages": OPENSSL},
    Significance.LANGUAGE: {"language": LanguageChange(name="python", old="3.13.9", new="3.13.11")},
    Significance.SECURITY: {"packages": OPENSSL, "security": Assessment(fixes=(FIX,))},
}


def use(text: str = PINNED, path: str = "Dockerfile") -> BaseUse:
    """The first use of a Dockerfile, as the survey finds it."""
    return BaseUse(repository="acme/orders", commit="c" * 40, located=scan_file(path, text.encode()).uses[0])


def change(significance: Significance, **parts: object) -> BaseChange:
    """A change of one significance, with all that advisories say about it known, unless parts say otherwise."""
    platform = PlatformChange(platform=AMD64, **{"security": Assessment(), **CHANGES[significance], **parts})  # type: ignore[arg-type]
    return BaseChange(old=OLD, new=NEW, platforms=(platform,))


def unassessed(significance: Significance = Significance.PACKAGES) -> BaseChange:
    """A change of which nobody could read what advisories say."""
    return change(significance, security=Assessment(unknown="the feed is out of reach"))


def latest(first_seen: datetime = SEEN) -> Observation:
    bases = tuple(
        KnownBase(
            runtime="python3.13", reference=STREAM, platform=platform, digest=digest, layers=(digest,), diff_ids=()
        )
        for platform, digest in ((AMD64, NEW_AMD64), (ARM64, NEW_ARM64))
    )
    return Observation(
        runtime="python3.13", reference=STREAM, digest=NEW, bases=bases, first_seen=first_seen, last_seen=NOW
    )


def known(text: str = PINNED, significance: Significance | None = Significance.LANGUAGE) -> Known:
    return Known(
        use=use(text),
        latest=latest(),
        candidate=NEW,
        in_use=OLD,
        change=None if significance is None else change(significance),
        behind_since=SEEN,
    )


def manual(function: str, reason: str, until: date) -> FunctionMode:
    """What a person declares who takes a function back."""
    mode = UpdateMode(mode=Mode.MANUAL, said_by="the holds file", reason=reason, until=until)
    return FunctionMode(function=function, mode=mode)
