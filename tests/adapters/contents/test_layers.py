"""What a layer holds, as a container would see it."""

import gzip
import hashlib
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.adapters.contents import Bounds, LayerReader
from bot.adapters.store.store import open_store
from bot.core.digest import Digest
from bot.core.errors import ContentsError, RegistryError
from bot.core.image import Descriptor
from bot.core.layer import Entry, Kind, Package
from tests.adapters.contents.tars import LAYER_TYPE, REFERENCE, Item, Shelf, archive

STATUS = "var/lib/dpkg/status"
BASH = b"Package: bash\nVersion: 5.2-1\nArchitecture: arm64\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("item", "entry"),
    [
        pytest.param(
            Item("a", b"text", mode=0o4755, uid=7),
            Entry(kind=Kind.FILE, mode=0o4755, uid=7, size=4, content=sha256(b"text")),
            id="file",
        ),
        pytest.param(Item("a"), Entry(kind=Kind.FILE, mode=0o644, content=sha256(b"")), id="empty file"),
        pytest.param(
            Item("a", b"x" * 1_000_000),
            Entry(kind=Kind.FILE, mode=0o644, size=1_000_000, content=sha256(b"x" * 1_000_000)),
            id="large file",
        ),
        pytest.param(
            Item("a", kind=tarfile.DIRTYPE, mode=0o1777), Entry(kind=Kind.DIRECTORY, mode=0o1777), id="directory"
        ),
        pytest.param(
            Item("a", kind=tarfile.SYMTYPE, link="../b", mode=0o755),
            Entry(kind=Kind.SYMLINK, mode=0o777, content="../b"),
            id="symbolic link",
        ),
        pytest.param(
            Item("a", kind=tarfile.LNKTYPE, link="./usr/b"),
            Entry(kind=Kind.HARDLINK, mode=0o644, content="usr/b"),
            id="hard link",
        ),
        pytest.param(
            Item("a", kind=tarfile.CHRTYPE, device=(1, 3)),
            Entry(kind=Kind.OTHER, mode=0o644, content="character device 1:3"),
            id="character device",
        ),
        pytest.param(
            Item("a", pax={"SCHILY.xattr.user.z": "1", "SCHILY.xattr.user.a": "2", "comment": "3"}),
            Entry(
                kind=Kind.FILE,
                mode=0o644,
                content=sha256(b""),
                xattrs=(("user.a", sha256(b"2")), ("user.z", sha256(b"1"))),
            ),
            id="extended attributes",
        ),
        pytest.param(
            Item("a", kind=tarfile.BLKTYPE, device=(1, 3)),
            Entry(kind=Kind.OTHER, mode=0o644, content="block device 1:3"),
            id="block device",
        ),
        pytest.param(
            Item("a", kind=tarfile.FIFOTYPE), Entry(kind=Kind.OTHER, mode=0o644, content="fifo 0:0"), id="fifo"
        ),
        pytest.param(
            Item("a", uid=3_000_000),
            Entry(kind=Kind.FILE, mode=0o644, uid=3_000_000, content=sha256(b"")),
            id="pax uid",
        ),
    ],
)
def test_an_entry_says_what_a_container_would_see(shelf: Shelf, item: Item, entry: Entry) -> None:
    assert shelf.layer(item).entries == {"a": entry}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("./usr/bin/sh", "usr/bin/sh", id="leading dot"),
        pytest.param("/usr/bin/sh", "usr/bin/sh", id="leading slash"),
        pytest.param("usr//bin/./sh", "usr/bin/sh", id="empty parts"),
        pytest.param("usr/..bin/sh..", "usr/..bin/sh..", id="dots in a name"),
        pytest.param("d" * 90 + "/" + "f" * 200, "d" * 90 + "/" + "f" * 200, id="long"),
        pytest.param("usr/bin/\u00e9\u4e2d", "usr/bin/\u00e9\u4e2d", id="not ASCII"),
    ],
)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_paths_are_normal_whatever_the_archive_writes(shelf: Shelf, name: str, path: str, form: int) -> None:
    layer = shelf.read(archive(Item(name), form=form))

    assert list(layer.entries) == [path]


def test_the_root_directory_is_no_entry(shelf: Shelf) -> None:
    assert shelf.layer(Item("./", kind=tarfile.DIRTYPE)).entries == {}


