"""A plain caller of the fake's API, with requests and no knowledge of the product."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import requests


class Caller:
    """Calls with one token; paths are below the API's address."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"})
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send a request and return whatever comes, redirects too."""
        url = path if path.startswith("http") else f"{self.url}{path}"
        return self.session.request(method, url, json=body, headers=headers, allow_redirects=False, timeout=30)

    def get(self, path: str) -> Any:
        """Return what a path holds."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object) -> Any:
        """Make something, and return it."""
        answer = self.send("POST", path, body)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Return status and message of a refusal, the message of its first error where it has one."""
        answer = self.send(method, path, body)
        said = answer.json()
        errors = said.get("errors") or [{}]
        return answer.status_code, errors[0].get("message", said["message"])

    def ask(self, query: str, **variables: object) -> Any:
        """Ask GraphQL, and return the whole answer."""
        path = "/graphql" if not self.url.endswith("/api/v3") else f"{self.url.removesuffix('/v3')}/graphql"
        answer = self.send("POST", path, {"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        return answer.json()
