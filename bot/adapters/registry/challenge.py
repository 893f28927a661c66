"""WWW-Authenticate as registries send it (RFC 9110, 11.6.1; distribution-spec, "Token authentication")."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 8192
_TOKEN = r"[\w!#$%&'*+.^`|~-]+"  # noqa: S105 (a pattern, no secret)
_PART: Final = re.compile(
    rf'[\s,]*(?:(?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))|(?P<scheme>{_TOKEN})(?!\s*=)(?=[\s,]|\Z))',
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that a server offers; scheme and parameter names are in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Read all challenges of a header in their order; what follows a malformed part is left out."""
    found: list[tuple[str, dict[str, str]]] = []
    text, position = header[:_LONGEST], 0
    while part := _PART.match(text, position):
        position = part.end()
        if part["scheme"]:
            found.append((part["scheme"].lower(), {}))
        elif found:
            found[-1][1].setdefault(part["name"].lower(), _value(part))
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


def _value(part: re.Match[str]) -> str:
    return part["bare"] or re.sub(r"\\(.)", r"\1", part["quoted"] or "")
