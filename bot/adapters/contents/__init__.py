"""Contents: what the layers of an image hold."""

from bot.adapters.contents.bounds import Bounds
from bot.adapters.contents.layers import LayerReader

__all__ = ["Bounds", "LayerReader"]
