"""The fleet: source repositories, the people who work on them, and the functions that are built from each."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

from bot.core.carriers import scan_file
from bot.core.decision import BaseUse
from bot.core.deployment import Alias
from tests.simulate.rhythm import DAY, DAYS, SEED, START, STREAMS, digest

REGIONS = ("eu-central-1", "us-east-1", "ap-southeast-2")
"""In the order in which the settings name them."""
FUNCTIONS = 1000
RHYTHMS = {"weekly": (0.3, 4), "monthly": (0.4, 30), "rarely": (0.3, 160)}
"""The share of repositories with each rhythm, and the days between two changes on average."""
MERGES_ITSELF = 0.7
"""The share of repositories in which the forge merges once checks have passed."""
CHECKS = timedelta(minutes=30)
A_REVIEW = timedelta(hours=20)
"""How long a pull request waits for a person on average, where one has to merge it."""
LONGEST_REVIEW = 4 * DAY


@dataclass(slots=True)
class Function:
    """One function in one Region; `bases` are the days of the bases that its versions stand on, from version 1."""

    name: str
    region: str
    bases: list[int]
    alias: Alias = field(default_factory=lambda: Alias(name="live", version="1", revision="1"))
    tried: int = 0
    """The day of the base that it was deployed on last, taken back or not."""

    @property
    def base(self) -> int:
        """The day of the base that it serves."""
        return self.bases[int(self.alias.version) - 1]


@dataclass(slots=True)
class Repository:
    """One source repository: what its default branch pins, when people change it, and how long they take to merge."""

    name: str
    runtime: str
    use: BaseUse
    changes: tuple[datetime, ...]
    merges_itself: bool
    functions: list[Function]
    dice: Random
    pinned: int = 0

    def changed(self, moment: datetime) -> datetime | None:
        """When somebody last changed it before a moment."""
        return next((change for change in reversed(self.changes) if change <= moment), None)

    def review(self) -> timedelta:
        """How long the next pull request takes to be merged."""
        if self.merges_itself:
            return CHECKS
        return CHECKS + min(LONGEST_REVIEW, self.dice.expovariate(1) * A_REVIEW)


def fleet(seed: int = SEED, functions: int = FUNCTIONS) -> list[Repository]:
    """Make a fleet: each repository has a function in each Region, the last one in fewer."""
    number = -(-functions // len(REGIONS))
    made = [_repository(f"acme/service-{n:03}", Random(f"{seed} fleet {n}")) for n in range(number)]  # noqa: S311 - a simulation
    left = functions
    for repository in made:
        names = REGIONS[: min(left, len(REGIONS))]
        repository.functions = [
            Function(name=f"{repository.name}:{region}", region=region, bases=[0]) for region in names
        ]
        left -= len(names)
    return made


def _repository(name: str, dice: Random) -> Repository:
    runtime = dice.choice(STREAMS)
    _, mean = dice.choices(list(RHYTHMS.values()), [share for share, _ in RHYTHMS.values()])[0]
    steps = accumulate(dice.expovariate(1 / mean) for _ in range(200))
    changes = tuple(START - 60 * DAY + step * DAY for step in steps if step < DAYS + 60)
    text = f"FROM public.ecr.aws/lambda/java:{runtime.removeprefix('java')}@{digest(runtime, 0)}\n"
    use = BaseUse(repository=name, commit="c" * 40, located=scan_file("Dockerfile", text.encode()).uses[0])
    return Repository(
        name=name,
        runtime=runtime,
        use=use,
        changes=changes,
        merges_itself=dice.random() < MERGES_ITSELF,
        functions=[],
        dice=dice,
    )
