"""Makes images that look like Lambda's: bases with a true package database and language files, functions on top.

The real base images cannot be had offline. These have the same shape: layers of which the lowest is the operating
system's, the environment, the entry point, an index over platforms, and a date-stamped tag beside the moving one.
The same specification gives the same bytes.
"""

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

from bot.core.digest import Digest
from bot.core.image import OCI_INDEX, OCI_MANIFEST, Descriptor, to_json
from bot.core.layer import Language, Package
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.entrypoints.demo.rpmdb import write_rpmdb
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
_CMD: Final = ("app.handler",)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_ENTRYPOINT: Final = b"""\
#!/bin/sh
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
fi
exec /var/runtime/bootstrap
"""

Files = Mapping[str, bytes | str]
"""What a layer adds: bytes are a file, a text is a symbolic link's target, a path that ends in / is a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSpec:
    """One base image: `name` and `tag` as in `lambda/python:3.13`; without language it is like `lambda/provided`.

    All files are as old as `created`, so that two specifications that differ in it alone differ in times alone.
    `extra` adds files to every platform, such as a static shell that makes the image run in an engine.
    """

    name: str
    tag: str
    platforms: tuple[Platform, ...]
    packages: Mapping[Platform, tuple[Package, ...]]
    language: Language | None
    created: datetime
    extra: Files = field(default_factory=dict)


def publish_base(writer: ImageWriter, name: Reference, spec: BaseSpec) -> Digest:
    """Write a base for all its platforms, under its moving and its dated tag; return the index's digest."""
    entries = [_put_base(writer, name.with_tag(None), spec, platform) for platform in spec.platforms]
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
    """Write what `FROM base`, one `COPY` and `CMD ["app.handler"]` give, for one platform, under the target's tag."""
    below = registry.image(base, platform)
    for descriptor in below.manifest.layers:
        writer.copy_blob(base, descriptor, target)
    created = below.config.created or _EPOCH
    own = _layer(files, created)
    document = below.config.document
    config = {
        **document,
        "config": {**document["config"], "Cmd": list(_CMD), "Labels": {**below.config.labels, **labels}},
        "rootfs": {"type": "layers", "diff_ids": [str(each) for each in (*below.config.diff_ids, Digest.of(own))]},
        "history": [*document["history"], *_history(created, ["COPY . /var/task"], ['CMD ["app.handler"]'])],
    }
    layers = [*below.manifest.layers, _put_layer(writer, target, own)]
    return writer.put_manifest(target, OCI_MANIFEST, _manifest(writer, target, config, layers))


def _put_base(writer: ImageWriter, name: Reference, spec: BaseSpec, platform: Platform) -> dict[str, Any]:
    """Write one platform's image and return its entry for the index."""
    layers = [_layer(files, spec.created) for files in _base_layers(spec, platform)]
    blobs = [_put_layer(writer, name, layer) for layer in layers]
    manifest = _manifest(writer, name, _base_config(platform, spec.created, layers), blobs)
    digest = writer.put_manifest(name, OCI_MANIFEST, manifest)
    where = {"architecture": platform.architecture, "os": platform.os}
    return {"mediaType": OCI_MANIFEST, "digest": str(digest), "size": len(manifest), "platform": where}


def _base_layers(spec: BaseSpec, platform: Platform) -> list[Files]:
    """Six layers, or four without a language; the operating system is the lowest and the same under every language."""
    packages = spec.packages[platform]
    installed = {f"usr/share/doc/{package.name}/version": f"{package.evr}\n".encode() for package in packages}
    runtime: list[Files] = []
    if spec.language:
        bootstrap = f'#!/bin/sh\necho "{spec.language.name} starts $_HANDLER"\n'.encode()
        runtime = [_language_files(spec.language), {"var/runtime/bootstrap": bootstrap}]
    return [
        {
            "etc/os-release": b'ID="amzn"\nVERSION_ID="2023"\n',
            "var/lib/rpm/rpmdb.sqlite": write_rpmdb(packages),
            **installed,
        },
        {"usr/local/bin/aws-lambda-rie": f"#!/bin/sh\n# for {platform}\nexec $1\n".encode()},
        *runtime,
        {"lambda-entrypoint.sh": _ENTRYPOINT},
        {"var/task/": b"", "opt/": b"", **spec.extra},
    ]


