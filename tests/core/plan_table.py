"""A table of situations: each row is a use, what is declared about it, where the rollout stands, and what follows.

The words of the columns are turned into facts here; what follows from them stands in the table and nowhere else.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from bot.core.admission import Limits, Load, deferral
from bot.core.advisories import Severity
from bot.core.change import Significance
from bot.core.decision import Decision, Known, Update, Waiting
from bot.core.modes import Mode, UpdateMode
from bot.core.outcome import Outcome, Result
from bot.core.plan import decide
from bot.core.policy import Block, Declarations, Hold, Policy
from bot.core.rollout import Rollout, RolloutPolicy, Wave, admission
from bot.core.troubles import BASE, CHECKS, IMAGE, troubles_of
from bot.core.windows import Window
from tests.core.facts import NEW, NOW, OLD, change, known, latest

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RULES = RolloutPolicy(
    active=14 * DAY,
    soak=3 * DAY,
    soaks={Severity.IMPORTANT: DAY, Severity.CRITICAL: 6 * HOUR},
    waves=(Wave(share=0.1), Wave(repositories=("acme/tools-*",)), Wave(share=0.4)),
    every=DAY,
    tolerated=1,
)
SEEN = NOW - 7 * DAY
"""When the base was first seen; nobody else changed anything after that unless the mode says `changed`."""
REPOSITORIES = {"1": "acme/geo", "2": "acme/tools-lint", "3": "acme/invoices", "rest": "acme/orders"}
"""By wave: the place of `acme/geo` is below a tenth, that of `acme/invoices` between a tenth and a half."""
SIGNIFICANCES = {
    "security": Significance.SECURITY,
    "language": Significance.LANGUAGE,
    "packages": Significance.PACKAGES,
    "files": Significance.FILES,
    "identical": Significance.NONE,
}
GIVEN = ("mode", "change", "soak", "phase", "hold", "block", "window", "failure")
"""The columns that say what is given."""
FEBRUARY, SUNDAY_ONLY = date(2027, 2, 1), frozenset([6])
"""`NOW` is a Tuesday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table, as it is written."""

    mode: str
    change: str
    soak: str
    phase: str
    hold: str
    block: str
    window: str
    failure: str
    decision: str
    reason: str

    @property
    def name(self) -> str:
        """All that is given."""
        return ", ".join(str(getattr(self, column)) for column in GIVEN)


def rows_of(table: str) -> list[Row]:
    """Read a table: a head, then a row a line; a cell that is left empty says what the one above it says."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    head, cells = lines[0], lines[1:]
    filled = [cells[0]]
    for _, line in pairwise(cells):
        filled.append([cell or above for cell, above in zip(line, filled[-1], strict=True)])
    return [Row(**dict(zip(head, line, strict=True))) for line in filled]


def decided(row: Row) -> tuple[str, str]:
    """What the code says of a row: the decision (with when it is due, or what keeps the pull request), the reason."""
    facts = _facts(row)
    decision = decide(facts, _policy(row), _declared(row), NOW)
    return _shown(row, facts, decision), decision.reason


def _facts(row: Row) -> Known:
    facts = replace(known(), latest=latest(SEEN), behind_since=SEEN)
    if row.change == "current":
        facts = replace(facts, in_use=NEW, change=None)
    elif row.change == "unknown":
        facts = replace(facts, change=None, fault="the base in use is gone")
    elif row.change == "old files":
        facts = replace(facts, change=change(Significance.FILES), behind_since=NOW - 40 * DAY)
    else:
        facts = replace(facts, change=change(SIGNIFICANCES[row.change]))
    wave = row.phase.partition(" wave ")[2]
    repository = REPOSITORIES[wave or "rest"]
    facts = replace(facts, use=replace(facts.use, repository=repository), changed=_changed(row))
    facts = replace(facts, sick=row.block == "in use", ahead=row.phase == "ahead")
    if row.phase == "-":
        return facts
    rollout = _rollout(row, facts)
    blocked = "it is blocked (crashes)" if row.block == "newest" else ""
    troubles = troubles_of([(NOW, outcome) for outcome in _journal(row)], (NEW,), blocked)
    return replace(facts, admission=admission(RULES, rollout, troubles, repository, facts.changed))


