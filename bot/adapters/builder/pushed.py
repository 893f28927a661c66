"""What is there under an order's tag: the image of an earlier try, or one that bars the way."""

from bot.core.digest import Digest
from bot.core.errors import BuildError, RegistryError
from bot.core.image import BASE_DIGEST_LABEL, REVISION_LABEL, Index
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder
from bot.ports.registry import Registry

_NOT_FOUND = 404


def already_pushed(registry: Registry, order: BuildOrder) -> Digest | None:
    """Return the digest under the order's tag if that image is what the order asks for, so that nothing is built twice.

    It is if it has all of the order's labels, base digest and revision among them, and its platform.
    An order that has not these two labels is never recognised. Raises `RegistryError` if the registry cannot be asked.
    """
    if not {BASE_DIGEST_LABEL, REVISION_LABEL} <= order.labels.keys():
        return None
    try:
        manifest = registry.manifest(order.destination)
    except RegistryError as fault:
        if fault.status == _NOT_FOUND:
            return None
        raise
    if isinstance(manifest, Index):
        return None
    config = registry.image(order.destination.with_digest(manifest.digest)).config
    same = config.platform == order.platform and order.labels.items() <= config.labels.items()
    return manifest.digest if same else None


def barred(registry: Registry, destination: Reference, fault: BuildError) -> BuildError:
    """Explain why a push was refused, where another image has the tag: an immutable tag does not move."""
    try:
        there = registry.manifest(destination).digest
    except RegistryError:
        return fault  # nothing has the tag, or nobody can tell
    return BuildError(
        f"{destination} names {there} already ({fault}); where tags are immutable, delete this one, "
        "or give deploy.tag another form",
        log=fault.log,
    )
