"""What a distribution says about the security of its packages."""

from typing import Protocol

from bot.core.advisories import Bulletin
from bot.core.platforms import Platform


class Advisories(Protocol):
    """Reads advisories as they are now: they come later than the packages that they name, so nothing read is final."""

    def bulletin(self, system: str, platform: Platform) -> Bulletin:
        """Return all advisories of an operating system as the catalogue calls it, such as AL2023, on a platform.

        Raises `AdvisoryError` if there is no feed for it, if it cannot be fetched, or if its bytes are not its own.
        """
        ...