def _rollout(row: Row, facts: Known) -> Rollout:
    """The rollout of the base: `one` began 6 hours ago, `waves` has its first wave open for an hour, `done` is over."""
    severity = facts.change.severity if facts.change else None
    soak = DAY if severity else 3 * DAY
    hours = {"one": 6 * HOUR, "soaked": soak, "waves": soak + HOUR, "waves2": soak + DAY, "done": soak + 4 * DAY}
    return Rollout(
        runtime="python3.13", base=NEW, began=NOW - hours.get(row.phase.split()[0], 6 * HOUR), severity=severity
    )


def _changed(row: Row) -> datetime | None:
    """When somebody changed the repository: never, before the base was seen, or since."""
    if "changed" in row.mode:
        return NOW - DAY
    return SEEN - DAY if "active" in row.phase else None


def _journal(row: Row) -> list[Outcome]:
    failed = [
        Outcome(step="rebuild", subject=who, result=Result.FAILED, message="no", details={BASE: str(NEW)})
        for who in ("carts", "stock")
    ]
    checks = {CHECKS: str(NEW), "pull_request": "acme/photos#7"}
    warned = Outcome(step="propose", subject="acme/photos", result=Result.WARNED, message="no", details=checks)
    image = {IMAGE: "example.com/carts@sha256:1", "arn": "arn:carts"}
    built = Outcome(step="rebuild", subject="carts", result=Result.BUILT, message="", details={**image, BASE: str(NEW)})
    back = Outcome(step="redeploy", subject="carts", result=Result.ROLLED_BACK, message="alarm", details=image)
    cured = replace(back, result=Result.SETTLED)
    return {
        "-": [],
        "build": failed[:1],
        "builds": failed,
        "build, checks": [failed[0], warned],
        "build, then built": [*failed, built],
        "roll back": [built, back],
        "roll back, cured": [built, back, cured],
    }[row.failure]


def _policy(row: Row) -> Policy:
    until = FEBRUARY if "until" in row.mode else NOW.date() - DAY
    modes = {
        "function-update": UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by="the policy"),
        "manual": UpdateMode(mode=Mode.MANUAL, said_by="the policy", reason="glibc", until=until),
    }
    said = modes.get(row.mode.partition(",")[0])
    return Policy(modes=(said,) if said else (), soak={"-": timedelta(), "soaking": 9 * DAY, "soaked": DAY}[row.soak])


def _declared(row: Row) -> Declarations:
    holds = {
        "-": (),
        "held": (Hold(reason="freeze", repository="acme/*", until=FEBRUARY),),
        "over": (Hold(reason="freeze", repository="acme/*", until=NOW.date() - DAY),),
    }
    blocks = {
        "-": (),
        "newest": (Block(digest=NEW, reason="crashes"),),
        "in use": (Block(digest=OLD, reason="crashes"),),
        "over": (Block(digest=NEW, reason="crashes", until=NOW.date() - DAY),),
    }
    return Declarations(holds=holds[row.hold], blocks=blocks[row.block])


def _shown(row: Row, facts: Known, decision: Decision) -> str:
    word = type(decision).__name__.lower()
    if isinstance(decision, Waiting):
        return f"{word} {_until(decision.until)}"
    if not isinstance(decision, Update):
        return word
    window = Window(zone=UTC, days=SUNDAY_ONLY) if row.window == "shut" else Window(zone=UTC)
    others = frozenset((f"acme/other{number}", "refrom/x") for number in range(3 if row.window == "full" else 2))
    limits = Limits(open=3)
    stops = deferral(Load(open=others), facts.use.repository, limits, window, NOW, opens=True)
    return f"{word}, {stops.reason} {_until(stops.until)}" if stops else word


def _until(moment: datetime | None) -> str:
    if moment is None:
        return "?"
    days, rest = divmod(moment - NOW, DAY)
    return f"{days}d{rest // HOUR}h"
