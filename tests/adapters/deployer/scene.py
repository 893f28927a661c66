"""What the tests of the deployers act with: images in a real registry, and time that passes."""

from dataclasses import dataclass
from datetime import timedelta

from bot.adapters.registry import HttpRegistry
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.clock import Clock
from tests.lab.images import AMD64, put_image, put_index


@dataclass(frozen=True, slots=True)
class Images:
    """Pushes small images; an image that holds another text has another digest."""

    host: str
    registry: HttpRegistry

    def push(self, name: str, text: str = "", platform: Platform = AMD64) -> Reference:
        """Push `repository:tag` and return it with tag and digest."""
        target = Reference.parse(f"{self.host}/{name}")
        image = put_image(self.registry, target, ({"var/task/app.py": text.encode()},), platform=platform)
        return target.with_digest(image.digest)

    def push_index(self, name: str) -> Reference:
        """Push an index of one image."""
        target = Reference.parse(f"{self.host}/{name}")
        index = put_index(self.registry, target, [put_image(self.registry, target.with_tag("child"))])
        return target.with_digest(index.digest)


def let_pass(clock: Clock, seconds: float) -> None:
    """Let time pass."""
    clock.wait_until(clock.now() + timedelta(seconds=seconds))
