"""Tar streams: what tarfile reads of a good archive we read too; what engines refuse, or what grows, we refuse."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.contents.archive import members
from bot.adapters.contents.bounds import Bounds
from bot.core.errors import ContentsError
from tests.adapters.contents.tars import Item, archive, block
from tests.lab.need import need

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=120).filter(
    lambda name: name.strip("/")
)
ITEMS = st.builds(
    Item,
    name=NAMES,
    content=st.binary(max_size=1500),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**31),
    pax=st.dictionaries(st.sampled_from(["comment", "SCHILY.xattr.user.a"]), st.text("abc=\n", max_size=9)),
)
LINKS = st.builds(Item, name=NAMES, kind=st.sampled_from([tarfile.SYMTYPE, tarfile.LNKTYPE]), link=NAMES)
FOLDERS = st.builds(Item, name=NAMES, kind=st.just(tarfile.DIRTYPE))


def ours(content: bytes) -> list[tuple[str, bytes, str, int, int, bytes]]:
    """Read an archive with `members`, without the slash at the end of a directory."""
    found = members(io.BytesIO(content), Bounds())
    return [
        (m.info.name.rstrip("/"), m.info.type, m.info.linkname, m.info.mode, m.info.uid, b"".join(m.content))
        for m in found
    ]


def tarfiles(content: bytes) -> list[tuple[str, bytes, str, int, int, bytes]]:
    """Read an archive with the standard library, which takes the slash away from some."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = [(info, tar.extractfile(info) if info.isreg() else None) for info in tar]
        return [
            (i.name.rstrip("/"), i.type, i.linkname, i.mode, i.uid, file.read() if file else b"") for i, file in files
        ]


@given(items=st.lists(ITEMS | LINKS | FOLDERS, max_size=6), gnu=st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_good_archive_reads_as_tarfile_reads_it(items: list[Item], *, gnu: bool) -> None:
    content = archive(*items, form=tarfile.GNU_FORMAT if gnu else tarfile.PAX_FORMAT)

    assert ours(content) == tarfiles(content)


@pytest.mark.parametrize("form", ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"])
def test_archives_of_gnu_tar_are_read(tmp_path: Path, form: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ("n" * 90)).write_bytes(b"text" * 500)
    (tmp_path / "link").symlink_to("folder")

    content = subprocess.run(
        [need("tar", "apt-get install tar"), f"--format={form}", "-C", str(tmp_path), "-cf", "-", "folder", "link"],
        check=True,
        capture_output=True,
    ).stdout

    assert [(row[0], row[2], row[5]) for row in ours(content)] == [
        ("folder", "", b""),
        (f"folder/{'n' * 90}", "", b"text" * 500),
        ("link", "folder", b""),
    ]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"", id="none"),
        pytest.param(bytes(512), id="one block"),
        pytest.param(bytes(1024), id="two blocks"),
        pytest.param(bytes(1024) + b"what lies behind the end", id="two blocks and more"),
    ],
)
def test_every_end_that_engines_take_is_taken(end: bytes) -> None:
    assert [row[0] for row in ours(block(Item("a")) + end)] == ["a"]


def test_content_that_nobody_read_is_skipped() -> None:
    stream = io.BytesIO(archive(Item("a", b"x" * 100_000), Item("b")))

    assert [member.info.name for member in members(stream, Bounds())] == ["a", "b"]


def test_a_global_header_says_nothing_about_files() -> None:
    info = Item("a").info
    head = tarfile.TarInfo.create_pax_global_header({"path": "elsewhere"})

    assert [row[0] for row in ours(head + info.tobuf())] == ["a"]


def pax(records: bytes, *, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Write an extension header with these bytes."""
    padded = records.ljust(-len(records) % 512 + len(records), b"\0")
    return block(Item("pax", records, kind=kind)) + padded


def record(text: str) -> bytes:
    """Write a pax record, which starts with its own length."""
    length = len(text.encode()) + 2
    while len(f"{length} {text}\n".encode()) != length:
        length += 1
    return f"{length} {text}\n".encode()


def sized(size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Write a header block that claims a size, with no content behind it."""
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


A = block(Item("a"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"no archive at all" * 100, "no tar archive", id="text"),
        pytest.param(A[:300], "no tar archive", id="header cut off"),
        pytest.param(A + b"\1" * 512, "no tar archive", id="damaged header in the middle"),
        pytest.param(A + bytes(512) + A, "empty block is not its end", id="members behind an empty block"),
        pytest.param(sized(1000) + b"x" * 10, "before its last file", id="content cut off"),
        pytest.param(sized(8 << 40), "before its last file", id="huge file"),
        pytest.param(sized(-1), "size -1", id="negative size"),
        pytest.param(sized(8 << 30, tarfile.GNUTYPE_LONGNAME), "extension header of", id="huge long name"),
        pytest.param(sized(8 << 30, tarfile.XHDTYPE), "extension header of", id="huge pax header"),
        pytest.param(pax(record("comment=x")) * 9 + A, "more than 8 extension headers", id="pax headers in a row"),
        pytest.param(block(Item("a", kind=b"S")), "type b'S'", id="sparse file"),
        pytest.param(pax(record("GNU.sparse.major=1")) + A, "sparse file", id="sparse file of pax"),
        pytest.param(block(Item("a", kind=b"V")), "type b'V'", id="volume label"),
        pytest.param(pax(record("path=" + "p" * 5000)) + A, "longer than 4096 bytes", id="long path"),
        pytest.param(pax(record("linkpath=" + "p" * 5000)) + A, "longer than 4096 bytes", id="long link"),
        pytest.param(pax(record("path=a\0b")) + A, "a NUL in it", id="NUL in a path"),
        pytest.param(pax(record("size=-5")) + A, "-5 bytes", id="negative pax size"),
        pytest.param(pax(record("size=many")) + A, "pax number", id="pax size that is no number"),
        pytest.param(pax(record("uid=" + "9" * 5000)) + A, "pax number", id="pax uid without end"),
        pytest.param(pax(b"99 path=a\n") + A, "pax record", id="pax record longer than its header"),
        pytest.param(pax(b"0 path=a\n") + A, "pax record", id="pax record of no length"),
        pytest.param(pax(b"9 path=ab\n") + A, "pax record", id="pax record without newline"),
        pytest.param(pax(b"7 path\n") + A, "pax record", id="pax record without value"),
        pytest.param(pax(b"9" * 60_000) + A, "pax record", id="pax record of digits"),
    ],
)
def test_a_hostile_archive_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(ContentsError, match=says):
        ours(content)


@given(edits=st.lists(st.tuples(st.integers(0, 4607), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_damaged_archive_is_read_or_refused(edits: list[tuple[int, int]]) -> None:
    damaged = bytearray(archive(Item("n" * 150, b"x" * 600), Item("l", kind=tarfile.SYMTYPE, link="t" * 150)))
    for at, byte in edits:
        damaged[at] = byte

    try:
        names = [row[0] for row in ours(bytes(damaged))]
    except ContentsError:
        return

    assert len(names) <= 2
