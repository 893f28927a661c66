"""Which advisories an upgrade fixes: those in (old, new] by rpm's order, and no other."""

from dataclasses import replace
from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.advisories import Advisory, Assessment, Bulletin, Severity, lowest, worst
from bot.core.change import FileChanges, LanguageChange, PackageChange, PlatformChange, Significance, upgrades
from bot.core.layer import Package
from bot.core.packages import compare_evr
from tests.core.facts import AMD64, ARM64, FIX, OPENSSL, change

EVRS = [
    *("1.0-1", "1.0-2", "1.0-10", "1.0~rc1-1", "1.0^git1-1", "1.0.1-1", "1.1.1k-1", "10.0-1", "2.0-1.amzn2023"),
    *("1:0.1-1", "0:1.0-2", "1.0-2.amzn2", "1.0-2.amzn2023.0.1", "1.0-2.amzn2023.0.10"),
]  # fmt: skip
PROPERTY = settings(max_examples=300, deadline=None, derandomize=True)
VERSIONS = st.sampled_from(EVRS) | st.from_regex(r"\A(?:[0-9]:)?[0-9a-z.~^]{1,6}-[0-9a-z.~^]{1,4}\Z")


def package(evr: str, name: str = "openssl", arch: str = "x86_64") -> Package:
    return Package(name, arch, evr)


def advisory(*fixed: Package, identifier: str = "ALAS2023-2026-001", severity: str = "important") -> Advisory:
    return Advisory(identifier=identifier, severity=Severity(severity), packages=fixed, cves=(f"CVE-{identifier}",))


def fixes(bulletin: Bulletin, old: Package, new: Package) -> list[str]:
    return [fix.identifier for fix in bulletin.assess([(old, new)]).fixes]


@PROPERTY
@given(old=VERSIONS, fixed=VERSIONS, new=VERSIONS)
def test_an_upgrade_fixes_exactly_what_lies_above_the_old_and_not_above_the_new(old: str, fixed: str, new: str) -> None:
    bulletin = Bulletin("AL2023", [advisory(package(fixed))])

    found = fixes(bulletin, package(old), package(new))

    assert bool(found) == (compare_evr(old, fixed) < 0 and compare_evr(fixed, new) <= 0)


@PROPERTY
@given(versions=st.lists(VERSIONS, min_size=3, max_size=6), named=st.lists(VERSIONS, max_size=6))
def test_two_steps_fix_what_one_fixes(versions: list[str], named: list[str]) -> None:
    """So nothing is lost, and nothing is counted twice, however many moves are taken together."""
    first, *_, last = way = sorted(versions, key=cmp_to_key(compare_evr))
    bulletin = Bulletin("AL2023", [advisory(package(e), identifier=str(n)) for n, e in enumerate(named)])

    steps = [fixes(bulletin, package(a), package(b)) for a, b in pairwise(way)]

    assert sorted(name for step in steps for name in step) == sorted(fixes(bulletin, package(first), package(last)))


@PROPERTY
@given(old=VERSIONS, new=VERSIONS)
def test_a_downgrade_and_the_same_version_fix_nothing(old: str, new: str) -> None:
    bulletin = Bulletin("AL2023", [advisory(*(package(evr) for evr in EVRS))])

    if compare_evr(new, old) <= 0:
        assert not fixes(bulletin, package(old), package(new))


@pytest.mark.parametrize(
    "fixed",
    [
        pytest.param(package("1.0-2", arch="aarch64"), id="another architecture"),
        pytest.param(package("1.0-2", arch="noarch"), id="no architecture"),
        pytest.param(package("1.0-2", name="openssl-libs"), id="another package"),
    ],
)
def test_only_the_same_name_and_architecture_count(fixed: Package) -> None:
    assert not fixes(Bulletin("AL2023", [advisory(fixed)]), package("1.0-1"), package("1.0-2"))


def test_one_advisory_is_one_fix_by_all_its_packages_and_the_worst_comes_first() -> None:
    names = ("openssl-libs", "openssl", "zlib")
    many = advisory(*(package("1-2", name) for name in names), identifier="ALAS2023-2026-002", severity="low")
    bulletin = Bulletin("AL2023", [many, advisory(package("1-2", "zlib"), severity="critical")])

    found = bulletin.assess([(package("1-1", name), package("1-2", name)) for name in names]).fixes

    assert [(fix.severity, fix.packages) for fix in found] == [
        ("critical", ("zlib",)),
        ("low", ("openssl", "openssl-libs", "zlib")),
    ]
    assert worst(found) is Severity.CRITICAL
    assert worst(()) is None


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Important", "important"),
        (" low\n", "low"),
        ("MODERATE", "medium"),
        ("Medium", "medium"),
        ("critical", "critical"),
        ("", "unrated"),
        ("none", "unrated"),
    ],
)
def test_a_rating_that_is_not_known_may_be_the_worst(word: str, severity: str) -> None:
    assert Severity.read(word) == severity
    assert Severity.UNRATED > Severity.CRITICAL > Severity.IMPORTANT > Severity.MEDIUM > Severity.LOW


