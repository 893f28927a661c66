"""A call of one REST operation, its reply, and the rules that all operations share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from tests.lab.github.accounts import Account, Token
from tests.lab.github.hub import Hub
from tests.lab.github.refusals import Refusal
from tests.lab.github.repository import Pull, Repository
from tests.lab.github.shapes import Shapes
from tests.lab.github.shapes_git import Json

_PER_PAGE: Final = 30
_MOST_PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an operation answers; a body that is no bytes travels as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that arrived: who calls, what stands in path, query and body."""

    hub: Hub
    shapes: Shapes
    method: str
    path: str
    values: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    token: Token | None

    @property
    def account(self) -> Account:
        """Who calls; a call by nobody is refused."""
        if self.token is None:
            raise Refusal(401, "Requires authentication")
        return self.token.account

    def repository(self, *permissions: str) -> Repository:
        """Return the repository of the path for a caller with one of these permissions.

        Refused as GitHub does: unseen is not found, a former name leads on, an archive is read-only.
        """
        name = f"{self.values['owner']}/{self.values['repo']}"
        repository = self.hub.repository(name)
        if repository is None:
            self._lead_on(name)
            raise Refusal(404, "Not Found")
        if not self.hub.may_see(self.token, repository):
            raise Refusal(404, "Not Found")
        self._require(repository, permissions)
        return repository

    def pull(self, repository: Repository, key: str) -> Pull:
        """Return the pull request of the path."""
        number = self.values[key]
        pull = self.hub.pull(repository, int(number)) if number.isdecimal() else None
        if pull is None:
            raise Refusal(404, "Not Found")
        return pull

    def page(self, items: Sequence[Any], build: Callable[[Any], Json]) -> tuple[list[Json], dict[str, str]]:
        """Cut one page out of a list, and build its Link header."""
        size = min(int(self.query.get("per_page", _PER_PAGE)), _MOST_PER_PAGE)
        number = int(self.query.get("page", 1))
        last = max(1, -(-len(items) // size))
        pages = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        wanted = (["prev"] if number > 1 else []) + (["next", "last"] if number < last else [])
        links = [self._link(pages[name], name) for name in [*wanted, *(["first"] if number > 1 else [])]]
        shown = [build(item) for item in items[(number - 1) * size : number * size]]
        return shown, {"Link": ", ".join(links)} if links else {}

    def _link(self, page: int, relation: str) -> str:
        query = urlencode({**self.query, "page": page})
        return f'<{self.shapes.api}{quote(self.path, safe="/%")}?{query}>; rel="{relation}"'

    def _lead_on(self, name: str) -> None:
        moved = self.hub.renamed(name)
        if moved is None or not self.hub.may_see(self.token, moved):
            return
        rest = self.path.split("/", 4)[4:]
        location = "/".join([f"{self.shapes.api}/repositories/{moved.id}", *rest])
        status = 301 if self.method == "GET" else 307
        refusal = Refusal(status, "Moved Permanently", headers={"Location": location})
        del refusal.body["status"]
        refusal.body["url"] = location
        raise refusal

    def _require(self, repository: Repository, permissions: Sequence[str]) -> None:
        is_write = self.method != "GET"
        if not is_write and not repository.private:
            return
        token = self.token
        if token is None:
            raise Refusal(401, "Requires authentication")
        if not self.hub.reaches(token, repository) or not any(token.may(one) for one in permissions):
            raise forbidden(token, permissions)
        if is_write and repository.archived:
            raise Refusal(403, "Repository was archived so is read-only.")


def forbidden(token: Token, permissions: Sequence[str]) -> Refusal:
    """Build the refusal of a token that lacks a permission."""
    headers = {"X-Accepted-GitHub-Permissions": "; ".join(sorted(permissions))}
    return Refusal(403, f"Resource not accessible by {token.kind_name}", headers=headers)


Endpoint = Callable[[Call], Reply]
ENDPOINTS: Final[dict[str, Endpoint]] = {}
"""The operations that the fake speaks, by the id that GitHub's description gives them."""


def endpoint(operation: str) -> Callable[[Endpoint], Endpoint]:
    """Register a function as the answer to an operation."""

    def register(function: Endpoint) -> Endpoint:
        ENDPOINTS[operation] = function
        return function

    return register
