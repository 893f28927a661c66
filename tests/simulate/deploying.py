"""Deployments: what is merged comes to functions Region by Region, with the real rule of the next step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.deployment import Alias, Finish, Leave, Mark, RollBack, Shift, Signs, Strategy, Wait, next_step
from bot.core.digest import Digest
from tests.simulate.fleet import REGIONS, Function, Repository
from tests.simulate.rhythm import Stream, digest

STRATEGY = replace(Strategy.parse("LambdaCanary10Percent5Minutes"), bake=timedelta(minutes=10), alarms=("errors",))
RINGS = Signs(alarms=STRATEGY.alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One function that was pointed at another base; `taken_back` says that it did not stay."""

    at: datetime
    function: Function
    repository: Repository
    base: int
    taken_back: bool

    @property
    def image(self) -> str:
        """The image that was built."""
        return f"registry.example/{self.repository.name}@{digest(self.repository.runtime, self.base)}"


def deploy(
    repositories: Sequence[Repository],
    streams: dict[str, Stream],
    now: datetime,
    *,
    halts: bool,
    blocked: Collection[Digest] = (),
) -> list[Deployment]:
    """Bring each function to what its repository pins; with `halts` nobody begins on a base that was taken back.

    What begins in one Region in one run begins together, and nothing begins on a blocked base.
    A function that was taken back waits for another base.
    Without `halts` it is a pipeline of somebody's own, which watches the same alarms and takes back the same functions.
    """
    made: list[Deployment] = []
    waiting = [r for r in repositories if any(f.tried != r.pinned for f in r.functions)]
    for region in REGIONS:
        bad = {(r.runtime, f.tried) for r in repositories for f in r.functions if _is_taken_back(f)} if halts else set()
        late = {(d.repository.runtime, d.base) for d in made if d.taken_back}
        for repository in waiting:
            key = (repository.runtime, repository.pinned)
            if key in bad or (halts and key in late) or digest(*key) in blocked:
                continue
            for function in repository.functions:
                if function.region == region and function.tried != repository.pinned:
                    bad_base = streams[repository.runtime].is_bad(repository.pinned)
                    made.append(_deploy(function, repository, now, breaks=bad_base, by_rule=halts))
    return made


def _is_taken_back(function: Function) -> bool:
    """Whether the alias itself says so, as a later run reads it."""
    mark = Mark.read(function.alias.description)
    return mark is not None and mark.old is None and mark.new != function.alias.version


def _deploy(function: Function, repository: Repository, now: datetime, *, breaks: bool, by_rule: bool) -> Deployment:
    base = function.tried = repository.pinned
    function.bases.append(base)
    version = str(len(function.bases))
    if by_rule:
        function.alias = _followed(function.alias, version, now, breaks=breaks)
    elif not breaks:
        function.alias = replace(function.alias, version=version)
    return Deployment(
        at=now, function=function, repository=repository, base=base, taken_back=function.alias.version != version
    )


def _followed(alias: Alias, version: str, now: datetime, *, breaks: bool) -> Alias:
    """Go through all steps; alarms ring a minute after a bad base serves anything."""
    signs = Signs()
    while True:
        match next_step(STRATEGY, alias, version, signs, now):
            case Shift(alias=alias):
                signs = RINGS if breaks else signs
            case Wait(until=until):
                now = until
            case Finish(alias=alias) | RollBack(alias=alias):
                return alias
            case Leave(why=why):
                raise AssertionError(why)