def test_a_name_that_is_not_utf_8_stays_printable(shelf: Shelf) -> None:
    content = archive(Item("caf_"), form=tarfile.USTAR_FORMAT).replace(b"caf_", b"caf\xe9")
    header = bytearray(content)
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 0x20 + sum(header[156:512]))

    assert list(shelf.read(bytes(header)).entries) == ["caf\\xe9"]


def test_whiteouts_and_opaque_directories_are_told_apart(shelf: Shelf) -> None:
    layer = shelf.layer(
        Item("etc/.wh.motd"), Item(".wh.boot"), Item("opt/.wh..wh..opq"), Item(".wh..wh..opq"), Item("var/.wh..wh.plnk")
    )

    assert layer.whiteouts == {"etc/motd", "boot"}
    assert layer.opaque == {"opt", ""}
    assert layer.entries == {}


def test_a_path_that_comes_twice_is_what_it_is_the_second_time(shelf: Shelf) -> None:
    layer = shelf.layer(Item(STATUS, BASH), Item(STATUS, kind=tarfile.SYMTYPE, link="other"))

    assert layer.entries[STATUS].kind is Kind.SYMLINK
    assert layer.packages is None


def test_which_of_two_names_is_the_hard_link_does_not_matter(shelf: Shelf) -> None:
    def linked(first: str, second: str) -> Mapping[str, Entry]:
        return shelf.layer(Item(first, b"text"), Item(second, kind=tarfile.LNKTYPE, link=first)).entries

    assert linked("a", "b") == linked("b", "a")


def test_a_hard_link_keeps_what_its_target_was(shelf: Shelf) -> None:
    layer = shelf.layer(Item("a", b"1"), Item("b", kind=tarfile.LNKTYPE, link="a"), Item("a", b"2"))

    assert [layer.entries[path].content for path in "ab"] == [sha256(b"2"), sha256(b"1")]


@pytest.mark.parametrize(
    ("items", "says"),
    [
        pytest.param(
            [Item("a", kind=tarfile.DIRTYPE), Item("a/b"), Item("a", b"1")],
            "'a' first as a directory and then as something else",
            id="a directory becomes a file",
        ),
        pytest.param([Item("a/b/c"), Item("a", b"1")], "paths below 'a', which is no directory", id="below a file"),
        pytest.param(
            [Item("a", kind=tarfile.FIFOTYPE), Item("a/b")], "paths below 'a', which is no directory", id="below a fifo"
        ),
    ],
)
def test_what_lies_below_a_file_is_refused(shelf: Shelf, items: list[Item], says: str) -> None:
    with pytest.raises(ContentsError, match=says):
        shelf.layer(*items)


def test_paths_below_a_link_stay_where_they_are_named(shelf: Shelf) -> None:
    layer = shelf.layer(Item("lib", kind=tarfile.SYMTYPE, link="usr/lib"), Item("lib/a"))

    assert set(layer.entries) == {"lib", "lib/a"}


def test_layers_that_differ_in_times_alone_have_equal_entries(shelf: Shelf) -> None:
    one, other = (shelf.layer(Item("a", b"text", mtime=mtime)) for mtime in (1, 2))

    assert one.digest != other.digest
    assert one.entries == other.entries


def test_packages_and_language_come_with_the_layer(shelf: Shelf) -> None:
    header = b'#define PY_VERSION      "3.13.11"\n'

    layer = shelf.layer(Item(STATUS, BASH), Item("var/lang/include/python3.13/patchlevel.h", header))

    assert layer.packages == (Package("bash", "arm64", "5.2-1"),)
    assert str(layer.language and layer.language.version) == "3.13.11"
    assert layer.unread == ()


def test_a_layer_without_database_or_runtime_says_so(shelf: Shelf) -> None:
    layer = shelf.layer(Item("etc/passwd", b"root"))

    assert (layer.packages, layer.language, layer.unread) == (None, None, ())


def test_a_broken_database_is_named_and_the_rest_is_read(shelf: Shelf) -> None:
    layer = shelf.layer(Item("var/lib/rpm/rpmdb.sqlite", b"no database"), Item("a"))

    assert set(layer.entries) == {"var/lib/rpm/rpmdb.sqlite", "a"}
    assert layer.packages is None
    assert [reason.partition(": ")[0] for reason in layer.unread] == ["var/lib/rpm/rpmdb.sqlite"]


def test_a_layer_once_read_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    blob = gzip.compress(archive(Item(STATUS, BASH)))
    descriptor = shelf.put(blob)
    with open_store(":memory:") as store:
        first = LayerReader(shelf.registry, store.layers).layer(REFERENCE, descriptor)

        again = LayerReader(Shelf(tmp_path / "empty").registry, store.layers).layer(REFERENCE, descriptor)

    assert again == first


