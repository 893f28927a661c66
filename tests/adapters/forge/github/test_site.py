"""The addresses of one GitHub."""

import pytest

from bot.adapters.forge.github import Site


@pytest.mark.parametrize(
    ("url", "graphql", "clone"),
    [
        ("https://api.github.com", "https://api.github.com/graphql", "https://github.com/acme/orders.git"),
        ("https://api.github.com/", "https://api.github.com/graphql", "https://github.com/acme/orders.git"),
        ("https://ghe.acme.com/api/v3", "https://ghe.acme.com/api/graphql", "https://ghe.acme.com/acme/orders.git"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com/acme/orders.git"),
        ("http://127.0.0.1:81/api/v3", "http://127.0.0.1:81/api/graphql", "http://127.0.0.1:81/acme/orders.git"),
    ],
)
def test_graphql_and_git_follow_from_the_rest_address(url: str, graphql: str, clone: str) -> None:
    site = Site.of(url)

    assert (site.graphql, site.clone_url("acme/orders")) == (graphql, clone)
