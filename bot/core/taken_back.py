"""Taken back: a version that an alias serves no longer, the base that it brought, and what is said about that.

It is read off the alias, so a process that died in between, or a store that is lost, hides none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.deployment import Alias, Mark
from bot.core.digest import Digest
from bot.core.observation import KnownBase
from bot.core.pull_request import code
from bot.core.reference import Reference

_LONGEST_WHY = 2000
_UNKNOWN_WHY = "the log of the run that took it back says why"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """Version `version` of a function was taken back from an alias, which stands on `base` no longer."""

    function: str
    arn: str
    alias: Alias
    version: str
    since: datetime
    image: Reference
    base: KnownBase

    @property
    def bases(self) -> frozenset[Digest]:
        """The digests by which its base may be named: that of all platforms, and that of its own."""
        return self.base.digests

    @property
    def halts(self) -> str:
        """Why no other function begins on its base."""
        return (
            f"the rollout of {self.base.reference} halts: {self.function} was rolled back; wait for a newer base, "
            f"take refrom's mark out of the description of its alias {self.alias.name}, or redeploy by hand"
        )

    @property
    def mark(self) -> str:
        """One line of HTML comment by which the comment is found again."""
        return f"<!-- refrom:taken-back {Digest.of(f'{self.arn} {self.version}'.encode()).short} -->"

    def comment(self, why: str) -> str:
        """What the pull request is told that brought the base; what comes from outside stands in code spans."""
        base, alias = self.base.reference, code(self.alias.name)
        mark = Mark(new=self.version, since=self.since).on("")
        served = f"Its alias {alias} serves version {code(self.alias.version)}"
        left = f"version {code(self.version)}, which runs {code(str(self.image), _LONGEST_WHY)}"
        digest = code(str(self.base.shared))
        lines = (
            f"**Function {code(self.function)} was taken back from this base image.**\n",
            f"{served}; {left}, was taken back at {self.since:%Y-%m-%d %H:%M} UTC.",
            f"The base image is {code(str(base), _LONGEST_WHY)}.\n",
            f"Why: {code(why or _UNKNOWN_WHY, _LONGEST_WHY)}\n",
            "No other function begins on this base image until a newer one comes. What can be done:\n",
            f"- If the base image is bad: `refrom block` {digest}.",
            f"- If it is not: take {code(mark)} out of the alias's description; the next run tries that version again.",
            "- For one other function: `refrom redeploy FUNCTION`.",
        )
        return "\n".join(lines)


def why_halted(function: str, base: KnownBase, found: Sequence[TakenBack]) -> str:
    """Say why a function may not begin on a base; empty if it may, or if its own alias says that of itself."""
    there = [one for one in found if one.bases & base.digests]
    if any(one.function == function for one in there):
        return ""
    return there[0].halts if there else ""
