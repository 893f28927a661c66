"""When base layers may be swapped under a function's own: every unsafe construction, and what safe means."""

from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.layer import Entry, Kind, Language, Layer, Package
from bot.core.rebase import BaseSwap, Overlap


def file(content: str = "", mode: int = 0o644) -> Entry:
    return Entry(kind=Kind.FILE, mode=mode, size=len(content), content=content)


def directory(mode: int = 0o755) -> Entry:
    return Entry(kind=Kind.DIRECTORY, mode=mode)


def link(target: str, kind: Kind = Kind.SYMLINK) -> Entry:
    return Entry(kind=kind, mode=0o777, content=target)


def unsafe_paths(own: Sequence[Layer], old: Sequence[Layer], new: Sequence[Layer]) -> tuple[Overlap, ...]:
    return BaseSwap.of(old, new).prove(own).overlaps


def layer(
    entries: Mapping[str, Entry] | None = None,
    *,
    whiteouts: Iterable[str] = (),
    opaque: Iterable[str] = (),
    packages: tuple[Package, ...] | None = None,
    language: Language | None = None,
    unread: tuple[str, ...] = (),
) -> Layer:
    return Layer(
        digest=Digest.of(b"layer"),
        entries=entries or {},
        whiteouts=frozenset(whiteouts),
        opaque=frozenset(opaque),
        packages=packages,
        language=language,
        unread=unread,
    )


def base(
    ssl: str, version: str = "3.13.9", more: Mapping[str, Entry] | None = None, unread: tuple[str, ...] = ()
) -> Layer:
    entries = {
        "usr": directory(),
        "usr/lib": directory(),
        "usr/lib/libssl.so.3": file(ssl),
        "usr/lib/libz.so": file("z"),
        "lib": link("usr/lib"),
        "etc": directory(),
        "etc/hosts": file("hosts"),
        "var": directory(),
        "var/lang": directory(),
        "var/lang/bin/python": file("python"),
        "var/task": directory(),
    }
    language = Language("python", version) if version else None
    return layer(
        {**entries, **(more or {})}, packages=(Package("openssl", "x86_64", ssl),), language=language, unread=unread
    )


OLD, NEW = base("3.0.8"), base("3.0.9", "3.13.11")
APP = {"var": directory(), "var/task": directory(), "var/task/app.py": file("app")}


@pytest.mark.parametrize(
    "own",
    [
        pytest.param([layer(APP)], id="a handler"),
        pytest.param([layer()], id="nothing"),
        pytest.param([], id="no layers"),
        pytest.param([layer(APP), layer({"var/task/app.py": file("app 2")})], id="written twice"),
        pytest.param([layer(APP), layer(whiteouts=["var/task/app.py"])], id="own file deleted"),
        pytest.param(
            [layer(APP | {"opt/x/y": file()}), layer({"opt/x": directory()}, opaque=["opt/x"])], id="own folder emptied"
        ),
        pytest.param([layer({"etc/hosts": file("mine")})], id="a file that stays is replaced"),
        pytest.param([layer({"var/task/libssl.so": link("/usr/lib/libssl.so.3")})], id="a symlink into the base"),
        pytest.param(
            [layer({"opt/a": file("a"), "opt/b": link("./opt/a", Kind.HARDLINK)})], id="a hard link of its own"
        ),
        pytest.param(
            [layer({"opt/a": file("a")}), layer({"opt/b": link("opt/a", Kind.HARDLINK)})], id="hard link, lower layer"
        ),
        pytest.param([layer({"var/lib/rpm": directory()})], id="the folder of a database"),
    ],
)
def test_what_touches_nothing_of_the_change_is_safe(own: list[Layer]) -> None:
    assert unsafe_paths(own, [OLD], [NEW]) == ()


