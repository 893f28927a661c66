"""From Lambda's answer about a function to a candidate for the map: its names, image and tags.

GetFunction tells all three, within the larger of Lambda's two quotas; a listing tells neither image nor tags.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.adapters.deployer.aws_errors import explained
from bot.adapters.deployer.lambda_answers import tags_fault_of
from bot.core.errors import InvalidReference
from bot.core.mapping import Candidate
from bot.core.reference import Reference

Clients = Callable[[str], Any]
"""Makes a Lambda client of a Region."""


@dataclass(frozen=True, slots=True)
class Place:
    """One account and Region; `account` is None for the account of the process."""

    region: str
    account: str | None = None

    def __str__(self) -> str:
        return f"account {self.account} in {self.region}" if self.account else self.region


def names_of(arn: str, default_region: str, *, is_own: bool) -> tuple[str, ...]:
    """Say under which names settings may know a function: without a Region in it, a name means the default one."""
    _, _, _, region, account, _, name = arn.split(":")
    if region != default_region:
        return (arn,)
    partial = (arn, f"{account}:function:{name}")
    return (*partial, name) if is_own else partial


def candidate(names: tuple[str, ...], answer: Mapping[str, Any]) -> Candidate:
    """Read an answer to GetFunction; what it does not tell stands under `unread`, and the rest is good."""
    unread = {}
    code = answer.get("Code", {})
    image = None
    try:
        image = Reference.parse(code["ResolvedImageUri"])
    except (KeyError, InvalidReference):
        error = code.get("Error", {})
        reason = explained(str(error.get("ErrorCode", "")), str(error.get("Message", "")))
        unread["image"] = unread["labels"] = f"Lambda names no resolved image ({reason or 'no reason given'})"
    if fault := tags_fault_of(answer):
        unread["tags"] = fault
    return Candidate(names=names, image=image, tags=answer.get("Tags", {}), unread=unread)


def unreadable(names: tuple[str, ...], why: str) -> Candidate:
    """Tell a function that is listed and cannot be read."""
    return Candidate(names=names, unread=dict.fromkeys(("image", "labels", "tags"), why))
