"""What GitHub says when it does not do what was asked: errors of REST, and errors of GraphQL fields."""

from collections.abc import Mapping
from typing import Any, Final

DOCS: Final = "https://docs.github.com/rest"


class Refusal(Exception):
    """An error of the REST API: status, message, and what some errors have beside."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        documentation: str = DOCS,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message = status, message
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"message": message, "documentation_url": documentation, "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors


class FieldRefusal(Exception):
    """An error of one field of a GraphQL answer: its type as GitHub names it, and the message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Gap(AssertionError):
    """What the fake does not speak: a gap of the lab, or a call that the product should not make."""


def invalid(resource: str, *, field: str = "", code: str = "custom", message: str = "") -> Refusal:
    """Build the 422 that names what is invalid."""
    error = {"resource": resource, "code": code}
    error |= {"field": field} if field else {}
    error |= {"message": message} if message else {}
    return Refusal(422, "Validation Failed", errors=[error])