def test_bytes_that_are_not_the_digests_are_refused_and_not_remembered(shelf: Shelf, tmp_path: Path) -> None:
    good = gzip.compress(archive(Item("a")))
    bad = gzip.compress(archive(Item("b")))
    descriptor = shelf.put(good)
    file = next(path for path in tmp_path.rglob(descriptor.digest.hex))
    file.chmod(0o644)
    file.write_bytes(bad.ljust(len(good), b"\0")[: len(good)])
    with open_store(":memory:") as store:
        with pytest.raises(RegistryError, match=descriptor.digest.hex):
            LayerReader(shelf.registry, store.layers).layer(REFERENCE, descriptor)

        assert store.layers.get(descriptor.digest) is None


def test_wrong_bytes_are_the_registrys_fault_even_where_they_are_no_archive(shelf: Shelf, tmp_path: Path) -> None:
    descriptor = shelf.put(gzip.compress(archive(Item("a", bytes(range(256)) * 1000))))
    file = next(path for path in tmp_path.rglob(descriptor.digest.hex))
    file.chmod(0o644)
    file.write_bytes(b"\x1f\x8b" + bytes(descriptor.size - 2))

    with pytest.raises(RegistryError, match=descriptor.digest.hex):
        LayerReader(shelf.registry).layer(REFERENCE, descriptor)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("../etc/passwd", "leaves the image", id="parent"),
        pytest.param("usr/../../etc/passwd", "leaves the image", id="parent in the middle"),
        pytest.param("etc/.wh.", "hides nothing", id="whiteout of nothing"),
        pytest.param("etc/.wh...", "hides nothing", id="whiteout of the parent"),
        pytest.param("a/" * 2100, "longer than 4096 bytes", id="long path"),
    ],
)
def test_a_hostile_path_is_refused(shelf: Shelf, name: str, says: str) -> None:
    with pytest.raises(ContentsError, match=says):
        shelf.layer(Item("good"), Item(name))


def test_a_hard_link_may_not_leave_the_image(shelf: Shelf) -> None:
    with pytest.raises(ContentsError, match="leaves the image"):
        shelf.layer(Item("a", kind=tarfile.LNKTYPE, link="../../etc/shadow"))


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        pytest.param(Bounds(entries=2), "more than 2 entries", id="entries"),
        pytest.param(Bounds(names=20), "more than 20 bytes of paths", id="names"),
        pytest.param(Bounds(path=4), "longer than 4 bytes", id="path"),
        pytest.param(Bounds(expanded=3000), "more than 3000 bytes", id="expanded bytes"),
        pytest.param(Bounds(ratio=5, slack=1000), "more than 5 times its size", id="ratio"),
        pytest.param(Bounds(database=10), "databases of more than 10 bytes", id="database"),
    ],
)
def test_each_bound_ends_the_reading_with_the_layer_named(shelf: Shelf, bounds: Bounds, says: str) -> None:
    blob = gzip.compress(archive(Item(STATUS, BASH), Item("b"), Item(".wh.c"), Item("zeros", bytes(100_000))))

    with pytest.raises(ContentsError, match=says) as caught:
        shelf.read(blob, bounds=bounds)

    assert str(caught.value).startswith(f"{REFERENCE}: layer {Digest.of(blob)} ")


@pytest.mark.parametrize("name", ["./", "a", "a/.wh..wh.plnk"], ids=["root", "one path", "metadata"])
def test_members_that_leave_nothing_count_too(shelf: Shelf, name: str) -> None:
    with pytest.raises(ContentsError, match="more than 9 entries"):
        shelf.read(archive(*[Item(name)] * 10), bounds=Bounds(entries=9))


def test_a_bomb_is_given_up_long_before_it_went_off(shelf: Shelf) -> None:
    bomb = gzip.compress(archive(*(Item(str(n), bytes(20_000_000)) for n in range(3))))

    with pytest.raises(ContentsError, match="200 times its size"):
        shelf.read(bomb, bounds=Bounds(slack=10_000_000))


def test_an_unknown_blob_is_the_registrys_error(shelf: Shelf) -> None:
    nowhere = Descriptor(media_type=LAYER_TYPE, digest=Digest.of(b"nowhere"), size=7)

    with pytest.raises(RegistryError):
        LayerReader(shelf.registry).layer(REFERENCE, nowhere)
