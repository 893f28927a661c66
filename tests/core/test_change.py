"""What differs between two file systems, and how much that matters."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.change import FileChanges, PackageChange, Significance, compare
from bot.core.digest import Digest
from bot.core.filesystem import stack
from bot.core.image import ImageConfig
from bot.core.layer import Entry, Kind, Language, Layer, Package
from bot.core.platforms import Platform

AMD64 = Platform("linux", "amd64")
OPENSSL = Package("openssl-libs", "x86_64", "1:3.0.8-1")
NEWER = Package("openssl-libs", "x86_64", "1:3.0.8-2")


def file(content: str) -> Entry:
    return Entry(kind=Kind.FILE, mode=0o644, content=content)


def layer(
    entries: dict[str, str] | None = None,
    *,
    whiteouts: tuple[str, ...] = (),
    opaque: tuple[str, ...] = (),
    packages: tuple[Package, ...] | None = None,
    language: Language | None = None,
) -> Layer:
    return Layer(
        digest=Digest.of(repr((entries, whiteouts, packages)).encode()),
        entries={path: file(content) for path, content in (entries or {}).items()},
        whiteouts=frozenset(whiteouts),
        opaque=frozenset(opaque),
        packages=packages,
        language=language,
    )


def config(**changes: object) -> ImageConfig:
    fields = {
        "platform": AMD64,
        "created": datetime(2026, 11, 1, tzinfo=UTC),
        "env": ("LANG=en_US.UTF-8",),
        "entrypoint": ("/lambda-entrypoint.sh",),
        "cmd": (),
        "working_dir": "/var/task",
        "labels": {},
        "diff_ids": (),
        "document": {},
    }
    return ImageConfig(**{**fields, **changes})  # type: ignore[arg-type]


def significance(old: Layer, new: Layer, after: ImageConfig | None = None) -> Significance:
    return compare(AMD64, stack([old]), stack([new]), config(), after or config()).significance


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(layer({"a": "1"}), layer({"a": "1"}), Significance.NONE, id="the same files"),
        pytest.param(layer({"a": "1"}), layer({"a": "2"}), Significance.FILES, id="a file changed"),
        pytest.param(layer({"a": "1"}), layer({}), Significance.FILES, id="a file removed"),
        pytest.param(
            layer(packages=(OPENSSL,)), layer(packages=(NEWER,)), Significance.PACKAGES, id="a package changed"
        ),
        pytest.param(layer(packages=(OPENSSL,)), layer(packages=()), Significance.PACKAGES, id="a package removed"),
        pytest.param(
            layer(packages=(OPENSSL,), language=Language("python", "3.13.9")),
            layer(packages=(NEWER,), language=Language("python", "3.13.11")),
            Significance.LANGUAGE,
            id="language outranks packages",
        ),
    ],
)
def test_significance_is_the_most_a_change_amounts_to(old: Layer, new: Layer, expected: Significance) -> None:
    assert significance(old, new) is expected


def test_a_different_environment_is_metadata() -> None:
    change = compare(AMD64, stack([layer()]), stack([layer()]), config(), config(env=("LANG=C",)))

    assert change.significance is Significance.METADATA
    assert change.metadata == ("environment",)
    assert not change.identical


def test_significances_are_ordered_as_written_not_by_the_alphabet() -> None:
    assert sorted(Significance) == list(Significance)
    assert Significance.FILES < Significance.PACKAGES <= Significance.PACKAGES < Significance.SECURITY
    assert max(Significance.METADATA, Significance.LANGUAGE, Significance.FILES) is Significance.LANGUAGE


def test_a_package_change_names_both_versions() -> None:
    change = compare(AMD64, stack([layer(packages=(OPENSSL,))]), stack([layer(packages=(NEWER,))]), config(), config())

    assert change.packages == (PackageChange(name="openssl-libs", arch="x86_64", old="1:3.0.8-1", new="1:3.0.8-2"),)


def test_what_could_not_be_read_counts_as_packages_where_files_differ() -> None:
    old, new = layer({"var/lib/rpm/rpmdb.sqlite": "1"}), layer({"var/lib/rpm/rpmdb.sqlite": "2"})
    damaged = replace(new, unread=("rpmdb.sqlite: damaged",))

    change = compare(AMD64, stack([old]), stack([damaged]), config(), config())

    assert change.significance is Significance.PACKAGES
    assert compare(AMD64, stack([damaged]), stack([damaged]), config(), config()).identical


def test_a_package_installed_in_several_versions_is_compared_as_a_set() -> None:
    keys = (Package("gpg-pubkey", "(none)", "1-1"), Package("gpg-pubkey", "(none)", "2-1"))

    same = compare(AMD64, stack([layer(packages=keys)]), stack([layer(packages=keys[::-1])]), config(), config())

    assert same.packages == ()


def test_files_are_counted_by_what_became_of_them() -> None:
    old, new = layer({"kept": "1", "changed": "1", "gone": "1"}), layer({"kept": "1", "changed": "2", "new": "1"})

    change = compare(AMD64, stack([old]), stack([new]), config(), config())

    assert change.files == FileChanges(added=1, removed=1, changed=1)


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        pytest.param(layer(whiteouts=("usr/lib/a",)), {"usr/lib/b", "usr/libexec"}, id="a whiteout hides one path"),
        pytest.param(layer(whiteouts=("usr/lib",)), {"usr/libexec"}, id="a whiteout hides all below a directory"),
        pytest.param(layer(opaque=("usr/lib",)), {"usr/libexec"}, id="an opaque directory hides what was in it"),
        pytest.param(
            layer({"usr/lib/c": "1"}, opaque=("usr/lib",)), {"usr/lib/c", "usr/libexec"}, id="but not its own entries"
        ),
        pytest.param(layer(opaque=("",)), set(), id="an opaque root hides everything"),
    ],
)
def test_whiteouts_hide_what_lies_below(upper: Layer, left: set[str]) -> None:
    lower = layer({"usr/lib/a": "1", "usr/lib/b": "1", "usr/libexec": "1"})

    assert set(stack([lower, upper]).entries) == left


def test_a_database_in_a_higher_layer_replaces_the_one_below() -> None:
    stacked = stack([layer(packages=(OPENSSL,)), layer({"a": "1"}), layer(packages=(NEWER,))])

    assert stacked.packages == (NEWER,)


paths = st.text(st.sampled_from("ab/"), min_size=1, max_size=5).map(lambda p: p.strip("/")).filter(bool)
layers = st.lists(
    st.builds(
        lambda entries, whiteouts: layer(entries, whiteouts=tuple(whiteouts)),
        st.dictionaries(paths, st.sampled_from("12"), max_size=4),
        st.sets(paths, max_size=2),
    ),
    max_size=4,
)


@given(layers)
def test_comparing_anything_with_itself_finds_nothing(stacked: list[Layer]) -> None:
    system = stack(stacked)

    assert compare(AMD64, system, system, config(), config()).significance is Significance.NONE


@given(layers, layers)
def test_what_is_added_one_way_is_removed_the_other(one: list[Layer], other: list[Layer]) -> None:
    there = compare(AMD64, stack(one), stack(other), config(), config()).files
    back = compare(AMD64, stack(other), stack(one), config(), config()).files

    assert (there.added, there.removed, there.changed) == (back.removed, back.added, back.changed)
