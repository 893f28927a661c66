"""Where one GitHub is: its REST address, and the two that follow from it."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

GITHUB_COM: Final = "https://api.github.com"
_ENTERPRISE: Final = "/api/v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The addresses of one GitHub, none of which ends in a slash.

    `rest` is what the settings name: https://api.github.com, or https://HOST/api/v3 for an Enterprise Server
    (docs.github.com, "Getting started with the REST API" and "Forming calls with GraphQL").
    """

    rest: str
    graphql: str
    git: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Derive the others from the REST address."""
        rest = url.rstrip("/")
        parts = urlsplit(rest)
        origin = f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
        if rest.endswith(_ENTERPRISE):
            return cls(rest=rest, graphql=f"{rest.removesuffix('/v3')}/graphql", git=origin)
        return cls(rest=rest, graphql=f"{rest}/graphql", git=origin)

    def clone_url(self, repository: str) -> str:
        """Where git finds a repository, named OWNER/NAME."""
        return f"{self.git}/{repository}.git"
