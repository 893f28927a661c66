"""Which images a lifecycle policy of ECR expires (ECR user guide, "Lifecycle policy parameters", read as a document).

The rule with the lowest priority number that selects an image decides for it; whatever else a policy holds is of no
concern here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from bot.core.errors import DeployError

_ENOUGH: Final = 1000
"""Newer images that a repository hardly gets while a rollback may be wanted: one a day for three years."""


_DOES: Final = {"expire": "expires", "transition": "archives"}
_SINCE: Final = {"sinceImagePushed": "its push", "sinceImagePulled": "its last pull"}


def expiring_rule(policy: str, tags: Sequence[str]) -> str:
    """Say by which rule of a policy an image with these tags expires one day; empty if it is kept.

    Raises `DeployError` for what is no lifecycle policy.
    """
    for rule in sorted(_rules(policy), key=lambda rule: int(rule["rulePriority"])):
        if _selects(rule["selection"], tags):
            return _expiry(rule)
    return ""


def _rules(policy: str) -> Iterable[Mapping[str, Any]]:
    try:
        rules = json.loads(policy)["rules"]
        for rule in rules:
            _ = int(rule["rulePriority"]), rule["selection"]["tagStatus"], rule["selection"]["countType"]
            _ = int(rule["selection"]["countNumber"]), rule["action"]["type"]
    except (KeyError, TypeError, ValueError) as fault:
        raise DeployError(f"the lifecycle policy cannot be read ({fault!r}); look at it in ECR") from fault
    return list(rules)


def _selects(selection: Mapping[str, Any], tags: Sequence[str]) -> bool:
    """Say whether a rule is about an image: of several prefixes or patterns every one must fit one of its tags."""
    match selection["tagStatus"]:
        case "any":
            return True
        case "untagged":
            return not tags
        case _:
            prefixes = [f"{_literal(prefix)}*" for prefix in selection.get("tagPrefixList", ())]
            patterns = [_literal(pattern).replace("[*]", "*") for pattern in selection.get("tagPatternList", ())]
            return all(any(fnmatchcase(tag, glob) for tag in tags) for glob in (*prefixes, *patterns))


def _literal(text: str) -> str:
    """Escape what a glob means and a prefix does not."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in text)


def _expiry(rule: Mapping[str, Any]) -> str:
    """Word what a rule does to an image that it selects; an archived image cannot be pulled either."""
    selection, number = rule["selection"], int(rule["selection"]["countNumber"])
    does = _DOES.get(rule["action"]["type"], rule["action"]["type"])
    what = f"rule {rule['rulePriority']} of the lifecycle policy {does} it"
    if selection["countType"] == "imageCountMoreThan":
        return f"{what} once {number} newer images are there" if number < _ENOUGH else ""
    since = _SINCE.get(selection["countType"], selection["countType"])
    return f"{what} {number} {selection.get('countUnit', 'days')} after {since}"
