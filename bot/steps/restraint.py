"""Restraint: what keeps a function from the base that it should stand on, or from anything: modes, blocks, halts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.deployment import Alias, handed_over, underway
from bot.core.errors import DeployError, RefromError
from bot.core.image import Image
from bot.core.modes import Mode, effective, rides
from bot.core.observation import KnownBase
from bot.core.taken_back import TakenBack, why_halted
from bot.core.target import Target
from bot.ports.deployer import Function
from bot.steps.inquire import Inquiry
from bot.steps.taken_back import find_all_taken_back


@dataclass(slots=True)
class Restraint:
    """What restrains functions in one run; each rule says why in a clause, and nothing where it does not."""

    inquiry: Inquiry
    asked: str = field(init=False, default="")
    """The function that a person asks for by hand."""
    behind: str = field(init=False, default="")
    """What is not done in the Regions before."""
    marked: dict[str, None] = field(init=False, default_factory=dict)
    """The functions whose aliases say that a version was taken back, in the order in which they were met."""
    halted: set[str] = field(init=False, default_factory=set)
    """The functions that do not begin because their base was taken back elsewhere."""
    _taken_back: tuple[TakenBack, ...] | None = field(init=False, default=None)
    """What the aliases say was taken back; None until something is about to begin, which that may halt."""
    _unread: str = field(init=False, default="")

    def note_taken_back(self, function: str) -> None:
        """Take note that a version was taken back just now, so that the aliases are read again."""
        self.marked[function], self._taken_back = None, None

    def marks(self) -> Sequence[TakenBack]:
        """What the aliases say was taken back, read once, and again after something is."""
        if self._taken_back is None:
            self._taken_back, self._unread = find_all_taken_back(self.inquiry.rules.targets, self.inquiry)
        return self._taken_back

    def left_alone(self, target: Target, function: Function, now: datetime) -> str:
        """Say why mode `manual` keeps a function as it is, empty if it does not.

        Raises `DeployError` where nobody can tell what mode was meant.
        """
        mode = effective(self.inquiry.modes_of(target, function), now.date())
        if mode.fault:
            raise DeployError(f"{target.function} is left alone: {mode}")
        return str(mode) if mode.mode is Mode.MANUAL else ""

    def rides_later(self, target: Target, function: Function, image: Image, goal: KnownBase, now: datetime) -> str:
        """Say why a function in mode `function-update` is not rebuilt on a goal yet; empty if it may be.

        What stands on a blocked base is not left there, and what a person asks for by hand is a change of theirs.
        """
        mode = effective(self.inquiry.modes_of(target, function), now.date()).mode
        if mode is not Mode.FUNCTION_UPDATE or self.asked == target.function:
            return ""
        if rides(self.inquiry.surveys[target.repository].changed, self.inquiry.first_seen(goal, now)):
            return ""
        runs = self.inquiry.lineage_of(image).base
        if runs and self.block(runs, now):
            return ""
        return f"mode {mode}: {goal.reference} comes with the next change of {target.repository}"

    def block(self, base: KnownBase, now: datetime) -> str:
        """Say that a base is blocked; empty if it is not."""
        blocked = self.inquiry.rules.declared.blocked(now.date()) & base.digests
        return f"the base {base.reference} is blocked; nothing is built or shifted to it" if blocked else ""

    def halt(self, target: Target, goal: KnownBase, now: datetime) -> str:
        """Say why a function may not begin on a base now; empty if it may, as all that a person asks for by hand."""
        if (blocked := self.block(goal, now)) or self.asked:
            return blocked
        if why := why_halted(target.function, goal, self.marks()):
            self.halted.add(target.function)
            return why
        return self._unread or self.behind

    def condemned(self, target: Target, alias: Alias, now: datetime) -> str:
        """Say that the version to which an alias is to be shifted stands on a blocked base.

        Empty if not, or while nobody can tell; `$LATEST` may be somebody else's by now.
        """
        mark = underway(alias) or handed_over(alias)
        if mark is None or not self.inquiry.rules.declared.blocked(now.date()):
            return ""
        try:
            new = self.inquiry.world.functions.function(target.function, mark.new)
            base = self.inquiry.lineage(new.image, new.platform).base if new.image else None
        except RefromError:  # what cannot be read leaves no deployment half done; the next look reads again
            return ""
        return f"its base {base.reference} is blocked" if base and self.block(base, now) else ""
