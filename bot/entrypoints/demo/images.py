"""Makes images that look like Lambda's: bases with a true package database and language files, functions on top.

The real base images cannot be had offline. These have the same shape: six layers of which the lowest is the operating
system's, the environment, the entry point, an index over platforms, and a date-stamped tag beside the moving one.
The same specification gives the same bytes.
"""

import gzip
import io
import sqlite3
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import pack
from typing import Any, Final

from bot.core.digest import Digest
from bot.core.image import OCI_INDEX, OCI_MANIFEST, Descriptor, to_json
from bot.core.layer import Language, Package
from bot.core.packages import rpm_header
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import ImageWriter, Registry

_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_ENV: Final = (
    "LANG=en_US.UTF-8",
    "TZ=:/etc/localtime",
    "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT=/var/task",
    "LAMBDA_RUNTIME_DIR=/var/runtime",
)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_RPM_INDEXES: Final = (
    "Name Basenames Group Requirename Providename Conflictname Obsoletename Triggername Dirnames Installtid Sigmd5 "
    "Sha1header Filetriggername Transfiletriggername Recommendname Suggestname Supplementname Enhancename"
).split()
"""The tables that rpm expects beside the packages; it makes them where they are missing, if it may write."""
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSpec:
    """One base image: `name` and `tag` as in `lambda/python:3.13`; `extra` adds files to every platform."""

    name: str
    tag: str
    platforms: tuple[Platform, ...]
    packages: Mapping[Platform, tuple[Package, ...]]
    language: Language
    created: datetime
    extra: Files | None = None


def publish_base(writer: ImageWriter, name: Reference, spec: BaseSpec) -> Digest:
    """Write a base for all its platforms, under its moving and its dated tag; return the index's digest."""
    entries = []
    for platform in spec.platforms:
        layers = [_layer(files, spec.created) for files in _base_layers(spec, platform)]
        config = _config(platform, spec.created, layers, {"Env": list(_ENV), "WorkingDir": "/var/task"})
        config["config"]["Entrypoint"] = ["/lambda-entrypoint.sh"]
        manifest = _manifest(writer, name, config, [_put_layer(writer, name, layer) for layer in layers])
        digest = writer.put_manifest(name, OCI_MANIFEST, manifest)
        entries.append(_index_entry(platform, digest, len(manifest)))
    index = to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
    writer.put_manifest(name.with_tag(f"{spec.tag}.{spec.created:%Y.%m.%d.%H}"), OCI_INDEX, index)
    return writer.put_manifest(name.with_tag(spec.tag), OCI_INDEX, index)


def publish_function(
    writer: ImageWriter,
    registry: Registry,
    base: Reference,
    platform: Platform,
    files: Files,
    target: Reference,
    labels: Mapping[str, str],
) -> Digest:
    """Write what `FROM base` and one `COPY` give, for one platform, under the target's tag."""
    below = registry.image(base, platform)
    for descriptor in below.manifest.layers:
        writer.copy_blob(base, descriptor, target)
    own = _layer(files, below.config.created or _EPOCH)
    config: dict[str, Any] = {**below.config.document}
    config["config"] = {**config["config"], "Cmd": ["app.handler"], "Labels": dict(labels)}
    config["rootfs"] = {"type": "layers", "diff_ids": [*map(str, below.config.diff_ids), str(Digest.of(own))]}
    config["history"] = [*config["history"], {"created": config["created"], "created_by": "COPY . /var/task"}]
    layers = [*below.manifest.layers, _put_layer(writer, target, own)]
    return writer.put_manifest(target, OCI_MANIFEST, _manifest(writer, target, config, layers))