def _language_files(language: Language) -> Files:
    """The files by which a language's version is known, as the languages themselves install them."""
    version, parts = language.version, language.version.split(".")
    match language.name:
        case "python":
            line = ".".join(parts[:2])
            return {
                f"var/lang/bin/python{line}": f"Python {version}\0".encode(),
                "var/lang/bin/python3": f"python{line}",
                f"var/lang/include/python{line}/patchlevel.h": f'#define PY_VERSION      "{version}"\n'.encode(),
            }
        case "node":
            names = zip(("MAJOR", "MINOR", "PATCH"), parts, strict=True)
            header = "".join(f"#define NODE_{name}_VERSION {number}\n" for name, number in names)
            return {
                "var/lang/bin/node": f"node.js/v{version}\0".encode(),
                "var/lang/include/node/node_version.h": header.encode(),
            }
        case "java":
            return {"var/lang/release": f'IMPLEMENTOR="Amazon.com Inc."\nJAVA_VERSION="{version}"\n'.encode()}
        case "ruby":
            names = zip(("MAJOR", "MINOR", "TEENY"), parts, strict=True)
            config = "".join(f'  CONFIG["{name}"] = "{number}"\n' for name, number in names)
            return {f"var/lang/lib/ruby/{'.'.join(parts[:2])}.0/x86_64-linux/rbconfig.rb": config.encode()}
        case "dotnet":
            return {f"var/lang/bin/shared/Microsoft.NETCore.App/{version}/.version": f"{version}\n".encode()}
        case _:
            raise ValueError(f"language {language.name!r} has no base image; use python, node, java, ruby or dotnet")


def _layer(files: Files, created: datetime) -> bytes:
    """Write a tar: directories before what is in them, owned by root, all of one time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(_directories(files)):
            archive.addfile(_member(path, tarfile.DIRTYPE, 0o755, created))
        for path, content in sorted(files.items()):
            if isinstance(content, str):
                link = _member(path, tarfile.SYMTYPE, 0o777, created)
                link.linkname = content
                archive.addfile(link)
            elif not path.endswith("/"):
                mode = 0o755 if content.startswith((b"#!", b"\x7fELF")) else 0o644
                member = _member(path, tarfile.REGTYPE, mode, created)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _directories(files: Files) -> Iterator[str]:
    found = {str(parent) for path in files for parent in PurePosixPath(f"{path}x").parents}
    return (path for path in found if path != ".")


def _member(path: str, kind: bytes, mode: int, created: datetime) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime = kind, mode, int(created.timestamp())
    return member


def _put_layer(writer: ImageWriter, name: Reference, tar: bytes) -> Descriptor:
    return writer.put_blob(name, _LAYER, gzip.compress(tar, mtime=0))


def _base_config(platform: Platform, created: datetime, layers: Sequence[bytes]) -> dict[str, Any]:
    settings = [*(f"ENV {line}" for line in _ENV), "WORKDIR /var/task", 'ENTRYPOINT ["/lambda-entrypoint.sh"]']
    return {
        "created": _moment(created),
        "architecture": platform.architecture,
        "os": platform.os,
        "config": {"Env": list(_ENV), "WorkingDir": "/var/task", "Entrypoint": ["/lambda-entrypoint.sh"]},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(layer)) for layer in layers]},
        "history": _history(created, [f"ADD layer {number} in /" for number in range(len(layers))], settings),
    }


def _history(created: datetime, layers: Sequence[str], settings: Sequence[str]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"created": _moment(created), "created_by": step} for step in layers]
    return steps + [{"created": _moment(created), "created_by": step, "empty_layer": True} for step in settings]


def _manifest(writer: ImageWriter, name: Reference, config: Mapping[str, Any], layers: Sequence[Descriptor]) -> bytes:
    written = writer.put_blob(name, _CONFIG, to_json(config))
    return to_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _pointer(written),
            "layers": [_pointer(layer) for layer in layers],
        }
    )


def _pointer(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}


def _moment(created: datetime) -> str:
    return created.strftime("%Y-%m-%dT%H:%M:%SZ")
