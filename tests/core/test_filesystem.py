"""Layers on top of each other: what shows, what is hidden, and what a path is for."""

from dataclasses import replace

import pytest

from bot.core.change import FileChanges, Significance, compare
from bot.core.filesystem import FileSystem, PathGroup, group_of, stack
from bot.core.layer import Component, Entry, Kind, Layer, Package
from tests.core.test_change import AMD64, config, layer

FOLDERS = replace(layer(whiteouts=("a",)), entries={"a": Entry(kind=Kind.DIRECTORY, mode=0o755)})


def over(*layers: Layer) -> FileSystem:
    """Stack layers over others that are not looked at."""
    return stack(layers, over_others=True)


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("var/runtime/bootstrap", PathGroup.RUNTIME),
        ("usr/local/bin/aws-lambda-rie", PathGroup.RUNTIME),
        ("lambda-entrypoint.sh", PathGroup.RUNTIME),
        ("lambda-entrypoint.sh.orig", PathGroup.OTHER),
        ("var/lang", PathGroup.LANGUAGE),
        ("var/lang/bin/python3.13", PathGroup.LANGUAGE),
        ("var/lib/rpm/rpmdb.sqlite", PathGroup.DATABASE),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", PathGroup.DATABASE),
        ("lib/apk/db/installed", PathGroup.DATABASE),
        ("var/log/dnf.log", PathGroup.LOGS),
        ("var/lib/dnf/history.sqlite", PathGroup.LOGS),
        ("usr/lib64/libssl.so.3", PathGroup.SYSTEM),
        ("etc/ssl/certs", PathGroup.SYSTEM),
        ("var/task/app.py", PathGroup.OTHER),
        ("opt", PathGroup.OTHER),
    ],
)
def test_a_path_belongs_to_one_group(path: str, group: PathGroup) -> None:
    assert group_of(path) is group


def test_differences_are_counted_group_by_group_and_the_groups_make_the_whole() -> None:
    old = layer({"var/lang/a": "1", "var/lang/b": "1", "usr/c": "1"})
    new = layer({"var/lang/a": "2", "usr/c": "1", "usr/d": "1", "var/task/e": "1"})

    change = compare(AMD64, stack([old]), stack([new]), config(), config())

    assert dict(change.groups) == {
        PathGroup.LANGUAGE: FileChanges(removed=1, changed=1),
        PathGroup.SYSTEM: FileChanges(added=1),
        PathGroup.OTHER: FileChanges(added=1),
    }
    assert change.files == FileChanges(added=2, removed=1, changed=1)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        pytest.param(Kind.FILE, {"opt", "optional"}, id="file"),
        pytest.param(Kind.SYMLINK, {"opt", "optional"}, id="link"),
        pytest.param(Kind.DIRECTORY, {"opt", "opt/a", "opt/a/b", "optional"}, id="directory"),
    ],
)
def test_what_replaces_a_directory_takes_all_that_was_in_it(kind: Kind, left: set[str]) -> None:
    lower = layer({"opt/a": "1", "opt/a/b": "1", "optional": "1"})
    upper = replace(layer(), entries={"opt": Entry(kind=kind, mode=0o755)})

    assert set(stack([lower, upper]).entries) == left


@pytest.mark.parametrize(
    ("old", "new", "files"),
    [
        pytest.param(over(layer()), over(layer(whiteouts=("etc/motd",))), FileChanges(removed=1), id="hidden"),
        pytest.param(over(layer(opaque=("opt",))), over(layer()), FileChanges(added=1), id="no longer opaque"),
        pytest.param(
            over(layer(whiteouts=("a",))), over(layer({"a": "1"}, whiteouts=("a",))), FileChanges(added=1), id="remade"
        ),
        pytest.param(
            over(layer({"a": "1"}, whiteouts=("a",))), over(layer({"a": "1"})), FileChanges(), id="a file in its place"
        ),
        pytest.param(
            over(FOLDERS), over(replace(FOLDERS, whiteouts=frozenset())), FileChanges(added=1), id="made anew"
        ),
        pytest.param(
            over(layer(whiteouts=("a/b",)), layer(whiteouts=("a",))),
            over(layer(whiteouts=("a",))),
            FileChanges(),
            id="hidden twice",
        ),
        pytest.param(
            stack([layer(whiteouts=("etc/motd",))]), stack([layer()]), FileChanges(), id="nothing below to hide"
        ),
    ],
)
def test_what_is_hidden_of_shared_layers_counts(old: FileSystem, new: FileSystem, files: FileChanges) -> None:
    change = compare(AMD64, old, new, config(), config())

    assert change.files == files
    assert (change.significance is Significance.NONE) is (files == FileChanges())


def test_a_hundred_thousand_whiteouts_over_as_many_paths_are_no_trouble() -> None:
    names = [f"a/{number % 100}/{number}" for number in range(100_000)]
    lower = layer(dict.fromkeys(names, "1"))

    assert stack([lower, layer(whiteouts=tuple(f"{name}x" for name in names))]).entries == lower.entries


def test_a_path_of_two_thousand_folders_is_hidden_as_any() -> None:
    deep = "/".join("a" for _ in range(2000))

    assert stack([layer({deep: "1"}), layer(whiteouts=("a",))]).entries == {}


def test_packages_with_a_file_each_add_up_over_layers() -> None:
    libc, older, newer = Package("libc6", "amd64", "2.36"), Package("base", "all", "1"), Package("base", "all", "2")
    lower = layer({"var/lib/dpkg/status.d/libc6": "1"}, packages=(older, libc))
    upper = layer({"var/lib/dpkg/status.d/base": "1"}, packages=(newer,))

    assert stack([lower, upper]).packages == (newer, libc)


def test_a_component_is_there_as_long_as_its_file_is() -> None:
    rie = Component("aws-lambda-rie", "sha256:0123456789ab", "usr/local/bin/aws-lambda-rie")
    lower = replace(layer({rie.path: "1"}), components=(rie,))

    assert stack([lower]).components == (rie,)
    assert stack([lower, layer(whiteouts=("usr/local",))]).components == ()


def test_a_component_that_changes_is_covered_by_no_advisory() -> None:
    path = "usr/local/bin/aws-lambda-rie"
    old, new = (
        replace(layer({path: content}), components=(Component("aws-lambda-rie", f"sha256:{content}", path),))
        for content in ("1", "2")
    )

    change = compare(AMD64, stack([old]), stack([new]), config(), config())

    assert [(c.name, c.old, c.new) for c in change.components] == [("aws-lambda-rie", "sha256:1", "sha256:2")]
    assert change.uncovered == ("aws-lambda-rie itself", "files of no package")
