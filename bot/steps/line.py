"""The line of pull requests of one cycle: who comes first, and what the limits still allow.

What is open is brought up to date first, then others are opened in the order of their urgency, each counted at once.
A source repository in which nothing is wanted and nothing of ours is open costs no request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from bot.core.admission import HOUR, Branch, Deferral, Load, deferral, urgency
from bot.core.outcome import Outcome, Result
from bot.core.proposals import Group, groups_of
from bot.core.reconcile import Circumstances
from bot.core.troubles import failing_checks
from bot.ports.engine import Again, Done
from bot.ports.forge import PullRequest, SourceRepository
from bot.steps.checks import told_checks
from bot.steps.inquire import Inquiry
from bot.steps.propose import STEP, Proposed, Proposer
from bot.steps.survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One group in the line, and whether a pull request of it is open as far as the listing says."""

    survey: Survey
    group: Group
    is_open: bool

    @property
    def branch(self) -> Branch:
        return (self.survey.repository.name, self.group.branch)

    @property
    def name(self) -> str:
        return " ".join(self.branch)


@dataclass(slots=True)
class Line:
    """All groups of one cycle in their order, and what is open by now."""

    inquiry: Inquiry
    _listed: datetime | None = field(init=False, default=None)
    _shown: dict[Branch, datetime] = field(init=False, default_factory=dict)
    _failing: Mapping[Branch, Outcome] = field(init=False, default_factory=dict)
    """The pull requests of which the journal says that their checks fail."""
    _load: Load | None = field(init=False, default=None)
    _places: dict[str, _Place] = field(init=False, default_factory=dict)
    _unfinished: dict[str, PullRequest] = field(init=False, default_factory=dict)

    def form(self, repositories: Mapping[str, SourceRepository], listed: datetime | None = None) -> Sequence[str]:
        """Return the names of the pull requests to handle, such as `acme/orders refrom/lambda-base-images`, in order.

        The repositories are all that were listed, and when: what is open counts where they could not be read, too.
        """
        self._listed = listed
        self._shown = {
            (repository.name, branch.name): branch.opened
            for repository in repositories.values()
            for branch in repository.branches
            if branch.opened
        }
        self._failing = failing_checks(self.inquiry.lately)
        wanted = [p for p in self._all_places() if p.is_open or p.group.updates or p.branch in self._failing]
        wanted.sort(key=lambda place: (not place.is_open, urgency(place.group.updates, place.name)))
        self._places = {place.name: place for place in wanted}
        return tuple(self._places)

    def handle(self, name: str, now: datetime) -> tuple[Outcome | None, Done | Again]:
        """Bring one pull request one step nearer to what the plan wants, within the limits."""
        place = self._places[name]
        proposer = self._proposer(place)
        if name in self._unfinished:
            outcome = proposer.finish(self._unfinished[name])
            del self._unfinished[name]
            return outcome, Done()
        if why := place.survey.repository.read_only:
            over = told_checks((), self._failing.get(place.branch))
            return over or proposer.say(f"nothing is proposed: {why}"), Done()
        proposed = self._propose(place, proposer, now)
        self._load = self._counted(self._load_at(now), place, proposed, now)
        told = self._with_checks(place, proposed)
        if proposed.unfinished is None:
            return told, Done()
        self._unfinished[name] = proposed.unfinished
        return told, Again(now, "it is to be finished")

    def _propose(self, place: _Place, proposer: Proposer, now: datetime) -> Proposed:
        """Propose; what is not open and may not be opened is not asked for."""
        gate = partial(self._defers, place, now)
        is_known = place.is_open or place.branch in self._failing
        waits = None if is_known else gate(Result.OPENED)
        return Proposed(outcome=proposer.defer(waits)) if waits else proposer.propose(self._now(place, now), gate)

    def _defers(self, place: _Place, now: datetime, result: Result) -> Deferral | None:
        policy, name = self.inquiry.rules.pull_requests, place.survey.repository.name
        load, opens = self._load_at(now), result is Result.OPENED
        return deferral(load, name, policy.limits, policy.window, now, opens=opens)

    @staticmethod
    def _counted(load: Load, place: _Place, proposed: Proposed, now: datetime) -> Load:
        match proposed.outcome.result if proposed.outcome else None:
            case Result.OPENED:
                return load.with_opened(place.branch, now)
            case Result.CLOSED:
                return load.with_closed(place.branch)
            case _:
                return load

    def _with_checks(self, place: _Place, proposed: Proposed) -> Outcome | None:
        """Where nothing was changed, tell once that checks fail, or that they no longer do: a rollout goes by that."""
        unchanged = proposed.outcome is None or proposed.outcome.result in (Result.UNCHANGED, Result.WAITING)
        if self.inquiry.rules.rollout is None or not unchanged:
            return proposed.outcome
        return told_checks(proposed.seen, self._failing.get(place.branch)) or proposed.outcome

    def _load_at(self, now: datetime) -> Load:
        """What is open, and what was opened within the hour before the first of the line was handled."""
        if self._load is None:
            lately = self.inquiry.world.journal.since(now - HOUR)
            mine = ((o, at) for at, o in lately if (o.step, o.result) == (STEP, Result.OPENED))
            self._load = Load.of(self._shown, (((o.subject, o.details.get("branch", "")), at) for o, at in mine))
        return self._load

    def _all_places(self) -> Iterator[_Place]:
        """Every group of every source repository that was read and planned."""
        for name, decisions in self.inquiry.decisions.items():
            survey, policy = self.inquiry.surveys[name], self.inquiry.rules.pull_requests
            ours = [branch.name for branch in survey.repository.branches if branch.opened]
            for group in groups_of(decisions, policy, ours):
                yield _Place(survey=survey, group=group, is_open=(name, group.branch) in self._shown)

    def _proposer(self, place: _Place) -> Proposer:
        world = self.inquiry.world
        return Proposer(
            survey=place.survey,
            group=place.group,
            policy=self.inquiry.rules.pull_requests,
            forge=world.forge,
            pull_requests=world.pull_requests,
        )

    def _now(self, place: _Place, now: datetime) -> Circumstances:
        repository = place.survey.repository
        return Circumstances(
            default_branch=repository.default_branch,
            newly=self.inquiry.is_news,
            blocked=self.inquiry.rules.declared.blocked(now.date()),
            complete=repository.name not in self.inquiry.incomplete,
            opted_out=place.survey.opted_out,
            listed=self._listed,
        )


def repository_of(name: str) -> str:
    """The source repository of a pull request that the line named."""
    return name.partition(" ")[0]
