"""Words that have an order, the lowest first."""

from enum import StrEnum


class Ranked(StrEnum):
    """An enumeration that is compared by the order in which its members stand, not by the alphabet as texts are."""

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return tuple(type(self)).index(self)

    # str's own comparisons would go by the alphabet, so all four are replaced.
    def __lt__(self, other: str) -> bool:
        return self.rank < type(self)(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= type(self)(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > type(self)(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= type(self)(other).rank
