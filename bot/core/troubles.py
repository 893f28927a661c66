"""What the journal says against a base: who failed to build on it or to pass its checks, and who was rolled back.

What went well later takes back what was said before, so nobody needs to clear anything by hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.digest import Digest
from bot.core.outcome import Outcome, Result
from bot.core.rollout import Troubles

BASE = "base"
"""The detail of an outcome that says which base was built on, by the digest of its set."""
IMAGE = "image"
"""The detail that says which image was built, or taken back where no `LEFT` is."""
LEFT = "left"
"""The detail that says which image a person took back."""
CHECKS = "checks"
"""The detail that says of which bases a pull request's checks fail, or no longer do: their digests, with blanks."""
_SERVES = (Result.MOVED, Result.SETTLED)


@dataclass(slots=True)
class _Read:
    """What was read so far: failures and roll backs by whom they happened to, and which images are meant."""

    bases: frozenset[str]
    failures: dict[str, str] = field(default_factory=dict)
    taken_back: dict[str, str] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)

    def take(self, outcome: Outcome) -> None:
        match outcome.step:
            case "rebuild" if outcome.details.get(BASE) in self.bases:
                self._take_build(outcome)
            case "redeploy":
                self._take_deployment(outcome)
            case "propose" if not self.bases.isdisjoint(outcome.details.get(CHECKS, "").split()):
                self._take_checks(outcome)

    def _take_build(self, outcome: Outcome) -> None:
        who = f"build {outcome.subject}"
        if outcome.result is Result.FAILED:
            self.failures[who] = f"{outcome.subject} cannot be built on it"
        elif outcome.result is Result.BUILT:
            self.failures.pop(who, None)
            self.images.add(outcome.details.get(IMAGE, ""))

    def _take_deployment(self, outcome: Outcome) -> None:
        details = outcome.details
        who = details.get("arn", outcome.subject)
        if outcome.result is Result.ROLLED_BACK and details.get(LEFT, details.get(IMAGE)) in self.images:
            self.taken_back[who] = f"{outcome.subject} was rolled back"
        elif outcome.result in _SERVES and details.get(IMAGE) in self.images:
            self.taken_back.pop(who, None)

    def _take_checks(self, outcome: Outcome) -> None:
        pull_request = outcome.details.get("pull_request", outcome.subject)
        if outcome.result is Result.WARNED:
            self.failures[f"checks {pull_request}"] = f"the checks of {pull_request} fail"
        else:
            self.failures.pop(f"checks {pull_request}", None)


def troubles_of(entries: Iterable[tuple[datetime, Outcome]], bases: Iterable[Digest], blocked: str = "") -> Troubles:
    """Read what speaks against a base, which has several digests, from what was done since it began, oldest first."""
    read = _Read(bases=frozenset(map(str, bases)))
    for _, outcome in entries:
        read.take(outcome)
    return Troubles(failures=tuple(read.failures.values()), taken_back=tuple(read.taken_back.values()), blocked=blocked)


def failing_checks(entries: Iterable[tuple[datetime, Outcome]]) -> dict[tuple[str, str], Outcome]:
    """Return the pull requests of which the journal last said that their checks fail, by repository and branch."""
    failing: dict[tuple[str, str], Outcome] = {}
    for _, outcome in entries:
        if CHECKS in outcome.details:
            key = (outcome.subject, outcome.details.get("branch", ""))
            failing.pop(key, None)
            if outcome.result is Result.WARNED:
                failing[key] = outcome
    return failing
