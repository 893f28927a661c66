"""CPU milliseconds a file that reading takes in the first pass of a fresh process: `first_pass FOLDER < paths`."""

import sys
import time
from pathlib import Path

from bot.core.carriers import scan_file

if __name__ == "__main__":
    tree, names = Path(sys.argv[1]), sys.stdin.read().splitlines()
    started = time.process_time()
    for name in names:
        scan_file(name, (tree / name).read_bytes())
    sys.stdout.write(str((time.process_time() - started) * 1000 / len(names)))
