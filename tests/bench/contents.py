"""What reading a large layer costs: `python -m tests.bench.contents` prints each figure beside its goal.

Each is the cost of a whole `refrom diff` in a process of its own, its start and what it writes down included, with a
small image of one layer on the other side. Figures of a run lie in `docs/reference/measurements.md`.
"""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bot.adapters.registry import LayoutRegistry
from bot.core.image import Descriptor
from bot.core.reference import Reference
from tests.bench.layers import MEGABYTE, put_image, write_layer
from tests.bench.rows import Cost, Row, cost, report
from tests.lab.need import need

LAYERS = (("30,000 files", 30_000, 470 * MEGABYTE), ("60,000 small files", 60_000, 300 * MEGABYTE))
"""Files, and bytes of the tar: the first is a layer of 300 MB, the second one that is hard for its number of files."""
_MOST_CPU, _MOST_MEMORY = 3.0, 150 * MEGABYTE
_DIFF = r"""
import re, sys
from pathlib import Path
from bot.entrypoints.cli import main
code = main(["diff", *sys.argv[2:]])
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
Path(sys.argv[1]).write_text(peak[1])
sys.exit(code)
"""
"""Its peak is what /proc says: what wait4 tells begins with the memory of the process that started it."""


def measure() -> list[Row]:
    """Measure everything."""
    return [row for what, count, total in LAYERS for row in _reading(what, count, total)]


def _reading(what: str, count: int, total: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="refrom-bench-") as name:
        folder = Path(name)
        layer = write_layer(folder / "layer", count, total)
        small = write_layer(folder / "small", 10, 10_000)
        ours, theirs = _diff(folder, layer, small), _peer(folder / "layer")
    what = f"a layer of {layer.size / MEGABYTE:.0f} MB, {total / MEGABYTE:.0f} MB unpacked, {what}"
    ratio = ours.cpu / theirs
    return [
        Row(
            f"CPU of a diff that reads {what}, against gzip -dc | sha256sum",
            f"{ours.cpu:.1f} s against {theirs:.1f} s, {ratio:.2f} times",
            f"at most {_MOST_CPU:.0f} times",
            ratio <= _MOST_CPU,
        ),
        Row(
            f"memory at its peak, {what}",
            f"{ours.memory / MEGABYTE:.0f} MB",
            f"below {_MOST_MEMORY // MEGABYTE} MB",
            ours.memory < _MOST_MEMORY,
        ),
    ]


def _diff(folder: Path, layer: Descriptor, small: Descriptor) -> Cost:
    """Compare two images in a folder with settings, so that what was read is remembered as in a real run."""
    registry = LayoutRegistry(folder / "layout")
    name = Reference("registry.example", "base", "large")
    put_image(registry, name, folder / "layer", layer)
    put_image(registry, name.with_tag("small"), folder / "small", small)
    (folder / "refrom.yaml").write_text("version: 1\n")
    place = f"oci:{folder / 'layout' / name.repository}"
    peak = folder / "peak"
    spent = cost([sys.executable, "-c", _DIFF, peak, f"{place}:small", f"{place}:large"], folder)
    return replace(spent, memory=int(peak.read_text()) * 1024)


def _peer(layer: Path) -> float:
    """Seconds of CPU that the tools of the system take, which read the same bytes and digest what comes out."""
    gzip, sha256sum = need("gzip", "apt-get install gzip"), need("sha256sum", "apt-get install coreutils")
    before = os.times()
    cost(["sh", "-c", f'{gzip} -dc "$0" | {sha256sum}', layer], layer.parent)
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)


if __name__ == "__main__":
    sys.exit(report(measure()))
