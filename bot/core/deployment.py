"""Deployment: how an alias goes from the version that it serves to a new one, and when it goes back.

All that a deployment needs to go on stands in the alias itself: its version, its weights, and a mark in its description
that says between which versions it is and since when.
So any process can go on with what another one began, and nobody else's deployment is taken for one of ours.
The names of strategies are those of CodeDeploy's deployment configurations for Lambda.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from bot.core.errors import DeployError

LOOK: Final = timedelta(minutes=1)
"""How often a shift is looked at: CloudWatch has new figures once a minute, and each look costs requests."""

_FEW_ERRORS: Final = 3
_MORE_ERRORS: Final = 0.05
_LONGEST: Final = 256
"""Characters in an alias's description (Lambda API reference, UpdateAlias)."""

_CANARY: Final = re.compile(r"LambdaCanary(?P<percent>\d{1,2})Percent(?P<minutes>\d{1,4})Minutes\Z")
_LINEAR: Final = re.compile(r"LambdaLinear(?P<percent>\d{1,2})PercentEvery(?P<minutes>\d{1,4})Minutes?\Z")
_AT_ONCE: Final = ("all-at-once", "LambdaAllAtOnce")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_MARK: Final = re.compile(
    r" ?\[refrom: (?:(?P<old>\d{1,18})>)?(?P<new>\d{1,18}) (?P<state>since|with CodeDeploy since|taken back) "
    r"(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """One alias: the version it serves and, during a shift, the second version with its weight."""

    name: str
    version: str
    revision: str
    weights: tuple[tuple[str, float], ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """By which weights a new version comes to serve all, how long each is watched, and what is watched.

    `weights` end with 1; each of the others lasts `every`, the last one `bake`.
    `timeout` is how much longer a step may take to become ready, or to be seen at all, before it is taken back.
    """

    weights: tuple[float, ...] = (1.0,)
    every: timedelta = timedelta()
    bake: timedelta = timedelta()
    timeout: timedelta = timedelta(minutes=15)
    alarms: tuple[str, ...] = ()

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read `all-at-once`, or a name such as LambdaCanary10Percent5Minutes; raises `ValueError`."""
        if name.removeprefix("CodeDeployDefault.") in _AT_ONCE:
            return cls()
        for pattern, steps in ((_CANARY, 1), (_LINEAR, 100)):
            found = pattern.match(name.removeprefix("CodeDeployDefault."))
            if found and int(found["percent"]) and int(found["minutes"]):
                percents = range(int(found["percent"]), 100, int(found["percent"]))[:steps]
                weights = (*(percent / 100 for percent in percents), 1.0)
                return cls(weights=weights, every=timedelta(minutes=int(found["minutes"])))
        raise ValueError(
            "is no strategy; write all-at-once, or as CodeDeploy does LambdaCanary10Percent5Minutes "
            "or LambdaLinear10PercentEvery1Minute"
        )

    @property
    def lasts(self) -> timedelta:
        """How long a deployment takes at least, and so how long somebody has to stay with it."""
        return (len(self.weights) - 1) * self.every + self.bake

    @property
    def at_most(self) -> timedelta:
        """How long a deployment takes if each step is as late as it may be; nothing where nobody has to stay."""
        return self.lasts + len(self.weights) * self.timeout if self.lasts else timedelta()

    def after(self, weight: float) -> float:
        """The next weight."""
        return next((more for more in self.weights if more > weight), 1.0)


AT_ONCE: Final = Strategy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the description of an alias says of a deployment: between which versions, and since when.

    `old` is None once the new version was taken back. `handed` says that CodeDeploy moves the alias, not refrom.
    """

    new: str
    since: datetime
    old: str | None = None
    handed: bool = False

    @classmethod
    def read(cls, description: str) -> Self | None:
        """Find the mark in a description."""
        found = _MARK.search(description)
        if found is None or (found["old"] is None) != (found["state"] == "taken back"):
            return None
        try:
            since = datetime.strptime(found["moment"], _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(new=found["new"], old=found["old"], since=since, handed="CodeDeploy" in found["state"])

    def on(self, description: str) -> str:
        """Put the mark into a description in place of another one; what a person wrote there stays."""
        since = "with CodeDeploy since" if self.handed else "since"
        versions = f"{self.old}>{self.new} {since}" if self.old else f"{self.new} taken back"
        text = unmarked(description)
        return f"{text}{' ' if text else ''}[refrom: {versions} {self.since:{_TIME}}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How many invocations a version had, and how many of them failed."""

    invocations: float = 0
    errors: float = 0

    @property
    def rate(self) -> float:
        """Errors by invocation."""
        return self.errors / self.invocations if self.invocations else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is seen of a deployment; each text is empty where there is nothing of its kind.

    `failure` is why the new version cannot serve, `unready` what it waits for, `unseen` why alarms or errors cannot be
    read. `before` is what the version served that it replaces.
    """

    failure: str = ""
    unready: str = ""
    unseen: str = ""
    alarms: tuple[str, ...] = ()
    now: Served = Served()
    before: Served = Served()

    @classmethod
    def together(cls, seen: Sequence[Self]) -> Self:
        """Put together what was seen in several looks; of two texts the first one stands."""
        return cls(
            failure=next((signs.failure for signs in seen if signs.failure), ""),
            unready=next((signs.unready for signs in seen if signs.unready), ""),
            unseen=next((signs.unseen for signs in seen if signs.unseen), ""),
            alarms=tuple(alarm for signs in seen for alarm in signs.alarms),
            now=next((signs.now for signs in seen if signs.now.invocations), Served()),
            before=next((signs.before for signs in seen if signs.before.invocations), Served()),
        )

    @property
    def bad(self) -> str:
        """Why the new version must not serve; empty if nothing speaks against it."""
        if self.failure:
            return self.failure
        if self.alarms:
            return f"alarm {', '.join(self.alarms)} rings"
        if _is_worse(self.now, self.before):
            return (
                f"{self.now.errors:.0f} of {self.now.invocations:.0f} invocations failed, "
                f"of the version before {self.before.errors:.0f} of {self.before.invocations:.0f}"
            )
        return ""

    @property
    def missing(self) -> str:
        """What must be there before traffic moves on; empty if all is."""
        return self.unready or self.unseen


@dataclass(frozen=True, slots=True)
class Shift:
    """Let the alias become this one: the new version serves `weight` of the traffic."""

    alias: Alias
    weight: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again then."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The new version serves all and was watched long enough; the alias loses its mark."""

    alias: Alias


@dataclass(frozen=True, slots=True)
class RollBack:
    """Let the alias become this one: the old version serves all."""

    alias: Alias
    version: str
    why: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The alias is not for us to move; `refused` if that is because the new version was taken back before."""

    why: str
    refused: bool = False


Step = Shift | Wait | Finish | RollBack | Leave


def underway(alias: Alias) -> Mark | None:
    """Return the mark of a deployment of ours, if the alias is where such a one leaves it."""
    mark = Mark.read(alias.description)
    if mark is None or mark.old is None or mark.handed:
        return None
    shifting = alias.version == mark.old and [version for version, _ in alias.weights] == [mark.new]
    baking = alias.version == mark.new and not alias.weights
    return mark if shifting or baking else None


def handed_over(alias: Alias) -> Mark | None:
    """Return the mark of a deployment that was handed over to CodeDeploy and whose end nobody has seen yet."""
    mark = Mark.read(alias.description)
    return mark if mark and mark.handed else None


def is_begun(alias: Alias) -> bool:
    """Say whether a deployment of this alias was begun that somebody has to go on with."""
    return underway(alias) is not None or handed_over(alias) is not None


def is_marked(alias: Alias) -> bool:
    """Say whether an alias says that a version was taken back from it."""
    mark = Mark.read(alias.description)
    return mark is not None and mark.old is None


def next_step(strategy: Strategy, alias: Alias, version: str, signs: Signs, now: datetime) -> Step:
    """Say what is to be done with an alias that shall come to serve a version.

    While a deployment of ours is underway, `version` is the one that it leads to.
    """
    mark = underway(alias)
    if mark is not None:
        return _go_on(strategy, alias, mark, signs, now)
    return _not_ours(alias, version) or _begin(strategy, alias, version, signs, now)


def _not_ours(alias: Alias, version: str) -> Leave | None:
    if alias.weights:
        return Leave(f"alias {alias.name} is being shifted by somebody else; left alone")
    mark = Mark.read(alias.description)
    if mark is None or mark.new != version or alias.version == version:
        return None
    if mark.old is None:
        why = f"version {version} was taken back from alias {alias.name} at {mark.since:{_TIME}}"
        return Leave(f"{why}; deploy another image, or take refrom's mark out of the alias's description", refused=True)
    if mark.old == alias.version:
        why = f"somebody took version {version} back from alias {alias.name}; left alone"
        return Leave(f"{why} until refrom's mark is out of its description")
    return None


def _begin(strategy: Strategy, alias: Alias, version: str, signs: Signs, now: datetime) -> Step:
    if alias.version == version:
        return Finish(alias)
    blocked = signs.bad or signs.missing
    if blocked:
        return Wait(now + LOOK, f"nothing is shifted yet: {blocked}")
    return _shift(strategy, alias, Mark(old=alias.version, new=version, since=now), strategy.weights[0])


def _go_on(strategy: Strategy, alias: Alias, mark: Mark, signs: Signs, now: datetime) -> Step:
    if signs.bad:
        return _take_back(alias, mark, signs.bad, now)
    weight = dict(alias.weights).get(mark.new, 1.0)
    due = mark.since + (strategy.every if alias.weights else strategy.bake)
    if now < due:
        return Wait(min(due, now + LOOK), f"version {mark.new} serves {weight:.0%} and is watched")
    if signs.missing:
        if now >= due + strategy.timeout:
            return _take_back(alias, mark, f"it took too long: {signs.missing}", now)
        return Wait(min(due + strategy.timeout, now + LOOK), signs.missing)
    if not alias.weights:
        return Finish(replace(alias, description=unmarked(alias.description)))
    return _shift(strategy, alias, replace(mark, since=now), strategy.after(weight))


def hand_over(alias: Alias, version: str, now: datetime) -> Alias | Leave:
    """Give the alias with the mark that a deployment to a version is CodeDeploy's, or say why it is left alone."""
    left = _not_ours(alias, version)
    if left:
        return left
    return replace(alias, description=_room(alias, Mark(old=alias.version, new=version, since=now, handed=True)))


def taken_back(alias: Alias, to: str, *, leaves: str, now: datetime) -> Alias:
    """Give the alias once a person took it back, whatever is underway: one version alone, and a mark of which it left.

    Where the description has no room for the mark, or what it leaves is no version but `$LATEST`, there is none: that
    must not keep a person from it.
    """
    marked = Mark(new=leaves, since=now).on(alias.description)
    fits = leaves.isdecimal() and len(marked) <= _LONGEST
    description = marked if fits else unmarked(alias.description)
    return replace(alias, version=to, weights=(), description=description)


def _shift(strategy: Strategy, alias: Alias, mark: Mark, weight: float) -> Shift:
    """Leave no mark where nothing is left to watch."""
    marked = _room(alias, mark)
    if weight < 1:
        return Shift(replace(alias, weights=((mark.new, weight),), description=marked), weight)
    description = marked if strategy.bake else unmarked(alias.description)
    return Shift(replace(alias, version=mark.new, weights=(), description=description), weight)


def _take_back(alias: Alias, mark: Mark, why: str, now: datetime) -> RollBack:
    old = mark.old or alias.version
    return RollBack(replace(alias, version=old, weights=(), description=gone_back(alias, mark, now)), mark.new, why)


def gone_back(alias: Alias, mark: Mark, now: datetime) -> str:
    """Give the description of an alias that a version was taken back from."""
    return Mark(new=mark.new, since=now).on(alias.description)


def _room(alias: Alias, mark: Mark) -> str:
    """Give the marked description, if it and the one of a rollback fit; nothing is begun that cannot be marked."""
    marked = mark.on(alias.description)
    longest = max(len(marked), len(replace(mark, old=None, handed=False).on(alias.description)))
    if longest > _LONGEST:
        raise DeployError(
            f"the description of alias {alias.name} leaves no room for refrom's mark; "
            f"shorten it by {longest - _LONGEST} characters"
        )
    return marked


def unmarked(description: str) -> str:
    """Take the mark out of a description."""
    return _MARK.sub("", description)


def _is_worse(now: Served, before: Served) -> bool:
    """Whether a version fails clearly more often than the one before; a few errors alone prove nothing."""
    return now.errors >= _FEW_ERRORS and now.rate > max(2 * before.rate, before.rate + _MORE_ERRORS)