@pytest.mark.parametrize(
    ("system", "identifier", "page"),
    [
        ("AL2023", "ALAS2023-2026-1532", "https://alas.aws.amazon.com/AL2023/ALAS2023-2026-1532.html"),
        ("AL2", "ALAS2-2026-3001", "https://alas.aws.amazon.com/AL2/ALAS2-2026-3001.html"),
        ("AL2", "ALASKERNEL-5.10-2026-036", "https://alas.aws.amazon.com/AL2/ALASKERNEL-5.10-2026-036.html"),
        ("AL1", "ALAS-2023-1", None),
        ("AL2023", "ALAS2023-2026-1/../../evil", None),
        ("AL2023", "ALAS2023-2026-1\n", None),
        ("AL2023", "ALAS2023-2026-1](https://evil.example)", None),
        ("AL2023", "FEDORA-2026-1", None),
        ("AL2023", "ALAS2023-2026-\u0661", None),
    ],
)
def test_only_an_identifier_of_the_known_form_leads_to_a_page(system: str, identifier: str, page: str | None) -> None:
    assert replace(FIX, system=system, identifier=identifier).page == page


def test_of_several_versions_side_by_side_the_lowest_counts() -> None:
    moved = PackageChange(name="kernel", arch="x86_64", old="6.1-10, 6.1-9", new="6.1-10, 6.1-11")

    ((old, new),) = upgrades(PlatformChange(platform=AMD64, packages=(moved,)))

    assert (old.evr, new.evr) == ("6.1-9", "6.1-10")
    assert lowest(["1:1-1", "2-1"]) == "2-1"


def test_what_was_added_or_removed_is_no_upgrade() -> None:
    moved = (
        PackageChange(name="new", arch="x86_64", old=None, new="1-1"),
        PackageChange(name="old", arch="x86_64", old="1-1", new=None),
    )

    assert not upgrades(PlatformChange(platform=AMD64, packages=moved))


def test_a_fix_is_the_most_significant_of_reasons_and_all_are_told() -> None:
    language = LanguageChange(name="python", old="3.13.9", new="3.13.11")
    what = change(Significance.SECURITY, language=language, files=FileChanges(changed=3), metadata=("environment",))

    assert (what.significance, what.severity) == (Significance.SECURITY, Severity.IMPORTANT)
    assert [(str(reason.significance), reason.what) for reason in what.reasons] == [
        ("security", "ALAS2023-2026-001 (openssl)"),
        ("language", "python 3.13.9 -> 3.13.11"),
        ("packages", "openssl 1 -> 2"),
        ("files", "0 added, 0 removed, 3 changed"),
        ("metadata", "environment"),
    ]


@pytest.mark.parametrize(
    ("least", "significance"),
    [
        (Severity.LOW, Significance.SECURITY),
        (Severity.IMPORTANT, Significance.SECURITY),
        (Severity.CRITICAL, Significance.PACKAGES),
    ],
)
def test_a_fix_below_the_least_severity_is_a_package_change(least: Severity, significance: Significance) -> None:
    assert change(Significance.SECURITY).weigh(least) is significance


def test_what_no_advisory_accounts_for_is_told() -> None:
    other = PackageChange(name="zlib", arch="x86_64", old="1-1", new="1-2")
    language = LanguageChange(name="python", old="3.13.9", new="3.13.11")
    what = change(
        Significance.SECURITY, packages=(*OPENSSL, other), language=language, files=FileChanges(changed=1)
    ).platforms[0]

    assert what.uncovered == ("python itself", "zlib", "files of no package")
    assert change(Significance.SECURITY).platforms[0].uncovered == ()


def test_what_is_unknown_is_not_called_uncovered() -> None:
    what = change(Significance.PACKAGES, security=Assessment(unknown="no feed")).platforms[0]

    assert (what.unassessed, what.uncovered) == ("no feed", ())


def test_a_later_assessment_replaces_an_earlier_one() -> None:
    what = change(Significance.SECURITY)

    assert what.assessed(lambda _: Assessment()).significance is Significance.PACKAGES
    assert what.assessed(lambda _: Assessment()).assessed(lambda _: Assessment(fixes=(FIX,))) == what


def test_a_fix_on_several_platforms_is_one() -> None:
    what = change(Significance.SECURITY)
    both = replace(what, platforms=(*what.platforms, replace(what.platforms[0], platform=ARM64)))

    assert both.fixes == (FIX,)
    assert len(both.reasons) == len(what.reasons)
