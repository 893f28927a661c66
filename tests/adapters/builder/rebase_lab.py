"""Images and source repositories for rebase tests: true tars in a true registry, true commits in true git."""

import gzip
import io
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.forge.local import LocalForge
from bot.adapters.registry import Store
from bot.core.digest import Digest
from bot.core.dockerfile import same_but_for_bases
from bot.core.image import BASE_DIGEST_LABEL, OCI_MANIFEST, REVISION_LABEL, Descriptor, Image, to_json
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.builder import Builder, BuildOrder, Built
from bot.ports.registry import ImageWriter
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, CONFIG_TYPE, LAYER_TYPE


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic or a hard link in a layer."""

    target: str
    hard: bool = False


Tree = Mapping[str, bytes | Link | tarfile.TarInfo | None]
"""Paths of a layer: bytes are a file, None is a directory, a header without content is anything else."""

LANG: Final = "var/lang/include/python3.13/patchlevel.h"


def os_layer(ssl: str) -> Tree:
    return {"etc": None, "etc/hosts": b"hosts", "lib": Link("usr/lib"), "usr/lib/libssl.so.3": ssl.encode()}


def language_layer(version: str) -> Tree:
    return {LANG: f'#define PY_VERSION              "{version}"\n'.encode(), "var/lang/bin/python": version.encode()}


def base_layers(ssl: str, version: str) -> list[Tree]:
    return [os_layer(ssl), language_layer(version), {"var/task": None}]


def pack(tree: Tree) -> bytes:
    """Make a tar of a layer, the same bytes each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in tree.items():
            member = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, tarfile.TarInfo):
                member.name = name
            elif content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, Link):
                member.type, member.linkname = tarfile.LNKTYPE if content.hard else tarfile.SYMTYPE, content.target
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return buffer.getvalue()


def put_image(
    writer: ImageWriter,
    target: Reference,
    layers: Sequence[Tree],
    container: Mapping[str, Any],
    *,
    platform: Platform = AMD64,
    level: int = 9,
    types: tuple[str, str, str] = (OCI_MANIFEST, CONFIG_TYPE, LAYER_TYPE),
) -> Reference:
    """Store an image and return its reference with the digest; `level` decides about the compressed bytes alone."""
    manifest_type, config_type, layer_type = types
    tars = [pack(layer) for layer in layers]
    blobs = [writer.put_blob(target, layer_type, gzip.compress(each, level, mtime=0)) for each in tars]
    config = {
        "created": "2026-11-20T14:02:11Z",
        "os": platform.os,
        "architecture": platform.architecture,
        "config": dict(container),
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(each)) for each in tars]},
        "history": [{"created_by": f"layer {number}"} for number, _ in enumerate(tars)],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": pointer(writer.put_blob(target, config_type, to_json(config))),
        "layers": [pointer(blob) for blob in blobs],
    }
    return target.with_digest(writer.put_manifest(target, manifest_type, to_json(manifest)))


def pointer(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}


class SourceFolder:
    """One bare git repository in a folder of a local forge, and a person's clone of it."""

    def __init__(self, root: Path, name: str, desk: Path | None = None) -> None:
        self._bare, self._clone = root / f"{name}.git", (desk or root) / "clone"
        self._git("init", "--quiet", "--bare", str(self._bare), folder=root)
        self._git("clone", "--quiet", str(self._bare), str(self._clone), folder=root)

    def commit(self, files: Mapping[str, bytes | None], *, executable: Sequence[str] = ()) -> str:
        """Commit and push changes; None deletes. Return the commit."""
        for name, content in files.items():
            path = self._clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if content is None else path.write_bytes(content)
        for name in executable:
            (self._clone / name).chmod(0o755)
        self._git("add", "--all")
        self._git("-c", "user.name=dev", "-c", "user.email=dev@localhost", "commit", "--quiet", "-m", "work")
        self._git("push", "--quiet", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str, folder: Path | None = None) -> str:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=folder or self._clone, env=environment, capture_output=True, check=True, text=True
        )
        return done.stdout.strip()


OLD, NEW = base_layers("3.0.8", "3.13.9"), base_layers("3.0.9", "3.13.11")
APP: Tree = {"var/task": None, "var/task/app.py": b"def handler(): ..."}
OLD_BASE = {
    "Env": ["PATH=/var/lang/bin", "SSL=3.0.8"],
    "Entrypoint": ["/lambda-entrypoint.sh"],
    "WorkingDir": "/var/task",
}
NEW_BASE = {**OLD_BASE, "Env": ["PATH=/var/lang/bin", "SSL=3.0.9"]}
FUNCTION = {**OLD_BASE, "Cmd": ["app.handler"], "Env": [*OLD_BASE["Env"], "STAGE=live"]}
DOCKERFILE = b'FROM public.ecr.aws/lambda/python:3.13@sha256:%s\nCOPY app.py ${LAMBDA_TASK_ROOT}\nCMD ["app.handler"]\n'
OLD_TEXT, NEW_TEXT = DOCKERFILE % (b"1" * 64), DOCKERFILE % (b"2" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A registry, a source repository, and a builder over both."""

    store: Store
    host: str
    source: SourceFolder
    builder: RebaseBuilder

    def place(self, name: str) -> Reference:
        return Reference.parse(f"{self.host}/{name}")

    def deploy(self, revision: str, *own: Tree, **more: Any) -> Reference:
        """Put an image on the old base into the registry, as if it served."""
        container = {**FUNCTION, "Labels": {REVISION_LABEL: revision} if revision else {}}
        return put_image(self.store, self.place("functions/orders:live"), [*OLD, *own], container, **more)

    def order(self, commit: str, deployed: Reference | None, **changes: Any) -> BuildOrder:
        old = put_image(self.store, self.place("lambda/python:old"), OLD, OLD_BASE)
        new = put_image(self.store, self.place("lambda/python:new"), NEW, NEW_BASE)
        order = BuildOrder(
            repository="acme/orders",
            commit=commit,
            dockerfile="Dockerfile",
            context=".",
            platform=AMD64,
            base=new,
            destination=self.place("functions/orders:refrom-1"),
            labels={BASE_DIGEST_LABEL: str(new.digest), REVISION_LABEL: commit},
            deployed=deployed,
            deployed_base=old,
        )
        return replace(order, **changes)

    def build(self, order: BuildOrder) -> Built:
        """Build what is done at once."""
        built = self.builder.build(order)
        assert isinstance(built, Built)
        return built

    def read(self, reference: Reference) -> Image:
        return self.store.image(reference)


def make_world(store: Store, host: str, folder: Path, otherwise: Builder | None = None) -> World:
    """Furnish a folder."""
    source = SourceFolder(folder, "acme/orders")
    forge = LocalForge(folder, WoundClock())
    builder = RebaseBuilder(
        registry=store,
        writer=store,
        contents=LayerReader(store),
        sources=forge,
        same_but_for_bases=same_but_for_bases,
        otherwise=otherwise,
    )
    return World(store=store, host=host, source=source, builder=builder)
