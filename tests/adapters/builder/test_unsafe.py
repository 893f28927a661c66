"""Constructions that a rebase must not take, as true layers: each is refused, with the right path."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.registry import LayoutRegistry
from bot.core.errors import RebaseRefused, RegistryError
from bot.core.image import REVISION_LABEL
from tests.adapters.builder.rebase_lab import (
    APP,
    FUNCTION,
    NEW_BASE,
    OLD_BASE,
    Link,
    Tree,
    World,
    make_world,
    put_image,
)
from tests.conftest import Figure

LONG = "usr/share/" + "/".join(["a folder with a name of some length"] * 7) + "/file"
"""Longer than the 100 bytes that a header block has, and than the 255 that ustar can put together."""
ACCENT, SPLIT_ACCENT = "usr/share/caf\N{LATIN SMALL LETTER E WITH ACUTE}", "usr/share/cafe\N{COMBINING ACUTE ACCENT}"
BYTES = b"usr/share/caf\xe9".decode(errors="surrogateescape")
MODULE = "var/lang/lib/python3.13/os"


def header(kind: bytes = tarfile.REGTYPE, *, mode: int = 0o644, uid: int = 0, **pax: str) -> tarfile.TarInfo:
    """A member without content; `pax` are attributes, with `__` for a dot."""
    info = tarfile.TarInfo()
    info.type, info.mode, info.uid = kind, mode, uid
    info.pax_headers = {f"SCHILY.xattr.{name.replace('__', '.')}": value for name, value in pax.items()}
    return info


BOTH: Tree = {
    "etc": None,
    "etc/hosts": b"hosts",
    "lib": Link("usr/lib"),
    "usr/lib/libz.so": b"z",
    "var/lang/include/python3.13/patchlevel.h": b'#define PY_VERSION              "3.13.9"\n',
    "var/lang/bin/python": b"python",
    "var/task": None,
}
OLD: Tree = {
    **BOTH,
    "usr/lib/libssl.so.3": b"3.0.8",
    "usr/lib/mode": header(mode=0o644),
    "usr/lib/owner": header(uid=0),
    "usr/bin/ping": header(security__capability="old"),
    "etc/old.conf": b"",
    "srv/app": None,
    "srv/data": None,
    "srv/gone": None,
    f"{MODULE}.py": b"old",
    LONG: b"old",
    ACCENT: b"old",
    BYTES: b"old",
}
NEW: Tree = {
    **BOTH,
    "usr/lib/libssl.so.3": b"3.0.9",
    "usr/lib/mode": header(mode=0o755),
    "usr/lib/owner": header(uid=7),
    "usr/bin/ping": header(security__capability="new"),
    "etc/new.conf": b"",
    "srv/app": Link("/mnt/app"),
    "srv/data": b"a file now",
    f"{MODULE}.py": b"new",
    LONG: b"new",
    ACCENT: b"new",
    BYTES: b"new",
}

UNSAFE: dict[str, tuple[Tree, str]] = {
    "overwritten library": ({"usr/lib/libssl.so.3": b"mine"}, "/usr/lib/libssl.so.3"),
    "overwritten module of the language": ({f"{MODULE}.py": b"mine"}, f"/{MODULE}.py"),
    "a mode that the base changes": ({"usr/lib/mode": b"mine"}, "/usr/lib/mode"),
    "an owner that the base changes": ({"usr/lib/owner": b"mine"}, "/usr/lib/owner"),
    "an attribute that the base changes": ({"usr/bin/ping": header(mode=0o755)}, "/usr/bin/ping"),
    "a file that the new base adds": ({"etc/new.conf": b"mine"}, "/etc/new.conf"),
    "a file that the new base drops": ({"etc/old.conf": b"mine"}, "/etc/old.conf"),
    "whiteout of a file": ({"etc/.wh.hosts": b""}, "/etc/hosts"),
    "whiteout of a folder": ({"var/.wh.lang": b""}, "/var/lang"),
    "whiteout of a folder that no entry names": ({"var/lang/.wh.bin": b""}, "/var/lang/bin"),
    "whiteout of a link": ({".wh.lib": b""}, "/lib"),
    "whiteout and the same file again": ({"etc/.wh.hosts": b"", "etc/hosts": b"mine"}, "/etc/hosts"),
    "whiteout through a link": ({"lib/.wh.libz.so": b""}, "/lib"),
    "opaque folder": ({"etc/.wh..wh..opq": b""}, "/etc"),
    "opaque root": ({".wh..wh..opq": b""}, "of the base is hidden"),
    "opaque by an attribute of overlayfs": ({"etc": header(tarfile.DIRTYPE, trusted__overlay__opaque="y")}, "/etc"),
    "whiteout as a device of overlayfs": ({"etc/hosts": header(tarfile.CHRTYPE)}, "/etc/hosts"),
    "a pipe over a file": ({"etc/hosts": header(tarfile.FIFOTYPE)}, "/etc/hosts"),
    "a device over a folder": ({"etc": header(tarfile.BLKTYPE)}, "/etc"),
    "hard link to a file that stays": ({"opt/hosts": Link("etc/hosts", hard=True)}, "/opt/hosts"),
    "hard link to a file that changes": ({"opt/ssl": Link("/usr/lib/libssl.so.3", hard=True)}, "/opt/ssl"),
    "symbolic link over a folder": ({"var/lang": Link("/opt/lang")}, "/var/lang"),
    "file over a folder": ({"var/lang": b"mine"}, "/var/lang"),
    "folder over a file": ({"usr/lib/libssl.so.3": None}, "/usr/lib/libssl.so.3"),
    "folder over a link": ({"lib": None, "lib/mine": b""}, "/lib"),
    "through a link of the base": ({"lib/mine.so": b""}, "/lib"),
    "through a link of its own": ({"opt/x": Link("/usr/lib"), "opt/x/libssl.so.3": b"mine"}, "/opt/x"),
    "below a file of the base": ({"etc/hosts/x": b""}, "/etc/hosts"),
    "in a folder that becomes a link": ({"srv/app/x": b""}, "/srv/app"),
    "in a folder that becomes a file": ({"srv/data/x": b""}, "/srv/data"),
    "in a folder that goes": ({"srv/gone/x": b""}, "/srv/gone"),
    "RPM database": ({"var/lib/rpm/rpmdb.sqlite": b"x"}, "/var/lib/rpm/rpmdb.sqlite"),
    "RPM database of newer releases": ({"usr/lib/sysimage/rpm/rpmdb.sqlite": b"x"}, "/usr/lib/sysimage/rpm/rpmdb"),
    "dpkg database": ({"var/lib/dpkg/status": b""}, "/var/lib/dpkg/status"),
    "apk database": ({"lib/apk/db/installed": b""}, "/lib"),
    "cache of the linker": ({"etc/ld.so.cache": b"x"}, "/etc/ld.so.cache"),
    "module compiled from one that changes": (
        {"var/lang/lib/python3.13/__pycache__/os.cpython-313.opt-1.pyc": b"x"},
        "/var/lang/lib/python3.13/__pycache__/os.cpython-313.opt-1.pyc",
    ),
    "path with a slash first": ({"/usr/lib/libssl.so.3": b"mine"}, "/usr/lib/libssl.so.3"),
    "path with a dot first": ({"./usr/lib/libssl.so.3": b"mine"}, "/usr/lib/libssl.so.3"),
    "path with empty parts and dots": ({"usr//./lib/.//libssl.so.3": b"mine"}, "/usr/lib/libssl.so.3"),
    "path with a slash last": ({"srv/data/": header(tarfile.DIRTYPE, mode=0o755)}, "/srv/data"),
    "path that goes up": ({"opt/../etc/hosts": b"mine"}, "opt/../etc/hosts"),
    "path longer than a header": ({LONG: b"mine"}, f"/{LONG}"),
    "path with an accent": ({ACCENT: b"mine"}, f"/{ACCENT}"),
    "path that is no UTF-8": ({BYTES: b"mine"}, r"/usr/share/caf\xe9"),
}

SAFE: dict[str, Tree] = {
    "a path in other letters": {"ETC/hosts": b"", "USR/LIB/libssl.so.3": b""},
    "a path with its accent apart": {SPLIT_ACCENT: b""},
    "a file in a folder of the base": {"etc/mine.conf": b"", "var/lang/lib/python3.13/site-packages/mine.py": b""},
    "a module compiled from its own": {"var/task/x.py": b"", "var/task/__pycache__/x.cpython-313.pyc": b""},
    "a hard link to its own file": {"opt/a": b"a", "opt/b": Link("opt/a", hard=True)},
    "attributes of its own": {"opt/tool": header(security__capability="mine")},
    "a device where the base has nothing": {"opt/null": header(tarfile.CHRTYPE)},
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(LayoutRegistry(tmp_path / "layouts"), "registry.example", tmp_path)


def rebase(world: World, own: Tree, new: Tree = NEW, **changes: Any) -> None:
    """Deploy own layers on the old base and order them on the new one."""
    commit = world.source.commit({"app.py": b""})
    old = put_image(world.store, world.place("lambda/python:old"), [OLD], OLD_BASE)
    base = put_image(world.store, world.place("lambda/python:new"), [new], NEW_BASE)
    container = {**FUNCTION, "Labels": {REVISION_LABEL: commit}}
    deployed = put_image(world.store, world.place("functions/orders:live"), [OLD, APP, own], container)
    order = world.order(commit, deployed, deployed_base=old, base=base, **changes)
    world.builder.build(order)


@pytest.mark.parametrize(("own", "path"), UNSAFE.values(), ids=UNSAFE)
def test_what_is_unsafe_is_refused_by_path_and_nothing_is_written(
    world: World, figure: Figure, request: pytest.FixtureRequest, own: Tree, path: str
) -> None:
    with pytest.raises(RebaseRefused) as refused:
        rebase(world, own)

    named = path[:60] if path in refused.value.reason else refused.value.reason
    figure(f"unsafe to rebase, refused with its path: {request.node.callspec.id}", named, path[:60])
    with pytest.raises(RegistryError) as missing:
        world.read(world.place("functions/orders:refrom-1"))
    assert missing.value.status == 404


def test_there_are_at_least_thirty(figure: Figure) -> None:
    figure(f"{len(UNSAFE)} unsafe constructions as true layers, at least 30", len(UNSAFE) >= 30, True)


@pytest.mark.parametrize("own", SAFE.values(), ids=SAFE)
def test_what_only_looks_unsafe_is_rebased(world: World, own: Tree) -> None:
    rebase(world, own)

    assert world.read(world.place("functions/orders:refrom-1")).layer_digests


def test_another_minor_version_is_refused(world: World, figure: Figure) -> None:
    version = {"var/lang/include/python3.13/patchlevel.h": b'#define PY_VERSION              "3.14.0"\n'}

    with pytest.raises(RebaseRefused) as refused:
        rebase(world, {}, {**NEW, **version})

    said = "python 3.13.9 becomes python 3.14.0, another line"
    figure("unsafe to rebase, refused: a changed minor version", said in refused.value.reason, True)


def test_another_stream_is_refused_though_no_file_tells(world: World) -> None:
    with pytest.raises(RebaseRefused, match=r"python:old@\S+ is of another stream than \S+python:new@"):
        rebase(world, {}, runtime="provided.al2023", deployed_runtime="provided.al2")