def rpmdb(packages: Sequence[Package]) -> bytes:
    """Write an `rpmdb.sqlite` that the rpm tool reads."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        for table in _RPM_INDEXES:
            connection.execute(f"CREATE TABLE '{table}' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
            connection.execute(f"CREATE INDEX '{table}_key_idx' ON '{table}'(key ASC)")
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(_header(p),) for p in sorted(packages)])
        connection.commit()
        return connection.serialize()


def _base_layers(spec: BaseSpec, platform: Platform) -> list[Files]:
    """The six layers, the operating system first."""
    packages = spec.packages[platform]
    installed = {f"usr/share/doc/{p.name}/version": f"{p.evr}\n".encode() for p in packages}
    return [
        {"etc/os-release": b'ID="amzn"\nVERSION_ID="2023"\n', "var/lib/rpm/rpmdb.sqlite": rpmdb(packages), **installed},
        {"usr/local/bin/aws-lambda-rie": f"rie for {platform}\n".encode()},
        _language_files(spec.language),
        {"var/runtime/bootstrap": f"#!/bin/sh\n# starts {spec.language.name}\n".encode()},
        {"lambda-entrypoint.sh": b"#!/bin/sh\nexec /var/runtime/bootstrap\n"},
        {"var/task/": b"", "opt/": b"", **(spec.extra or {})},
    ]


def _language_files(language: Language) -> Files:
    """The files by which a language's version is known, as the languages themselves install them."""
    version = language.version
    match language.name:
        case "python":
            minor = ".".join(version.split(".")[:2])
            header = f'#define PY_VERSION      "{version}"\n'.encode()
            return {f"var/lang/include/python{minor}/patchlevel.h": header, "var/lang/bin/python3": version.encode()}
        case "node":
            names = zip(("MAJOR", "MINOR", "PATCH"), version.split("."), strict=True)
            header = "".join(f"#define NODE_{name}_VERSION {number}\n" for name, number in names).encode()
            return {"var/lang/include/node/node_version.h": header, "var/lang/bin/node": version.encode()}
        case "java":
            return {"var/lang/release": f'IMPLEMENTOR="Amazon.com Inc."\nJAVA_VERSION="{version}"\n'.encode()}
        case "ruby":
            config = f'  CONFIG["RUBY_PROGRAM_VERSION"] = "{version}"\n'.encode()
            return {"var/lang/lib/ruby/3.4.0/x86_64-linux/rbconfig.rb": config}
        case _:
            return {f"var/lang/bin/{language.name}": version.encode()}


def _layer(files: Files, created: datetime) -> bytes:
    """Write a tar: folders before what is in them, owned by root, all of one time."""
    out = io.BytesIO()
    moment = int(created.timestamp())
    folders = sorted({"/".join(parts[:n]) for path in files for parts in [path.split("/")] for n in range(1, len(parts))})
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in folders:
            info = tarfile.TarInfo(f"{folder}/")
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, moment
            archive.addfile(info)
        for path, content in sorted(files.items()):
            if not path.endswith("/"):
                info = tarfile.TarInfo(path)
                info.size, info.mtime = len(content), moment
                info.mode = 0o755 if content.startswith((b"#!", b"\x7fELF")) else 0o644
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _put_layer(writer: ImageWriter, name: Reference, tar: bytes) -> Descriptor:
    return writer.put_blob(name, _LAYER, gzip.compress(tar, mtime=0))


def _config(platform: Platform, created: datetime, layers: Sequence[bytes], container: dict[str, Any]) -> dict[str, Any]:
    moment = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "created": moment,
        "architecture": platform.architecture,
        "os": platform.os,
        "config": container,
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(layer)) for layer in layers]},
        "history": [{"created": moment, "created_by": f"ADD layer {number}"} for number in range(len(layers))],
    }


def _manifest(writer: ImageWriter, name: Reference, config: Mapping[str, Any], layers: Sequence[Descriptor]) -> bytes:
    described = writer.put_blob(name, _CONFIG, to_json(config))
    return to_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _describe(described),
            "layers": [_describe(layer) for layer in layers],
        }
    )


def _describe(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}


def _index_entry(platform: Platform, digest: Digest, size: int) -> dict[str, Any]:
    where = {"architecture": platform.architecture, "os": platform.os}
    return {"mediaType": OCI_MANIFEST, "digest": str(digest), "size": size, "platform": where}


def _header(package: Package) -> bytes:
    """Write an RPM header, the counterpart of `rpm_header.parse_header`."""
    epoch, _, rest = package.evr.rpartition(":")
    version, _, release = rest.rpartition("-")
    texts = {
        rpm_header.NAME: package.name,
        rpm_header.VERSION: version,
        rpm_header.RELEASE: release,
        rpm_header.ARCH: package.arch,
    }
    values = {tag: (rpm_header.STRING, text.encode() + b"\0") for tag, text in texts.items()}
    if epoch:
        values[rpm_header.EPOCH] = (rpm_header.INT32, pack(">I", int(epoch)))
    index, data = b"", b""
    for tag, (kind, value) in sorted(values.items()):
        data += b"\0" * (-len(data) % 4) if kind == rpm_header.INT32 else b""
        index += pack(">IIII", tag, kind, len(data), 1)
        data += value
    return pack(">II", len(values), len(data)) + index + data