@pytest.mark.parametrize(
    ("own", "path", "why"),
    [
        pytest.param(
            layer({"usr/lib/libssl.so.3": file("mine")}), "usr/lib/libssl.so.3", "differs between", id="overwritten"
        ),
        pytest.param(layer(whiteouts=["etc/hosts"]), "etc/hosts", "deleted", id="whiteout of a file that stays"),
        pytest.param(layer(whiteouts=["var/lang"]), "var/lang", "deleted", id="whiteout of a folder"),
        pytest.param(layer(whiteouts=["var/lang/bin"]), "var/lang/bin", "deleted", id="whiteout of an implied folder"),
        pytest.param(layer({"etc": directory()}, opaque=["etc"]), "etc", "hidden", id="opaque folder"),
        pytest.param(layer(opaque=[""]), "", "hidden", id="opaque root"),
        pytest.param(
            layer({"opt/b": link("etc/hosts", Kind.HARDLINK)}), "opt/b", "hard link to /etc/hosts", id="hard link"
        ),
        pytest.param(
            layer({"var/lang": link("/opt/lang")}), "var/lang", "replaces a directory", id="symlink over a folder"
        ),
        pytest.param(
            layer({"var/lang/bin": file()}), "var/lang/bin", "replaces a directory", id="file over an implied folder"
        ),
        pytest.param(
            layer({"lib/libssl.so.3": file("mine")}), "lib", "no directory", id="through a symlink of the base"
        ),
        pytest.param(layer({"etc/hosts/x": file()}), "etc/hosts", "no directory", id="below a file of the base"),
        pytest.param(
            layer({"x": link("usr"), "x/lib": file()}), "x", "no directory", id="through a symlink of its own"
        ),
        pytest.param(layer(whiteouts=["lib/libz.so"]), "lib", "no directory", id="whiteout through a symlink"),
        pytest.param(layer(opaque=["lib"]), "lib", "no directory", id="opaque symlink"),
        pytest.param(
            layer({"var/lib/rpm/rpmdb.sqlite": file()}), "var/lib/rpm/rpmdb.sqlite", "package database", id="rpm"
        ),
        pytest.param(layer({"var/lib/dpkg/status": file()}), "var/lib/dpkg/status", "package database", id="dpkg"),
        pytest.param(layer(packages=()), "", "has a package database", id="database elsewhere"),
        pytest.param(layer(unread=("rpmdb is damaged",)), "", "rpmdb is damaged", id="layer not read whole"),
    ],
)
def test_what_overlaps_is_refused_by_path(own: Layer, path: str, why: str) -> None:
    (overlap,) = unsafe_paths([own], [OLD], [NEW])

    assert overlap.path == path
    assert why in str(overlap)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        pytest.param({"var/task/app.py": file("theirs")}, "var/task/app.py", id="base adds the function's path"),
        pytest.param({"var/task": directory(0o700)}, "var/task", id="base changes the folder's mode"),
        pytest.param({"var/task": link("/mnt/task")}, "var/task", id="base turns the folder into a symlink"),
    ],
)
def test_a_base_that_moves_into_the_functions_paths_is_refused(more: dict[str, Entry], path: str) -> None:
    overlaps = unsafe_paths([layer(APP)], [OLD], [base("3.0.9", more=more)])

    assert path in {overlap.path for overlap in overlaps}


def test_a_folder_that_the_new_base_lost_is_refused_below() -> None:
    overlaps = unsafe_paths([layer({"srv/x": file()})], [base("1", more={"srv": directory()})], [base("1")])

    assert [overlap.path for overlap in overlaps] == ["srv"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(base("1", "3.12.9"), base("1", "3.13.0"), "python 3.12.9 becomes python 3.13.0", id="minor"),
        pytest.param(base("1", "3.9.1"), base("1", "4.0.0"), "python 4.0.0", id="major"),
        pytest.param(base("1", ""), base("1", "3.13.0"), "do not both show", id="old unknown"),
        pytest.param(base("1", "3.13.0"), base("1", ""), "do not both show", id="new unknown"),
        pytest.param(base("1", "", unread=("no version",)), base("1", ""), "do not both show", id="not readable"),
    ],
)
def test_another_language_line_is_refused(old: Layer, new: Layer, said: str) -> None:
    (overlap,) = unsafe_paths([layer(APP)], [old], [new])

    assert said in str(overlap)


