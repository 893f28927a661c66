"""Doctor: is everything reached, and may we do there what we have to? Reads alone; one failing check stops no other."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.core.errors import DeployError, ForgeError, RefromError, RegistryError
from bot.core.image import Index
from bot.core.mapping import Gap, GapKind, strangers
from bot.core.runtimes import Runtime
from bot.core.target import Target
from bot.ports.deployer import Functions
from bot.ports.examination import ACCESS, Check, Examined, State, checked, failed, passed, skipped
from bot.ports.forge import Forge, SourceRepository
from bot.ports.registry import Registry
from bot.steps.discover import discover
from bot.steps.redeploy import alias_of, image_of, require_alias
from bot.steps.rules import Rules
from bot.steps.survey import Survey, survey_alone

MAP: Final = "map"
"""The checks that tell which function is built from which Dockerfile."""
DECLARED: Final = "declared"
"""The checks of what people declared."""

_MOST: Final = 25
"""Source repositories that are read for the bases they use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined: the adapters, each by itself, and what they reach for the loop."""

    own: Sequence[Examined]
    """Adapters that nothing else here asks: store, registries, builder."""
    forges: Sequence[Examined]
    deployers: Sequence[Examined]
    forge: Forge
    functions: Functions
    registry: Registry
    rules: Rules


def examine(patient: Patient) -> Iterator[Check]:
    """Examine all there is, nearest first."""
    yield from _all(patient.own)
    repositories = yield from _sources(patient)
    yield from _deployed(patient, repositories)


def _all(examined: Sequence[Examined]) -> Iterator[Check]:
    """Let adapters examine themselves; an error that one lets out is a failed check of it."""
    for one in examined:
        try:
            yield from one.examine()
        except RefromError as fault:
            yield failed(one.subject, ACCESS, fault)


def _are_let_in(checks: Sequence[Check]) -> bool:
    """Whether it makes sense to ask further."""
    access = [check for check in checks if check.name == ACCESS]
    return any(check.state is State.OK for check in access) or not access


def _sources(patient: Patient) -> Generator[Check, None, Collection[str] | None]:
    """The forge, its repositories, and the streams that they use or the settings watch.

    Returns the names of the repositories, None where they could not be listed.
    """
    names = None
    checks = list(_all(patient.forges))
    yield from checks
    runtimes = set(patient.rules.watch)
    if _are_let_in(checks):
        try:
            repositories = patient.forge.repositories()
        except RefromError as fault:
            yield failed("source repositories", ACCESS, fault)
        else:
            names = {repository.name for repository in repositories}
            told = {f"{check.message}; {check.cure}" for check in checks}  # an owner's fault is that of its entries
            yield from _repositories(patient, [one for one in repositories if one.fault not in told], runtimes)
    for runtime in sorted(runtimes):
        if runtime in patient.rules.catalogue:
            yield checked(runtime, "stream", partial(_stream, patient.rules.catalogue.get(runtime), patient.registry))
    return names


def _repositories(patient: Patient, repositories: Sequence[SourceRepository], used: set[str]) -> Iterator[Check]:
    """Read repositories, and note the runtimes that they use."""
    if not repositories:
        yield skipped("source repositories", "read", "none is there; check include")
    for repository in repositories[:_MOST]:
        yield checked(repository.name, "read", partial(_read, patient, repository, used))
    if len(repositories) > _MOST:
        told = f"{len(repositories) - _MOST} of {len(repositories)} were not read, nor the streams that only they use"
        yield skipped("source repositories", "read", told)


def _read(patient: Patient, repository: SourceRepository, used: set[str]) -> str:
    if repository.fault:
        raise ForgeError(f"{repository.name}: {repository.fault}")
    found: Survey = survey_alone(repository, patient.forge, patient.rules.mirrors)
    runtimes = {use.runtime for use in found.uses if use.runtime}
    used |= runtimes
    return f"uses {', '.join(sorted(runtimes)) or 'no Lambda base'}, on {repository.default_branch}"


def _stream(runtime: Runtime, registry: Registry) -> str:
    """Ask for the stream's moving tag, and compare its platforms with the catalogue's."""
    document = registry.manifest(runtime.reference)
    if isinstance(document, Index):
        lacking = [str(platform) for platform in runtime.platforms if platform not in document.images]
        if lacking:
            cure = f"wait until it has, or correct {runtime.identifier} in the file that runtimes.catalogue names"
            raise RegistryError(f"{runtime.reference} has no image for {', '.join(lacking)}; {cure}")
    return f"{runtime.reference} is {document.digest.short}"


def _deployed(patient: Patient, repositories: Collection[str] | None) -> Iterator[Check]:
    """AWS, then which function is built from what, then each function that is to be deployed."""
    checks = list(_all(patient.deployers))
    yield from checks
    if _are_let_in(checks):
        rules = discover(patient.rules, patient.functions, patient.registry)
        yield from _map(rules, repositories)
        yield from _unmeant(rules)
        for target in rules.targets:
            yield checked(target.function, "function", partial(_function, patient, target))


def _map(rules: Rules, repositories: Collection[str] | None) -> Iterator[Check]:
    """Tell which function is built from what, and where that is not known."""
    strange = strangers(rules.targets, repositories) if repositories is not None else ()
    gaps = {gap.function: gap for gap in (*strange, *rules.found.gaps)}
    by = {one.target.function: one.by for one in rules.found.mapped}
    for target in rules.targets:
        if target.function not in gaps:
            source = f"built from {target.dockerfile} of {target.repository}"
            yield passed(target.function, MAP, f"{source}, by {by.get(target.function, 'deploy.targets')}")
    yield from map(_gap, gaps.values())
    for place, why in rules.found.unlisted:
        yield failed(place, MAP, DeployError(why))


def _unmeant(rules: Rules) -> Iterator[Check]:
    """Tell what people declared for functions by names that the loop does not know: it keeps nobody from anything."""
    declared = {hold.function for hold in rules.declared.holds if hold.function}
    declared |= {one.function for one in rules.declared.modes}
    for name in sorted(declared - {target.function for target in rules.targets}):
        what = "a hold or mode is declared for it, and the loop knows no function of that name"
        cure = "write it as in deploy.targets, or its ARN where it is discovered; audits of whole accounts go by it"
        yield skipped(name, DECLARED, f"{what}; {cure}")


def _gap(gap: Gap) -> Check:
    """A function that no rule fits may be none of ours; whatever else the map lacks, somebody has to mend."""
    if gap.kind is GapKind.UNMAPPED:
        return skipped(gap.function, MAP, gap.why)
    return failed(gap.function, MAP, DeployError(gap.why))


def _function(patient: Patient, target: Target) -> str:
    """Read a function, its alias, and its image's manifest."""
    function = patient.functions.function(target.function)
    image_of(function, patient.registry)
    alias = alias_of(target, patient.functions)
    require_alias(target, alias)
    serving = f"alias {alias.name} serves version {alias.version}" if alias else "no alias is named"
    return f"runs {function.image}; {serving}"
