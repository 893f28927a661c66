"""Live the quarters, draw them into docs/, and print each figure beside its goal."""

import sys

from tests.bench.rows import report
from tests.simulate.figures import PICTURE, lived, rows_of
from tests.simulate.picture import draw

if __name__ == "__main__":
    quarters = lived()
    PICTURE.write_text(draw(quarters), encoding="utf-8")
    sys.exit(report(rows_of(quarters)))
