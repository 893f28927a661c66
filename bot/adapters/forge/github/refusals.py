"""GitHub's refusals in words: what it said, what that means, and what helps.

GitHub answers 404 for what a token may not see, and names in a header which permissions would do
(docs.github.com, "Troubleshooting the REST API").
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from bot.adapters.transport import Response, excerpt
from bot.core.errors import ForgeError

_NEW_TOKEN: Final = "put a new one where the settings name it under forges"  # noqa: S105 - words, not a secret
_OF_AN_APP: Final = ("json web token", "claim (")
_ALL_NEEDED: Final = "contents: write and pull-requests: write"
_FOR_WORKFLOWS: Final = "in a workflow, under permissions"
_NOT_ACCESSIBLE: Final = "not accessible by"
_CURES: Final = {
    "not permitted to create": (
        "allow GitHub Actions to create pull requests under Settings, Actions, General, or use another token"
    ),
    "installation has been suspended": "end the suspension where the App is installed",
    "draft pull requests are not supported": "take draft out of pull_requests in the settings",
    "auto merge is not allowed": "allow it under Settings, General, Pull Requests of that repository",
    "clean status": "nothing is left there that it could wait for: require a check, or merge it by hand",
    "rules not configured": "nothing is required there that it could wait for: require a check, or merge it by hand",
    "archived": "take it from include, or unarchive it",
}
"""What helps, by what GitHub says where it gives no code."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal says: its message, the kinds of its errors where it is GraphQL's, which fields are invalid."""

    message: str
    kinds: frozenset[str] = frozenset()
    invalid: frozenset[str] = frozenset()

    @classmethod
    def of_rest(cls, answer: Response) -> Self:
        """Read `message` and the messages of `errors`; what is no such document is shown as it begins."""
        try:
            document = json.loads(answer.body)
            errors = list(document.get("errors") or ())
            message = "; ".join(filter(None, [str(document["message"]), *map(_detail, errors)]))
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            return cls(answer.excerpt)
        invalid = [e.get("field") for e in errors if isinstance(e, Mapping) and e.get("code") == "invalid"]
        return cls(excerpt(message.encode(errors="replace")), invalid=frozenset(map(str, invalid)))

    @classmethod
    def of_graphql(cls, errors: Sequence[Mapping[str, object]]) -> Self:
        """Read the messages and types of GraphQL errors."""
        message = "; ".join(str(error.get("message", "")) for error in errors)
        return cls(excerpt(message.encode(errors="replace")), frozenset(str(error.get("type")) for error in errors))


class Refusal(ForgeError):
    """An answer of GitHub that is not what was asked for."""

    def __init__(self, message: str, *, status: int, said: Said, retryable: bool = False) -> None:
        super().__init__(message, retryable=retryable)
        self.status, self.said = status, said


class OwnerFault(ForgeError):
    """One owner cannot be served; the others may be."""


def refusal(what: str, verb: str, answer: Response, said: Said) -> Refusal:
    """Explain an answer; `what` is the repository or owner, `verb` what was to be done with it."""
    status = "" if answer.status == 200 else f"{answer.status} "  # GraphQL refuses with 200
    text = f"{what}: GitHub does not let us {verb} ({status}{said.message or 'no reason given'}); "
    cure = _cure(answer, said)
    return Refusal(text + cure, status=answer.status, said=said, retryable=answer.status >= 500)


def _cure(answer: Response, said: Said) -> str:
    message, needed = said.message.casefold(), answer.headers.get("X-Accepted-GitHub-Permissions")
    if answer.status == 401 and any(words in message for words in _OF_AN_APP):
        return "check the App's id and private key under forges, and this machine's clock"
    if answer.status == 401:
        return f"the token is expired, revoked or mistyped: {_NEW_TOKEN}"
    for words, cure in _CURES.items():
        if words in message:
            return cure
    if "FORBIDDEN" in said.kinds or _NOT_ACCESSIBLE in message or needed:
        return f"give the token the permission {_in_words(needed) if needed else _ALL_NEEDED} ({_FOR_WORKFLOWS})"
    if answer.status == 404 or "NOT_FOUND" in said.kinds:
        return "check its name, and that the token may see it"
    if answer.status in (301, 307, 308):
        return "it was renamed: write the new name in the settings"
    if answer.status == 403:
        return "check what the token may do there, and the organisation's rules for tokens"
    return "run again later" if answer.status >= 500 else "see what it says of the rules of that repository"


def _in_words(needed: str) -> str:
    """Write permissions as a workflow does; commas join what is needed together, semicolons what would do as well."""
    words = excerpt(needed.encode()).replace("=", ": ").replace("_", "-")
    return " or ".join(" and ".join(map(str.strip, one.split(","))) for one in map(str.strip, words.split(";")))


def _detail(error: object) -> str:
    """One error of a validation: a text, or an object with a message or a field and a code."""
    if not isinstance(error, Mapping):
        return str(error)
    return str(error.get("message") or " ".join(str(error[k]) for k in ("resource", "field", "code") if k in error))
