"""Rebuild: from a merged commit to an image that passes the Lambda gate."""

from collections.abc import Iterable

from bot.core.digest import Digest
from bot.core.errors import BuildError
from bot.core.gate import Refusal, check_image
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, REVISION_LABEL
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.lineage import stands_on
from bot.core.observation import KnownBase
from bot.core.reference import Reference
from bot.core.target import Target
from bot.ports.builder import Builder, Building, BuildOrder
from bot.ports.deployer import Function
from bot.ports.registry import Registry


def order(
    target: Target,
    commit: str,
    goal: KnownBase,
    function: Function,
    proven: KnownBase | None,
    template: TagTemplate = DEFAULT_TAG,
) -> BuildOrder:
    """Say what to build. The tag derives from all that makes the image, so a repeated build finds the first one."""
    base_digest = goal.reference.digest or goal.digest
    arguments = sorted(target.build_args.items())
    recipe = (target.dockerfile, target.context, target.stage, arguments, str(function.platform))
    tag = template.fill(
        commit=commit[:12],
        base=base_digest.short,
        recipe=Digest.of(repr(recipe).encode()).short,
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
        },
        deployed=function.image,
        deployed_base=proven.reference if proven else None,
        runtime=goal.runtime,
        deployed_runtime=proven.runtime if proven else "",
    )


def rebuild(wanted: BuildOrder, goal: KnownBase, builder: Builder, registry: Registry) -> Reference | Building:
    """Build, push and check one image; return it by digest.

    Raises `BuildError` if it cannot be built, or if Lambda would not take it, or if it stands on another base.
    """
    built = builder.build(wanted)
    if isinstance(built, Building):
        return built
    image = wanted.destination.with_tag(None).with_digest(built.digest)
    manifest = registry.manifest(image)
    _require_fit(image, check_image(manifest, None, wanted.platform))
    read = registry.image(image)  # of whatever platform: the gate names the cure
    _require_fit(image, check_image(manifest, read.config, wanted.platform))
    if not stands_on(read, goal):
        raise BuildError(f"{image} does not stand on {goal.reference}; build it again, the base may have moved")
    return image


def _require_fit(image: Reference, refusals: Iterable[Refusal]) -> None:
    """Refuse what Lambda would refuse; advice alone stops nothing."""
    faults = [str(refusal) for refusal in refusals if not refusal.advice]
    if faults:
        raise BuildError(f"{image} is not for Lambda: {'; '.join(faults)}")
