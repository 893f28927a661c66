"""What the page draws, as numbers: bars of the SLO day by day, and how far the rollout of each base has come.

The template turns them into SVG without a word in it, so that text keeps its size on a phone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

HEIGHT: Final = 100
"""Of the picture of days, in its own units."""
PHASES: Final = ("one", "soak", "waves", "done")
_WORDS: Final = {"one": "phase one", "soak": "soak", "waves": "waves", "done": "done"}

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A part of one day's bar: which state, where it begins from the left and the top, and how high it is."""

    state: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One phase of a rollout: `past`, `now` or `ahead`."""

    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """How the SLO stood, day by day; a day without a sample is a gap, not a zero."""

    bars: tuple[Bar, ...]
    width: int
    most: int
    first: str
    last: str

    @classmethod
    def of(cls, burn: Sequence[Entry]) -> "Days | None":
        """Draw the samples; None without any."""
        if not burn:
            return None
        start, most = date.fromisoformat(burn[0]["day"]), max(sample["functions"] for sample in burn)
        days = [(date.fromisoformat(sample["day"]) - start).days for sample in burn]
        bars = [bar for day, sample in zip(days, burn, strict=True) for bar in _bars(day, sample, max(most, 1))]
        return cls(bars=tuple(bars), width=days[-1] + 1, most=most, first=burn[0]["day"], last=burn[-1]["day"])


def steps(rollout: Entry) -> tuple[Step, ...]:
    """The phases of a rollout; one that is halted stands where its waves got to."""
    phase = rollout["phase"] if rollout["phase"] in PHASES else ("waves" if rollout["wave"] else "one")
    at = PHASES.index(phase)
    done = phase == "done"
    return tuple(
        Step(name=_WORDS[name], state="past" if number < at or done else "now" if number == at else "ahead")
        for number, name in enumerate(PHASES)
    )


def share_taken(rollout: Entry) -> int:
    """How many in a hundred uses have the new base."""
    uses = rollout["uses"]
    share: int = round(100 * uses["taken"] / max(uses["taken"] + uses["waiting"], 1))
    return share


def _bars(day: int, sample: Entry, most: int) -> list[Bar]:
    """The parts of one day's bar from the bottom up."""
    rest = sample["functions"] - sample["within"] - sample["overdue"]
    bars, top = [], float(HEIGHT)
    for state, count in (("met", sample["within"]), ("unknown", rest), ("overdue", sample["overdue"])):
        height = round(HEIGHT * count / most, 2)
        top = round(top - height, 2)
        if count > 0:
            bars.append(Bar(state=state, x=day, y=top, height=height))
    return bars
