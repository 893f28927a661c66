"""Large layers for the contents benchmarks: the same in every run, and about as compressible as programs are."""

import gzip
import hashlib
import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

from bot.adapters.registry import LayoutRegistry
from bot.core.digest import Digest
from bot.core.image import OCI_MANIFEST, Descriptor, to_json
from bot.core.reference import Reference
from tests.lab.images import CONFIG_TYPE, LAYER_TYPE

MEGABYTE = 1_000_000
_STRETCHES = 400
_FOLDER = "var/lang/lib/python3.13/site-packages"


def sizes(count: int, total: int) -> Iterator[int]:
    """Sizes of files, most of them small and a few large, that are `total` bytes together."""
    dice = random.Random(count)  # noqa: S311 - the same sizes in every run
    drawn = [dice.lognormvariate(0, 1.6) for _ in range(count)]
    return (int(size * total / sum(drawn)) for size in drawn)


def write_layer(file: Path, count: int, total: int) -> Descriptor:
    """Write a gzip layer of so many files and bytes, and say what it is; `diff_id` is an annotation."""
    pool, place = _pool(), 0
    with file.open("wb") as out:
        packed = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0)
        hashing = _Hashing(packed)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for number, size in enumerate(sizes(count, total)):
                member = tarfile.TarInfo(
                    f"var/lang/lib/python3.13/site-packages/package_{number % 300}/module_{number}.py"
                )
                member.size = size
                tar.addfile(member, io.BytesIO(_content(pool, place, size)))
                place += size
        packed.close()
    with file.open("rb") as written:
        digest = Digest("sha256", hashlib.file_digest(written, "sha256").hexdigest())
    diff_id = f"sha256:{hashing.sha256.hexdigest()}"
    return Descriptor(media_type=LAYER_TYPE, digest=digest, size=file.stat().st_size, annotations={"diff_id": diff_id})


def put_image(registry: LayoutRegistry, name: Reference, file: Path, layer: Descriptor) -> None:
    """Store an image of one layer."""
    registry.add_blob(name, layer, lambda: file.open("rb"))
    rootfs = {"type": "layers", "diff_ids": [layer.annotations["diff_id"]]}
    config = registry.put_blob(
        name, CONFIG_TYPE, to_json({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": rootfs})
    )
    parts = [{"mediaType": part.media_type, "digest": str(part.digest), "size": part.size} for part in (config, layer)]
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": parts[0], "layers": parts[1:]}
    registry.put_manifest(name, OCI_MANIFEST, to_json(manifest))


class _Hashing(io.RawIOBase):
    """Digests what is written through it."""

    def __init__(self, out: gzip.GzipFile) -> None:
        self._out, self.sha256 = out, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]  # narrower than Buffer
        self.sha256.update(content)
        return self._out.write(content)


def _pool() -> bytes:
    """Stretches of words and stretches that do not compress, in turn."""
    dice = random.Random(300)  # noqa: S311 - the same bytes in every run
    words = [dice.randbytes(dice.randrange(2, 6)).hex().encode() for _ in range(3_000)]
    pairs = [(b" ".join(dice.choices(words, k=800)), dice.randbytes(3_000)) for _ in range(_STRETCHES)]
    return b"".join(part for pair in pairs for part in pair)


def _content(pool: bytes, place: int, size: int) -> bytes:
    start = place % len(pool)
    content = pool[start : start + size]
    return content if len(content) == size else (content + pool * (size // len(pool) + 1))[:size]
