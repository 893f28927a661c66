"""The quarter as one SVG: how much was done, how fresh the fleet was, and how far the bad bases came."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from tests.simulate.quarter import Quarter
from tests.simulate.rhythm import BAD, DAYS, SEED

COLOURS = ("#0b6e4f", "#c05a00", "#5b4b8a")
"""One for each strategy; each has at least 4.5 to 1 on white, and a shape of line of its own."""
DASHES = ("", "7 4", "2 3")
WIDTH, HEIGHT = 960, 780
AGES = (0, 7, 14, 30)
"""In days: the upper ends of the age groups; what is older comes last."""
SHADES = (1.0, 0.7, 0.45, 0.25, 0.12)
_STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:14px;fill:#1b1f24}"
    ".h{font-size:17px;font-weight:600}.s{fill:#57606a}"
)
_TITLE = "A simulated quarter: refrom, a bump for every digest, and a round by hand each month"


def draw(quarters: Sequence[Quarter]) -> str:
    """Draw the quarters of all strategies beside each other, refrom's first."""
    parts = [
        *_head(quarters),
        *_counts(quarters),
        *_freshness(quarters),
        *_ages(quarters),
        *_bad_bases(quarters),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def summary(quarters: Sequence[Quarter]) -> str:
    """Say in words what the picture shows."""
    told = []
    for each in quarters:
        bad = " and ".join(f"{len(each.exposed[name])} of {each.functions_of(name)}" for name in BAD)
        told.append(
            f"{each.strategy.name}: {each.opened:,} pull requests, {len(each.deployments):,} redeploys, "
            f"{each.taken_back:,} roll backs, {each.kept:.1%} of all function days within the SLO, "
            f"{age_groups(each)[0]:.0%} of them on the newest contents, bad bases on {bad} functions"
        )
    return f"A simulated quarter of {DAYS} days and a thousand functions. " + ". ".join(told) + "."


def _head(quarters: Sequence[Quarter]) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-labelledby="title description">'
    )
    yield f'<title id="title">{_TITLE}</title>'
    yield f'<desc id="description">{escape(summary(quarters))}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    for number, each in enumerate(quarters):
        x = 40 + number * 200
        line = f'stroke="{COLOURS[number]}" stroke-width="4" stroke-dasharray="{DASHES[number]}"'
        yield f'<path d="M{x} 28h36" {line} fill="none"/>'
        yield _text(x + 44, 33, each.strategy.name)
    yield _text(WIDTH - 40, 33, f"1,000 functions, {DAYS} days, seed {SEED}", kind="s", anchor="end")


def _counts(quarters: Sequence[Quarter]) -> Iterator[str]:
    """Three groups of bars, each on a scale of its own, with its number beside it."""
    figures: tuple[tuple[str, Callable[[Quarter], int]], ...] = (
        ("pull requests", lambda each: each.opened),
        ("redeploys", lambda each: len(each.deployments)),
        ("roll backs", lambda each: each.taken_back),
    )
    yield _text(40, 76, "How much was done", kind="h")
    for group, (name, figure) in enumerate(figures):
        x, most = 40 + group * 300, max(figure(each) for each in quarters) or 1
        yield _text(x, 102, name)
        for number, each in enumerate(quarters):
            y, width = 112 + number * 24, 190 * figure(each) / most
            yield f'<rect x="{x}" y="{y}" width="{max(width, 1):.1f}" height="18" fill="{COLOURS[number]}"/>'
            yield _text(x + width + 8, y + 14, f"{figure(each):,}")


def _freshness(quarters: Sequence[Quarter]) -> Iterator[str]:
    """The share of functions within the SLO, day by day."""
    left, top, width, height = 90, 250, WIDTH - 130, 170
    yield _text(40, 228, "Functions within the SLO, day by day (critical 3, important 7, anything 30 days)", kind="h")
    for share in (0.0, 0.5, 1.0):
        y = top + height * (1 - share)
        yield f'<path d="M{left} {y:.1f}h{width}" stroke="#d0d7de" fill="none"/>'
        yield _text(left - 10, y + 5, f"{share:.0%}", kind="s", anchor="end")
    for day in range(0, DAYS, 30):
        x = left + width * day / (DAYS - 1)
        yield _text(x, top + height + 22, f"day {day}", kind="s", anchor="middle")
    for number, each in reversed(list(enumerate(quarters))):
        points = " ".join(
            f"{left + width * day / (DAYS - 1):.1f},{top + height * (1 - share):.1f}"
            for day, share in enumerate(each.within)
        )
        line = f'stroke="{COLOURS[number]}" stroke-width="2.5" stroke-dasharray="{DASHES[number]}"'
        yield f'<polyline points="{points}" {line} fill="none"/>'


def _ages(quarters: Sequence[Quarter]) -> Iterator[str]:
    """One bar for each strategy, cut by how long something newer had been there on each day for each function."""
    yield _text(40, 480, "For how many days something newer was there, of all function days", kind="h")
    names = ["current", *(f"up to {days}" for days in AGES[1:]), f"more than {AGES[-1]}"]
    for place, (name, shade) in enumerate(zip(names, SHADES, strict=True)):
        x = 40 + place * 150
        yield f'<rect x="{x}" y="494" width="18" height="14" fill="#24292f" fill-opacity="{shade}" stroke="#24292f"/>'
        yield _text(x + 26, 506, name)
    for number, each in enumerate(quarters):
        left, y = 40.0, 520 + number * 26
        for share, shade in zip(age_groups(each), SHADES, strict=True):
            width = 780 * share
            box = f'x="{left:.1f}" y="{y}" width="{width:.1f}" height="20"'
            yield f'<rect {box} fill="{COLOURS[number]}" fill-opacity="{shade}" stroke="{COLOURS[number]}"/>'
            left += width
        yield _text(left + 8, y + 15, f"{age_groups(each)[0]:.0%} current", kind="s")


def age_groups(lived: Quarter) -> list[float]:
    """The share of the function days in each age group."""
    total, ends = lived.ages.total(), (-1, *AGES, max(*lived.ages, AGES[-1]))
    return [
        sum(count for age, count in lived.ages.items() if low < age <= high) / total for low, high in pairwise(ends)
    ]


def _bad_bases(quarters: Sequence[Quarter]) -> Iterator[str]:
    """For each bad base a bar of the functions of its stream, filled as far as they served it."""
    yield _text(40, 634, "Functions that served a bad base, were it for a minute", kind="h")
    for group, (runtime, (day, lasts)) in enumerate(BAD.items()):
        x, total = 40 + group * 460, quarters[0].functions_of(runtime)
        yield _text(x, 660, f"{runtime}, bad for {lasts} days from day {day}")
        for number, each in enumerate(quarters):
            y, hit = 670 + number * 26, len(each.exposed[runtime])
            yield f'<rect x="{x}" y="{y}" width="260" height="18" fill="#eaeef2"/>'
            yield f'<rect x="{x}" y="{y}" width="{260 * hit / total:.1f}" height="18" fill="{COLOURS[number]}"/>'
            yield _text(x + 268, y + 14, f"{hit} of {total}")


def _text(x: float, y: float, text: str, *, kind: str = "", anchor: str = "start") -> str:
    names = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{names}>{escape(text)}</text>'
