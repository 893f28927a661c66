"""What layers hold."""

from typing import Protocol

from bot.core.image import Descriptor
from bot.core.layer import Layer
from bot.core.reference import Reference


class Contents(Protocol):
    """Reads layers; a layer once read is not fetched again."""

    def layer(self, reference: Reference, descriptor: Descriptor) -> Layer:
        """Stream one layer and return what it holds.

        Raises `RegistryError` if it cannot be fetched or its bytes are not its digest's,
        `ContentsError` if it is no layer or larger than the bounds.
        """
        ...
