"""Tar archives for tests, member by member, and layers stored in a layout."""

import gzip
import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.adapters.contents import Bounds, LayerReader
from bot.adapters.registry import LayoutRegistry
from bot.core.image import Descriptor
from bot.core.layer import Layer
from bot.core.reference import Reference
from bot.ports.store import LayerMemory

LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
REFERENCE: Final = Reference.parse("registry.example/base:1")


@dataclass(frozen=True, slots=True)
class Item:
    """One member of an archive."""

    name: str
    content: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644
    mtime: int = 0
    uid: int = 0
    device: tuple[int, int] = (0, 0)
    pax: dict[str, str] = field(default_factory=dict)

    @property
    def info(self) -> tarfile.TarInfo:
        """The header of the member."""
        info = tarfile.TarInfo(self.name)
        info.type, info.mode, info.mtime, info.uid = self.kind, self.mode, self.mtime, self.uid
        info.size, info.linkname = len(self.content), self.link
        info.devmajor, info.devminor = self.device
        info.pax_headers = self.pax
        return info


def archive(*items: Item, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Write a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for item in items:
            tar.addfile(item.info, io.BytesIO(item.content))
    return out.getvalue()


def block(item: Item) -> bytes:
    """Write the header block of a member alone."""
    return item.info.tobuf(tarfile.GNU_FORMAT)[-tarfile.BLOCKSIZE :]


class Shelf:
    """A layout in a folder, to which layers are added one by one."""

    def __init__(self, folder: Path) -> None:
        self.registry = LayoutRegistry(folder)

    def put(self, blob: bytes) -> Descriptor:
        """Store a blob as it is."""
        return self.registry.put_blob(REFERENCE, LAYER_TYPE, blob)

    def read(self, blob: bytes, *, bounds: Bounds | None = None, memory: LayerMemory | None = None) -> Layer:
        """Store a blob and read it as a layer."""
        return LayerReader(self.registry, memory, bounds).layer(REFERENCE, self.put(blob))

    def layer(self, *items: Item) -> Layer:
        """Store a gzip layer of these members and read it."""
        return self.read(gzip.compress(archive(*items), mtime=0))
