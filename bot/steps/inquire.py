"""Inquire: the reading half of the loop, shared by a cycle and an audit. Nothing here changes anything but the ledger.

Within one inquiry each stream is watched once, each pair of bases judged once, each repository surveyed once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.authorship import believed
from bot.core.blocks import is_bad, seen_since
from bot.core.carriers import LocatedUse
from bot.core.change import BaseChange
from bot.core.decision import Admission, BaseUse, Decision, Known, Skip, Unwatched, Update
from bot.core.digest import Digest
from bot.core.dockerfile import read_uses
from bot.core.errors import DeployError, ForgeError, HalfPublished, RefromError, RegistryError
from bot.core.image import Image
from bot.core.leads import NamedBase
from bot.core.lineage import Lineage
from bot.core.modes import UpdateMode, of_tags, unread
from bot.core.observation import KnownBase, Observation
from bot.core.plan import matters, plan, rebuilds, wants_date
from bot.core.platforms import Platform
from bot.core.policy import OWN_FILE, Hold, Narrowing, Policy
from bot.core.reference import Reference
from bot.core.rollout import RolloutPolicy, admission
from bot.core.rollout_report import RolloutReport, report_of
from bot.core.tags import LambdaTag
from bot.core.taken_back import TakenBack
from bot.core.target import Target
from bot.ports.deployer import Function
from bot.ports.forge import SourceRepository, Sources
from bot.ports.world import World
from bot.steps.assess import Assessor
from bot.steps.gather import Around, gather
from bot.steps.judge import judge
from bot.steps.prove import lineage
from bot.steps.roll import Entries, Roller, Standing
from bot.steps.rules import Rules
from bot.steps.seek import Seeker, fetch_base
from bot.steps.survey import Survey, Surveyor, survey
from bot.steps.watch import dated_tag, last_seen, watch


class Inquiry:
    """What was asked and answered so far, over one world."""

    def __init__(self, world: World, rules: Rules) -> None:
        self.world = world
        self.rules = rules
        self.seeker = Seeker(world.registry, rules.catalogue, rules.mirrors)
        self.observed: dict[str, Observation | RefromError] = {}
        self.waiting: dict[str, str] = {}
        """Streams whose newest set is half published, and what lacks; they stay at what the ledger saw last."""
        self.narrowings: dict[str, Narrowing] = {}
        self.surveys: dict[str, Survey] = {}
        self.decisions: dict[str, tuple[Decision, ...]] = {}
        self.unjudged: dict[str, RefromError] = {}
        """Streams of which some use could not be judged, with the first reason."""
        self.incomplete: set[str] = set()
        """Source repositories of which some use could not be decided, because the world did not answer."""
        self.standings: dict[str, Standing] = {}
        """Where the rollout of each stream stands, once it was asked for."""
        self.marks: Callable[[], Sequence[TakenBack]] = tuple
        """Reads what the aliases of the targets say was taken back, where somebody knows how."""
        self._there: dict[Digest, bool] = {}
        self._dated: dict[tuple[LambdaTag, Digest], str | None] = {}
        self._judged: dict[tuple[Reference, Reference], BaseChange | RefromError] = {}
        self._surveyor = Surveyor(world.forge, world.sources, (), rules.mirrors)
        self._assessor = Assessor(world.advisories)
        self._roller: Roller | None = None

    def repositories(self) -> Mapping[str, SourceRepository]:
        """List the source repositories by name; they are read ahead in this order."""
        listed = self.world.forge.repositories()
        self._surveyor = Surveyor(self.world.forge, self.world.sources, listed, self.rules.mirrors)
        return {repository.name: repository for repository in listed}

    def observe(self, runtime: str, now: datetime) -> Observation:
        """Return what a stream has now; one that failed fails again without a second request."""
        found = self.rules.catalogue.get(runtime)
        if runtime not in self.observed:
            try:
                self.observed[runtime] = watch(found, self.world.registry, self.world.ledger, now)
            except HalfPublished as fault:
                self.waiting[runtime] = str(fault)
                self.observed[runtime] = last_seen(runtime, self.world.ledger) or fault
            except RefromError as fault:
                self.observed[runtime] = fault
        observed = self.observed[runtime]
        if isinstance(observed, RefromError):
            raise observed
        return observed

    def standing(self, runtime: str, now: datetime) -> Standing | None:
        """Return where the rollout of a stream stands, None where the settings want none; it is moved on once.

        Raises what watching the stream does.
        """
        if self.rules.rollout is None:
            return None
        newest = self.observe(runtime, now)
        if runtime not in self.standings:
            standing = self.roller(self.rules.rollout, now).standing(newest, now)
            self.standings[runtime] = standing
            if standing.fault:
                self.unjudged.setdefault(runtime, standing.fault)
        return self.standings[runtime]

    @property
    def lately(self) -> Entries:
        """What was done since the first of the rollouts that were asked for began, oldest first."""
        began = [standing.rollout.began for standing in self.standings.values()]
        return self._roller.since(min(began)) if self._roller and began else ()

    def roller(self, rules: RolloutPolicy, now: datetime) -> Roller:
        """What moves rollouts on, with what this inquiry has compared."""
        if self._roller is None:
            world, today = self.world, now.date()
            self._roller = Roller(
                rules=rules,
                policy_for=lambda runtime: self.rules.policy_for("", "", runtime),
                ledger=world.ledger,
                journal=world.journal,
                memory=world.rollouts,
                marks=self.marks,
                compare=self._compare,
                blocked={
                    b.digest: b.reason
                    for b in self.rules.declared.blocks
                    if self.rules.declared.is_blocked(b.digest, today)
                },
            )
        return self._roller

    def _compare(self, old: Observation, new: Observation) -> BaseChange | None:
        """Compare two observations of one stream; a base that is gone can be compared with nothing."""
        name = new.reference.with_tag(None)
        try:
            return self.judge(name.with_digest(old.digest), name.with_digest(new.digest), new.runtime)
        except RegistryError as fault:
            if fault.status != 404:
                raise
            return None

    def read(self, repository: SourceRepository, now: datetime) -> tuple[Survey, tuple[Decision, ...]]:
        """Survey a repository and decide each of its uses."""
        if repository.fault:
            raise ForgeError(repository.fault)
        sources = self._surveyor.read(repository)
        narrowing = self._narrowing(repository, sources)
        found = survey(repository, sources, self.rules.mirrors)
        found = replace(found, opted_out=not narrowing.enabled, changed=believed(found.changed, now))
        self.narrowings[repository.name] = narrowing
        self.surveys[repository.name] = found
        uses = (*found.uses, *self._built_otherwise(found))
        reasons = [(use, narrowing.why_skipped(use.located.path)) for use in uses]
        skipped = [Skip(use=use, reason=why, opted_out=True) for use, why in reasons if why]
        handled = [use for use, why in reasons if not why]
        facts = [(self._gather(use, now), self.policy_of(use)) for use in handled]
        decided = (*plan(facts, self.rules.declared, now), *skipped)
        self.decisions[repository.name] = tuple(sorted(decided, key=lambda decision: decision.use.sort_key))
        return found, self.decisions[repository.name]

    def read_all(self, now: datetime) -> Sequence[tuple[str, str]]:
        """Survey and decide every repository; those that fail are returned with their reasons."""
        faults = []
        for name, repository in self.repositories().items():
            try:
                self.read(repository, now)
            except RefromError as fault:
                faults.append((name, str(fault)))
        return faults

    @property
    def rollouts(self) -> tuple[RolloutReport, ...]:
        """Where the rollouts of all streams stand that were asked for, with the uses that were decided."""
        rules, made = self.rules.rollout, [one for decided in self.decisions.values() for one in decided]
        found = [standing for _, standing in sorted(self.standings.items())] if rules else []
        return tuple(report_of(rules, s.rollout, s.troubles, made, s.asked) for s in found if rules)

    def judge(self, old: Reference, new: Reference, runtime: str) -> BaseChange:
        """Compare two bases of a runtime, and say what that fixes by what advisories say now.

        A comparison that failed fails again without a second try.
        """
        if (old, new) not in self._judged:
            try:
                self._judged[old, new] = judge(old, new, self.world.registry, self.world.contents)
            except RefromError as fault:
                self._judged[old, new] = fault
        judged = self._judged[old, new]
        if isinstance(judged, RefromError):
            raise judged
        return self._assessor.assess(judged, self.rules.catalogue.get(runtime).os)

    def is_news(self, update: Update, refused: Digest) -> bool:
        """Whether an update brings what matters by policy, compared with a base that a person refused.

        A base that is gone cannot be compared with, so a person is asked again.
        """
        use = update.use
        if use.located.use.lambda_image is None or use.runtime is None:
            return True
        name = use.located.use.lambda_image.upstream.with_tag(None)
        try:
            change = self.judge(name.with_digest(refused), name.with_digest(update.new), use.runtime)
        except RegistryError as fault:
            if fault.status != 404:
                raise
            return True
        return matters(change, self.policy_of(use))

    def find_date(self, tag: LambdaTag, digest: Digest, latest: Observation) -> str | None:
        """Find the date-stamped tag of a digest; what was asked once is not asked again."""
        key = (tag.with_stamp(None), digest)
        if key not in self._dated:
            self._dated[key] = dated_tag(tag, digest, latest, self.world.registry)
        return self._dated[key]

    def observe_all(self, runtimes: Iterable[str], now: datetime) -> tuple[tuple[str, str], ...]:
        """Watch several streams; those that fail are returned with their reasons."""
        faults = []
        for runtime in runtimes:
            try:
                self.observe(runtime, now)
            except RefromError as fault:
                faults.append((runtime, str(fault)))
        return tuple(faults)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What the streams that were watched have now."""
        return tuple(seen for seen in self.observed.values() if isinstance(seen, Observation))

    @property
    def failed_streams(self) -> tuple[tuple[str, str], ...]:
        """The streams that could not be watched or judged, each with its reason."""
        unwatched = {name: seen for name, seen in self.observed.items() if isinstance(seen, RefromError)}
        return tuple((name, str(fault)) for name, fault in {**self.unjudged, **unwatched}.items())

    def lineage(self, image: Reference, platform: Platform, likely: Sequence[str] = ()) -> Lineage:
        """Prove the base of an image in a registry."""
        return self.lineage_of(self.world.registry.image(image, platform), likely)

    def lineage_of(self, image: Image, likely: Sequence[str] = (), provenance: Sequence[NamedBase] = ()) -> Lineage:
        """Prove the base of an image that was read, against all that this inquiry and the ledger have seen.

        `likely` are streams that its base is probably of, `provenance` what an attestation names.
        """
        return lineage(
            image,
            observations=self.observations,
            runtimes=tuple(self.rules.catalogue),
            seeker=self.seeker,
            ledger=self.world.ledger,
            likely=likely,
            provenance=provenance,
        )

    def merged_base(self, target: Target, platform: Platform) -> KnownBase | None:
        """The base that the default branch pins for a target; None where it pins none."""
        use = self.base_use(target)
        if use is None or not use.fixed or use.located.use.lambda_image is None:
            return None
        upstream = use.located.use.lambda_image.upstream
        digest = use.pinned or self.world.registry.manifest(upstream).digest
        return fetch_base(upstream.with_digest(digest), platform, self.world.registry)

    def base_use(self, target: Target) -> BaseUse | None:
        """The Lambda base that the image of a target stands on, read for the target's own stage and build arguments."""
        found = self.surveys.get(target.repository)
        content = found.files.get(target.dockerfile) if found else None
        if found is None or content is None:
            return None
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None  # the survey says so
        reading = read_uses(text, build_args=target.build_args, target=target.stage, mirrors=self.rules.mirrors)
        base = next((use for use in reading.uses if use.base and use.lambda_image), None)
        if base is None:
            return None
        located = LocatedUse(path=target.dockerfile, carrier="dockerfile", use=base)
        return BaseUse(repository=target.repository, commit=found.repository.commit, located=located)

    def _built_otherwise(self, found: Survey) -> Iterable[BaseUse]:
        """The bases of targets whose build arguments give another image than a plain build takes."""
        seen = {use.names for use in found.uses}
        for target in self.rules.targets:
            use = self.base_use(target) if target.repository == found.repository.name else None
            if use and use.names not in seen:
                seen.add(use.names)
                yield use

    def hold_for(self, target: Target, now: datetime) -> Hold | None:
        """The hold that stops a function, or the use that its image is built from."""
        narrowing = self.narrowings.get(target.repository, Narrowing())
        if why := narrowing.why_skipped(target.dockerfile):
            return Hold(reason=why, repository=target.repository, path=target.dockerfile)
        use = self.base_use(target)
        return self.rules.declared.hold_for(
            function=target.function,
            repository=target.repository,
            path=target.dockerfile,
            runtime=(use.runtime if use else None) or "",
            today=now.date(),
        )

    def first_seen(self, base: KnownBase, now: datetime) -> datetime:
        """When a base was first seen in its stream; where the ledger lost that, when it was created."""
        history = self.world.ledger.history(base.runtime)
        seen = next((one.first_seen for one in history if base.digest in one.digests), None)
        return seen or base.created or now

    def modes_of(self, target: Target, function: Function) -> tuple[UpdateMode, ...]:
        """All update modes that were said of a function, the least specific first.

        Policy and the repository's own file say it of the use that its image is built from, tags and declarations of
        the function itself.
        """
        use = self.base_use(target)
        policy = self.rules.policy_for(target.repository, target.dockerfile, (use.runtime if use else None) or "")
        narrowed = self.narrowings.get(target.repository, Narrowing()).apply(policy)
        tagged = unread(function.tags_fault) if function.tags_fault else of_tags(function.tags)
        return (*narrowed.modes, *((tagged,) if tagged else ()), *self.rules.declared.modes_of(target.function))

    def _gather(self, use: BaseUse, now: datetime) -> Known | Unwatched:
        if use.runtime is None:
            return Unwatched(use=use, fault="the reference names no version; write one, such as python:3.13")
        if use.runtime not in self.rules.catalogue:
            hint = self.rules.catalogue.hint(use.runtime)
            return Unwatched(use=use, fault=f"runtime {use.runtime!r} is unknown; {hint}")
        try:
            latest = self.observe(use.runtime, now)
            standing = self.standing(use.runtime, now)
            deployed = () if use.fixed else self._deployed_bases(use)
        except HalfPublished as fault:
            self.incomplete.add(use.repository)
            return Unwatched(use=use, fault=str(fault), passing=True)
        except RefromError as fault:
            return self._undecided(use, fault)
        policy, around = self.policy_of(use), Around(blocked=self.rules.declared.blocked(now.date()))
        if standing and not rebuilds(use, policy, known=bool(deployed)):
            latest, around = standing.latest, replace(around, newer=standing.newer)
        try:
            latest, around = self._around(use, latest, around)
            find_date = self.find_date if wants_date(use, policy) else None
            world = self.world
            known = gather(use, latest, deployed, world.registry, world.ledger, self.judge, find_date, around)
            return self._admit(known, standing)
        except RefromError as fault:
            self.unjudged.setdefault(use.runtime, fault)
            return self._undecided(use, fault)

    def _around(self, use: BaseUse, latest: Observation, around: Around) -> tuple[Observation, Around]:
        """Go from a blocked base to the newest other one that is still there, if there is one."""
        if not is_bad(use, latest, around.blocked):
            return latest, around
        history = self.world.ledger.history(latest.runtime)
        sound = (seen for seen in history if not is_bad(use, seen, around.blocked))
        good = next((seen for seen in sound if self._is_there(seen)), None)
        if good is None:
            return latest, around
        return good, replace(around, newer=seen_since(good, history), passed_over=latest.digest)

    def _is_there(self, seen: Observation) -> bool:
        """Whether a registry still has a base that was seen earlier."""
        if seen.digest not in self._there:
            try:
                self.world.registry.manifest(seen.reference.with_digest(seen.digest))
            except RegistryError as fault:
                if fault.status != 404:
                    raise
                self._there[seen.digest] = False
            else:
                self._there[seen.digest] = True
        return self._there[seen.digest]

    def _admit(self, known: Known | Unwatched, standing: Standing | None) -> Known | Unwatched:
        """Add when somebody changed the use's source repository, and what the rollout says of it."""
        if isinstance(known, Unwatched):
            return known
        name = known.use.repository
        known = replace(known, changed=self.surveys[name].changed)
        return replace(known, admission=self.admitted(name, standing)) if standing else known

    def admitted(self, repository: str, standing: Standing) -> Admission | None:
        """What a rollout says of a source repository that was read; None where the settings want no rollouts."""
        changed, rules = self.surveys[repository].changed, self.rules.rollout
        return admission(rules, standing.rollout, standing.troubles, repository, changed) if rules else None

    def _undecided(self, use: BaseUse, fault: RefromError) -> Unwatched:
        self.incomplete.add(use.repository)
        return Unwatched(use=use, fault=str(fault))

    def _deployed_bases(self, use: BaseUse) -> Sequence[KnownBase]:
        """What the functions built from this file are proven to stand on.

        Where a place could not be listed, no function known is not the same as no function.
        """
        file = (use.repository, use.located.path)
        targets = [target for target in self.rules.targets if (target.repository, target.dockerfile) == file]
        if not targets and self.rules.found.unlisted:
            place, why = self.rules.found.unlisted[0]
            raise DeployError(f"what stands on this is not known, functions of {place} could not be listed: {why}")
        return [proven.base for target in targets if (proven := self._deployed(target, use)) and proven.base]

    def _deployed(self, target: Target, use: BaseUse) -> Lineage | None:
        function = self.world.functions.function(target.function)
        likely = [use.runtime] if use.runtime else []
        return self.lineage(function.image, function.platform, likely) if function.image else None

    def policy_of(self, use: BaseUse) -> Policy:
        """The policy for a use, with what its repository's own file narrows."""
        policy = self.rules.policy_for(use.repository, use.located.path, use.runtime or "")
        return self.narrowings.get(use.repository, Narrowing()).apply(policy)

    def _narrowing(self, repository: SourceRepository, sources: Sources) -> Narrowing:
        """Read what the repository says of itself; what it says and nobody can read is not passed over."""
        if why := sources.unread.get(OWN_FILE):
            raise ForgeError(f"{repository.name}: {OWN_FILE} cannot be read ({why}); make it a small plain file")
        content = sources.files.get(OWN_FILE)
        return Narrowing() if content is None else self.rules.narrowing_of(f"{repository.name}/{OWN_FILE}", content)