def test_bases_without_a_language_are_of_one_line() -> None:
    assert unsafe_paths([layer(APP)], [base("1", "")], [base("2", "")]) == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "safe"),
    [
        pytest.param("node", "22.11.0", "22.12.0", True, id="node minor"),
        pytest.param("node", "22.11.0", "24.1.0", False, id="node major"),
        pytest.param("java", "21.0.5", "21.1.0", True, id="java"),
        pytest.param("ruby", "3.3.1", "3.4.0", False, id="ruby"),
    ],
)
def test_each_language_has_its_own_idea_of_a_line(name: str, old: str, new: str, safe: bool) -> None:
    overlaps = unsafe_paths([], [layer(language=Language(name, old))], [layer(language=Language(name, new))])

    assert (overlaps == ()) is safe


def test_whole_stacks_are_compared_not_their_layers() -> None:
    """A file that moved from one base layer to another has not changed."""
    split = [layer({"opt/tool": file("tool")}), OLD]

    assert (
        unsafe_paths([layer({"opt/tool": file("mine")})], [base("3.0.8", more={"opt/tool": file("tool")})], split) == ()
    )


def test_all_reasons_are_given_in_path_order() -> None:
    own = layer({"usr/lib/libssl.so.3": file(), "var/lib/dpkg/status": file()}, whiteouts=["etc/hosts"])

    overlaps = unsafe_paths([own], [OLD], [NEW])

    assert [overlap.path for overlap in overlaps] == ["etc/hosts", "usr/lib/libssl.so.3", "var/lib/dpkg/status"]


PATHS = st.sampled_from(["a", "a/b", "a/b/c", "d", "d/e"])
ENTRIES = st.sampled_from([file("1"), file("2"), directory(), directory(), link("a"), link("d/e", Kind.HARDLINK)])
TREES = st.dictionaries(PATHS, ENTRIES, max_size=5)
CHANGES = st.dictionaries(PATHS, st.none() | ENTRIES, min_size=1, max_size=2)
OWN = st.lists(
    st.builds(
        layer,
        st.dictionaries(PATHS, ENTRIES, max_size=2),
        whiteouts=st.frozensets(PATHS, max_size=1),
        opaque=st.frozensets(PATHS, max_size=1),
    ),
    min_size=1,
    max_size=2,
)


def extract(layers: Sequence[Layer]) -> dict[str, Entry]:
    """Lay layers on top of each other as a file system would, where a file has nothing below it."""
    found: dict[str, Entry] = {}
    for each in layers:
        found = {
            path: entry
            for path, entry in found.items()
            if not any(path == gone or path.startswith(f"{gone}/") for gone in each.whiteouts)
            and not any(path.startswith(f"{hidden}/") for hidden in each.opaque)
        }
        for path, entry in sorted(each.entries.items()):
            if entry.kind is not Kind.DIRECTORY:
                found = {other: old for other, old in found.items() if not other.startswith(f"{path}/")}
            parents = [path[:place] for place, letter in enumerate(path) if letter == "/"]
            for parent in parents:
                if found.get(parent, directory()).kind is not Kind.DIRECTORY:
                    del found[parent]
            found[path] = entry
    return found


@settings(max_examples=600, deadline=None, derandomize=True)
@given(OWN, TREES, CHANGES)
def test_a_safe_swap_changes_exactly_what_the_bases_change(
    own: list[Layer], tree: dict[str, Entry], change: dict[str, Entry | None]
) -> None:
    old = [layer(tree)]
    new = [layer({path: entry for path, entry in {**tree, **change}.items() if entry is not None})]
    if unsafe_paths(own, old, new):
        return

    before, after = extract([*old, *own]), extract([*new, *own])

    old_base, new_base = extract(old), extract(new)
    moved = {path for path in old_base.keys() | new_base.keys() if old_base.get(path) != new_base.get(path)}
    for path in before.keys() | after.keys():
        expected = new_base.get(path) if path in moved else before.get(path)
        assert after.get(path) == expected, path
