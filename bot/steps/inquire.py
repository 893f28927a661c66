"""Inquire: the reading half of the loop, shared by a cycle and an audit. Nothing here changes anything but the ledger.

Within one inquiry each stream is watched once, each pair of bases judged once, each repository surveyed once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.carriers import LocatedUse
from bot.core.change import BaseChange
from bot.core.digest import Digest
from bot.core.dockerfile import read_uses
from bot.core.errors import ForgeError, HalfPublished, RefromError
from bot.core.image import Image
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.leads import NamedBase
from bot.core.lineage import Lineage
from bot.core.observation import KnownBase, Observation
from bot.core.plan import BaseUse, Decision, Known, Unwatched, plan, wants_date
from bot.core.platforms import Platform
from bot.core.policy import Declarations, Hold, Policy
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue
from bot.core.tags import LambdaTag
from bot.core.target import SmokeTest, Target
from bot.ports.forge import SourceRepository
from bot.ports.world import World
from bot.steps.assess import Assessor
from bot.steps.gather import gather
from bot.steps.judge import judge
from bot.steps.prove import lineage
from bot.steps.seek import Seeker, fetch_base
from bot.steps.survey import Survey, survey
from bot.steps.watch import dated_tag, last_seen, watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say and people declared, as far as the loop needs it."""

    catalogue: Catalogue
    policy_for: Callable[[str, str, str], Policy]
    """From source repository, path and runtime identifier to the policy that applies."""
    declared: Declarations
    targets: tuple[Target, ...] = ()
    mirrors: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    """Runtime identifiers to watch although nothing may use them."""
    tag: TagTemplate = DEFAULT_TAG
    """The tag of built images."""
    smoke: SmokeTest | None = None
    """The smoke test of all functions that have none of their own."""


class Inquiry:
    """What was asked and answered so far, over one world."""

    def __init__(self, world: World, rules: Rules) -> None:
        self.world = world
        self.rules = rules
        self.seeker = Seeker(world.registry, rules.catalogue, rules.mirrors)
        self.observed: dict[str, Observation | RefromError] = {}
        self.waiting: dict[str, str] = {}
        """Streams whose newest set is half published, and what lacks; they stay at what the ledger saw last."""
        self.surveys: dict[str, Survey] = {}
        self.decisions: dict[str, tuple[Decision, ...]] = {}
        self.unjudged: dict[str, RefromError] = {}
        """Streams of which some use could not be judged, with the first reason."""
        self.incomplete: set[str] = set()
        """Source repositories of which some use could not be decided, because the world did not answer."""
        self._dated: dict[tuple[LambdaTag, Digest], str | None] = {}
        self._judged: dict[tuple[Reference, Reference], BaseChange | RefromError] = {}
        self._assessor = Assessor(world.advisories)

    def repositories(self) -> Mapping[str, SourceRepository]:
        """List the source repositories by name."""
        return {repository.name: repository for repository in self.world.forge.repositories()}

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

    def read(self, repository: SourceRepository, now: datetime) -> tuple[Survey, tuple[Decision, ...]]:
        """Survey a repository and decide each of its uses."""
        if repository.fault:
            raise ForgeError(repository.fault)
        found = survey(repository, self.world.forge, self.rules.mirrors)
        self.surveys[repository.name] = found
        facts = [(self._gather(use, now), self._policy(use)) for use in (*found.uses, *self._built_otherwise(found))]
        self.decisions[repository.name] = plan(facts, self.rules.declared, now)
        return found, self.decisions[repository.name]

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
        use = self.base_use(target)
        return self.rules.declared.hold_for(
            function=target.function,
            repository=target.repository,
            path=target.dockerfile,
            runtime=(use.runtime if use else None) or "",
            today=now.date(),
        )

    def _gather(self, use: BaseUse, now: datetime) -> Known | Unwatched:
        if use.runtime is None:
            return Unwatched(use=use, fault="the reference names no version; write one, such as python:3.13")
        if use.runtime not in self.rules.catalogue:
            hint = self.rules.catalogue.hint(use.runtime)
            return Unwatched(use=use, fault=f"runtime {use.runtime!r} is unknown; {hint}")
        try:
            latest = self.observe(use.runtime, now)
            deployed = () if use.fixed else self._deployed_bases(use)
        except HalfPublished as fault:
            self.incomplete.add(use.repository)
            return Unwatched(use=use, fault=str(fault), passing=True)
        except RefromError as fault:
            return self._undecided(use, fault)
        try:
            find_date = self.find_date if wants_date(use, self._policy(use)) else None
            return gather(use, latest, deployed, self.world.registry, self.world.ledger, self.judge, find_date)
        except RefromError as fault:
            self.unjudged.setdefault(use.runtime, fault)
            return self._undecided(use, fault)

    def _undecided(self, use: BaseUse, fault: RefromError) -> Unwatched:
        self.incomplete.add(use.repository)
        return Unwatched(use=use, fault=str(fault))

    def _deployed_bases(self, use: BaseUse) -> Sequence[KnownBase]:
        """What the functions built from this file are proven to stand on."""
        return [
            proven.base
            for target in self.rules.targets
            if (target.repository, target.dockerfile) == (use.repository, use.located.path)
            if (proven := self._deployed(target, use)) and proven.base
        ]

    def _deployed(self, target: Target, use: BaseUse) -> Lineage | None:
        function = self.world.functions.function(target.function)
        likely = [use.runtime] if use.runtime else []
        return self.lineage(function.image, function.platform, likely) if function.image else None

    def _policy(self, use: BaseUse) -> Policy:
        return self.rules.policy_for(use.repository, use.located.path, use.runtime or "")
