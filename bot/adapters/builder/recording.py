"""The builder of a dry run: says what would be built."""

from bot.ports.builder import Building, BuildOrder


class RecordingBuilder:
    """Keeps the promise of the port `Builder` without building."""

    def build(self, order: BuildOrder) -> Building:
        """Answer that the image is not there yet, as a builder does that works elsewhere."""
        return Building(why=f"dry run: would build {order.dockerfile} at {order.commit[:12]} as {order.destination}")
