"""How fast files are read: `python -m tests.bench.reading` prints each figure beside its goal.

Time is that of the CPU of this process; exit code 1 if a goal is missed. Figures of a run lie in
`docs/reference/measurements.md`.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bot.core.carriers import SourceFile, scan_file, scan_files
from tests.bench import peers
from tests.bench.material import HOSTILE, LINES, continued, dockerfiles, large, write
from tests.bench.rows import Row, cpu, report

ROUNDS = 5
_SECOND = 1.0
_MEGABYTE = 1_000_000
_SKIPPED_LINE = b"  - name: nothing to see here in this line of a YAML file\n"


def measure() -> list[Row]:
    """Measure everything."""
    return [_speed(), _peer(), _skipping(), *_linear(), *_hostile()]


def _median(work: Callable[[], float]) -> float:
    return statistics.median(work() for _ in range(ROUNDS))


def _speed() -> Row:
    """Read the corpus over and over for a second; each file in full, whatever it holds."""
    what, files = dockerfiles()

    def rate() -> float:
        read, spent = 0, 0.0
        while spent < _SECOND:
            spent += cpu(lambda: [scan_file(name, content) for name, content in files.items()])
            read += len(files)
        return read / spent

    found = _median(rate)
    return Row(what, f"{found:,.0f} a CPU second, median of {ROUNDS}", "at least 1,000", found >= 1_000)


def _peer() -> Row:
    """Read each file once in a fresh process, from disk, as a run over one source repository does."""
    what, goal = "CPU a file against Renovate's extractor, first pass", "at most a fifth"
    if not peers.renovate_is_there():
        return Row(what, f"not measured: no Renovate in {peers.folder()}, see tests/bench/peers.py", goal, None)
    with tempfile.TemporaryDirectory(prefix="refrom-bench-") as folder:
        names = write(Path(folder), dockerfiles()[1])
        pairs = [(peers.refrom(Path(folder), names), peers.renovate(Path(folder), names)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    figure = f"{ours:.2f} ms against {theirs:.2f} ms, {ours / theirs:.2f} of it"
    return Row(what, figure, goal, ours / theirs <= 0.2)


def _skipping() -> Row:
    """A tree of files that may name a base by their path, and do not: only searched, not parsed."""
    content = _SKIPPED_LINE * (100_000 // len(_SKIPPED_LINE))
    tree = [SourceFile(path=f"a/{number}.yaml", content=content) for number in range(1_000)]
    spent = _median(lambda: cpu(lambda: scan_files(tree)))
    rate = sum(len(file.content) for file in tree) / _MEGABYTE / spent
    figure = f"{rate:,.0f} MB a CPU second"
    return Row("YAML files of 100 kB without a candidate", figure, "at least 100 MB", rate >= 100)


def _linear() -> list[Row]:
    """Eight times the text takes about eight times as long; twice that would be far from linear."""
    rows = [_growth(f"10 MB of {kind}", partial(large, kind), 9_900_000) for kind in LINES]
    return [*rows, _growth("10,000 continuation lines", continued, 10_000)]


def _growth(what: str, text: Callable[[int], str], size: int) -> Row:
    small, full = text(size // 8).encode(), text(size).encode()
    rounds = 1 if size > _MEGABYTE else ROUNDS
    first = min(cpu(lambda: scan_file("Dockerfile", small)) for _ in range(rounds))
    last = min(cpu(lambda: scan_file("Dockerfile", full)) for _ in range(rounds))
    figure = f"{last:.3f} s, {last / first:.1f} times the time of an eighth"
    return Row(what, figure, "at most 16 times", last / first <= 16)


def _hostile() -> list[Row]:
    rows = []
    for what, text in HOSTILE.items():
        content = text.encode()
        started = time.process_time()
        scan = scan_file("Dockerfile", content)
        spent = time.process_time() - started
        ended = not scan.uses and bool(scan.skipped)
        said = scan.skipped[0].reason[:60] if ended else "no reason"
        rows.append(Row(what, f"{spent:.3f} s: {said}", "a clear error within a second", ended and spent < _SECOND))
    return rows


if __name__ == "__main__":
    sys.exit(report(measure()))
