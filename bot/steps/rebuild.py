"""Rebuild: from a merged commit to an image that passes the Lambda gate, and that is worth a redeploy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.digest import Digest
from bot.core.errors import BuildError, ContentsError, RegistryError
from bot.core.gate import Refusal, check_image
from bot.core.image import (
    BASE_DIGEST_LABEL,
    BASE_NAME_LABEL,
    ORIGIN_LABELS,
    RECIPE_LABEL,
    REVISION_LABEL,
    Descriptor,
    Image,
)
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.layer import Layer
from bot.core.lineage import stands_on
from bot.core.observation import KnownBase
from bot.core.reference import Reference
from bot.core.sameness import same_files, same_settings
from bot.core.target import SmokeTest, Target
from bot.ports.builder import Building, BuildOrder
from bot.ports.contents import Contents
from bot.ports.deployer import Function
from bot.ports.registry import Registry
from bot.ports.smoke import Trial
from bot.ports.world import World

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """An image by digest that passed the gate; `how` says in a clause how it came about, where that is news."""

    image: Reference
    how: str = ""


@dataclass(frozen=True, slots=True)
class NothingNew:
    """An image that differs from the deployed one in times alone, so there is nothing to deploy."""

    image: Reference


def order(
    target: Target,
    commit: str,
    goal: KnownBase,
    function: Function,
    proven: KnownBase | None,
    template: TagTemplate = DEFAULT_TAG,
) -> BuildOrder:
    """Say what to build. The tag derives from all that makes the image, so a repeated build finds the first one."""
    if target.destination is None:
        raise BuildError(f"{target.function} names no image; name one in the target, or a pipeline")
    base_digest = goal.shared
    arguments = sorted(target.build_args.items())
    parts = (target.dockerfile, target.context, target.stage, arguments, str(function.platform))
    recipe = Digest.of(repr(parts).encode()).short
    tag = template.fill(
        commit=commit[:12],
        base=base_digest.short,
        recipe=recipe,
        runtime=goal.runtime,
        function=function.name,
    )
    return BuildOrder(
        repository=target.repository,
        commit=commit,
        dockerfile=target.dockerfile,
        context=target.context,
        target=target.stage,
        build_args=target.build_args,
        platform=function.platform,
        base=goal.reference.with_digest(base_digest),
        destination=target.destination.with_tag(tag),
        labels={
            BASE_NAME_LABEL: str(goal.reference.with_digest(None)),
            BASE_DIGEST_LABEL: str(base_digest),
            REVISION_LABEL: commit,
            RECIPE_LABEL: recipe,
            **{f"{ORIGIN_LABELS}{part}": text for part, text in _source(target).items()},
        },
        deployed=function.image,
        deployed_base=proven.reference if proven else None,
        runtime=goal.runtime,
        deployed_runtime=proven.runtime if proven else "",
    )


def _source(target: Target) -> dict[str, str]:
    """Say where the image is built from, so that a function that runs it is found again without a target."""
    parts = {"repository": target.repository, "dockerfile": target.dockerfile, "context": target.context}
    return {**parts, "stage": target.stage} if target.stage else parts


def rebuild(
    wanted: BuildOrder, goal: KnownBase, proven: KnownBase | None, world: World, smoke: SmokeTest | None = None
) -> Rebuilt | NothingNew | Building:
    """Build, push, check, compare and try one image; `proven` is the base of the deployed one.

    The answer derives from the order and from registries alone: a build that was done is found under its tag, and one
    that was nothing new is nothing new again, without being built.
    Raises `BuildError` if it cannot be built, or if Lambda would not take it, or if it stands on another base, or if it
    does not start.
    """
    built = world.builder.build(wanted)
    if isinstance(built, Building):
        return built
    image = wanted.destination.with_tag(None).with_digest(built.digest)
    read = _pass_gate(image, wanted, goal, world.registry)
    if _is_deployed(wanted, read, image, (proven, goal), world):
        return NothingNew(image)
    if smoke:
        world.smoke.run(_trial(image, wanted, smoke))
    tried = f"it starts and answers {len(smoke.events)} event(s)" if smoke else ""
    return Rebuilt(image, "; ".join(clause for clause in (built.how, tried) if clause))


def _trial(image: Reference, wanted: BuildOrder, smoke: SmokeTest) -> Trial:
    return Trial(
        image=image,
        platform=wanted.platform,
        repository=wanted.repository,
        commit=wanted.commit,
        events=smoke.events,
        timeout=smoke.timeout,
    )


def _pass_gate(image: Reference, wanted: BuildOrder, goal: KnownBase, registry: Registry) -> Image:
    manifest = registry.manifest(image)
    _require_fit(image, check_image(manifest, None, wanted.platform))
    read = registry.image(image)  # of whatever platform: the gate names the cure
    _require_fit(image, check_image(manifest, read.config, wanted.platform))
    if not stands_on(read, goal):
        raise BuildError(f"{image} does not stand on {goal.reference}; build it again, the base may have moved")
    return read


def _require_fit(image: Reference, refusals: Iterable[Refusal]) -> None:
    """Refuse what Lambda would refuse; advice alone stops nothing."""
    faults = [str(refusal) for refusal in refusals if not refusal.advice]
    if faults:
        raise BuildError(f"{image} is not for Lambda: {'; '.join(faults)}")


def _is_deployed(
    wanted: BuildOrder, built: Image, image: Reference, bases: tuple[KnownBase | None, KnownBase], world: World
) -> bool:
    """Say whether what serves is this image but for times; what cannot be read is not known to be.

    Bases are compared first: where they differ, as nearly always, the function's own layers need not be fetched.
    """
    if wanted.deployed is None:
        return False
    old, new = (len(base.layers) if base else 0 for base in bases)
    try:
        deployed = world.registry.image(wanted.deployed, wanted.platform)
        if not same_settings(deployed.config, built.config):
            return False
        if deployed.config.diff_ids == built.config.diff_ids:
            return True
        before = _Stack(wanted.deployed, deployed.manifest.layers, world.contents)
        after = _Stack(image, built.manifest.layers, world.contents)
        if old and not same_files(before.lowest(old), after.lowest(new)):
            return False
        return same_files(before.lowest(None), after.lowest(None))
    except ContentsError:
        return False
    except RegistryError as fault:
        if fault.status != _NOT_FOUND:
            raise
        return False


@dataclass(frozen=True, slots=True)
class _Stack:
    """The layers of one image, read as they are asked for."""

    reference: Reference
    layers: Sequence[Descriptor]
    contents: Contents

    def lowest(self, count: int | None) -> list[Layer]:
        return [self.contents.layer(self.reference, layer) for layer in self.layers[:count]]
