"""What each kind of finding means and what cures it, in the words that code scanning shows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from bot.core.responsibility import REDEPLOY


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of finding: what is wrong, and what to do."""

    identifier: str
    title: str
    help: str

    @property
    def document(self) -> dict[str, Any]:
        """The same as SARIF's reportingDescriptor."""
        return {
            "id": self.identifier,
            "name": "".join(word.capitalize() for word in self.identifier.split("-")),
            "shortDescription": {"text": self.title},
            "fullDescription": {"text": self.title},
            "help": {"text": self.help, "markdown": self.help},
            "properties": {"tags": ["aws-lambda", "container-image", "patching"]},
        }


BEHIND: Final = Rule(
    identifier="base-image-behind",
    title="A newer Lambda base image is there.",
    help="AWS published a newer base image than the one that this line names. Merge the pull request of refrom, or "
    "point the line at the newer digest, then rebuild and redeploy. A note says that the policy still waits.",
)
NOT_FOLLOWED: Final = Rule(
    identifier="base-image-not-followed",
    title="refrom does not keep this base image current.",
    help="Nobody updates this line. Name a version and not latest, write the reference where it can be edited, or "
    "accept what the message says.",
)
NOT_READ: Final = Rule(
    identifier="source-not-read",
    title="A file that may name a base image could not be read.",
    help="What the file names is not known, so it may be behind. Make it one that a build accepts; the message says "
    "what stands in the way.",
)
_REDEPLOY: Final = Rule(
    identifier="redeploy-on-the-latest-base",
    title="A function runs on an older Lambda base image.",
    help="For container images AWS publishes updated base images, and the customer rebuilds and redeploys on the "
    "latest. Merge what refrom proposes and let it redeploy, or rebuild and redeploy yourself; a hold with its reason "
    "makes an exception.",
)


def rule_of(duty: str) -> Rule:
    """The rule of a duty."""
    if duty == REDEPLOY:
        return _REDEPLOY
    identifier = re.sub(r"[^a-z0-9]+", "-", duty.lower()).strip("-")
    return Rule(
        identifier=identifier,
        title=f"A duty of the customer is not met: {duty}.",
        help=f"By AWS's shared responsibility for Lambda runtimes the customer has to {duty}. The message says since "
        "when it is owed, and why.",
    )


def every_rule(duties: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of an audit that names these duties, each once, the same for whatever is found."""
    found = {rule.identifier: rule for rule in (_REDEPLOY, BEHIND, NOT_FOLLOWED, NOT_READ, *map(rule_of, duties))}
    return tuple(found.values())
