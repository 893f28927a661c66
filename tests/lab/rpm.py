"""The real rpm tools: packages built, databases written, versions compared by rpm itself."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from bot.core.layer import Package
from tests.lab.need import need

_INSTALL: Final = "apt-get install rpm"
_QUERY: Final = "%{NAME} %{ARCH} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n"
_SPEC: Final = """\
Name: {name}
{epoch}
Version: {version}
Release: {release}
Summary: Made for a test
License: none
%description
Made for a test.
%files
"""


def install(root: Path, packages: Sequence[Package], *, dbpath: str = "/var/lib/rpm") -> Path:
    """Build packages and put them into a new database under `root`, the files left out; return its folder."""
    return install_built(root, build(root, packages), dbpath=dbpath)


def build(root: Path, packages: Sequence[Package]) -> list[Path]:
    """Build packages below `root`."""
    return [_build(root / "rpms", package) for package in packages]


def install_built(root: Path, rpms: Sequence[Path], *, dbpath: str = "/var/lib/rpm") -> Path:
    """Put packages into a new database under `root`, the files left out; return its folder."""
    flags = ["--force-debian", "--justdb", "--nodeps", "--noscripts", "--nosignature", "--ignorearch", "--ignoreos"]
    _rpm(root, dbpath, "-i", *flags, *(str(rpm) for rpm in rpms))
    return root / dbpath.lstrip("/")


def build_at_once(root: Path, packages: Sequence[Package]) -> list[Path]:
    """Build packages of one architecture by one specification, with long descriptions, so that headers are large."""
    folder, (arch,) = root / "rpms", {package.arch for package in packages}
    blocks = []
    for package in packages:
        epoch, _, rest = package.evr.rpartition(":")
        version, _, release = rest.rpartition("-")
        fields = [f"Version: {version}", f"Release: {release}", "Summary: Made for a test", "License: none"]
        named = f"-n {package.name}"
        blocks += [f"%package {named}", *fields, *([f"Epoch: {epoch}"] if epoch else [])]
        blocks += [f"%description {named}", "Made for a test. " * (20 + 37 * len(package.name)), f"%files {named}"]
    head = ["Name: whole", "Version: 1", "Release: 1", "Summary: Made for a test", "License: none", "%description"]
    return _rpmbuild(folder, f"whole.{arch}", "\n".join([*head, *blocks, ""]), arch, packages)


def query(
    root: Path, *, dbpath: str = "/var/lib/rpm", name: str | None = None, backend: str = "sqlite"
) -> tuple[Package, ...]:
    """List what rpm finds in the database, by name or all, sorted."""
    answer = _rpm(root, dbpath, "-q", name or "-a", "--queryformat", _QUERY, backend=backend)
    return tuple(sorted(Package(*line.split(" ")) for line in answer.splitlines()))


def compare(pairs: Sequence[tuple[str, str]]) -> list[int]:
    """Compare versions as rpm does, all in one call."""
    rows = ",".join(f"{{[==[{one}]==],[==[{other}]==]}}" for one, other in pairs)
    script = "local out = {} for _, p in ipairs({" + rows + "}) do out[#out + 1] = rpm.vercmp(p[1], p[2]) end "
    done = subprocess.run(
        [need("rpm", _INSTALL), "--eval", "%{lua:" + script.replace("%", "%%") + "print(table.concat(out, ' '))}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [int(number) for number in done.stdout.split()]


def _build(folder: Path, package: Package) -> Path:
    epoch, _, rest = package.evr.rpartition(":")
    version, release = rest.split("-")
    text = _SPEC.format(name=package.name, epoch=f"Epoch: {epoch}" if epoch else "", version=version, release=release)
    (rpm,) = _rpmbuild(folder, f"{package.name}.{package.arch}", text, package.arch, [package])
    return rpm


def _rpmbuild(folder: Path, name: str, specification: str, arch: str, packages: Sequence[Package]) -> list[Path]:
    spec = folder / f"{name}.spec"
    spec.parent.mkdir(parents=True, exist_ok=True)
    spec.write_text(specification)
    target = ["--target", f"{arch}-amazon-linux"]
    defines = ["--define", f"_topdir {folder}", "--define", "_rpmfilename %%{NAME}.%%{ARCH}.rpm"]
    subprocess.run(
        [need("rpmbuild", _INSTALL), "-bb", "--quiet", *target, *defines, str(spec)], check=True, capture_output=True
    )
    return [folder / "RPMS" / f"{package.name}.{package.arch}.rpm" for package in packages]


def _rpm(root: Path, dbpath: str, *arguments: str, backend: str = "sqlite") -> str:
    database = ["--root", str(root), "--define", f"_dbpath {dbpath}", "--define", f"_db_backend {backend}"]
    done = subprocess.run([need("rpm", _INSTALL), *database, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def berkeley(folder: Path, headers: Sequence[bytes], *, order: str = "1234", page_size: int = 4096) -> bytes:
    """Write headers into a Berkeley hash file as older rpm keeps them; `order` is 1234 for little-endian."""
    endian: Literal["little", "big"] = "little" if order == "1234" else "big"
    rows = [(0, len(headers).to_bytes(4, endian)), *enumerate(headers, start=1)]
    lines = ["VERSION=3", "format=bytevalue", "type=hash", f"db_pagesize={page_size}", f"db_lorder={order}"]
    lines += ["HEADER=END", *(f" {part.hex()}" for key, value in rows for part in (key.to_bytes(4, endian), value))]
    file = folder / f"Packages.{order}.{page_size}"
    loader = need("db5.3_load", "apt-get install db5.3-util")
    subprocess.run([loader, str(file)], input="\n".join([*lines, "DATA=END", ""]), check=True, text=True)
    return file.read_bytes()
