"""Where registries are reached, and who may see credentials."""

import pytest

from bot.adapters.registry import Credentials, Endpoint


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        (Endpoint(host="public.ecr.aws"), "https://public.ecr.aws"),
        (Endpoint(host="docker.io"), "https://registry-1.docker.io"),
        (Endpoint(host="docker.io", url="https://mirror.example/hub/"), "https://mirror.example/hub"),
        (Endpoint(host="127.0.0.1:5000"), "http://127.0.0.1:5000"),
        (Endpoint(host="localhost:5000"), "http://localhost:5000"),
        (Endpoint(host="[::1]:5000"), "http://[::1]:5000"),
        (Endpoint(host="10.0.0.1:5000"), "https://10.0.0.1:5000"),
        (Endpoint(host="127.0.0.1.example"), "https://127.0.0.1.example"),
        (Endpoint(host="registry.internal", url="http://registry.internal"), "http://registry.internal"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.host,
)
def test_plain_http_is_for_loopback_and_for_who_writes_it(endpoint: Endpoint, base: str) -> None:
    assert endpoint.base == base


@pytest.mark.parametrize(
    ("host", "url", "trusted"),
    [
        ("ghcr.io", "https://ghcr.io/token", True),
        ("ghcr.io", "https://ghcr.io:443/token", True),
        ("ghcr.io", "http://ghcr.io/token", False),
        ("ghcr.io", "https://ghcr.io:8443/token", False),
        ("ghcr.io", "https://ghcr.io@evil.example/token", False),
        ("ghcr.io", "https://token.ghcr.io/", False),
        ("docker.io", "https://auth.docker.io/token", True),
        ("ghcr.io", "https://auth.docker.io/token", False),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
    ],
)
def test_credentials_are_for_the_registry_and_for_named_token_hosts(host: str, url: str, *, trusted: bool) -> None:
    named = ("gitlab.com",) if host == "registry.gitlab.com" else ()

    assert Endpoint(host=host, token_hosts=named).trusts(url) is trusted


def test_a_password_is_in_no_repr() -> None:
    credentials = Credentials(username="AWS", password="s3cret")  # noqa: S106 (the point of the test)
    endpoint = Endpoint(host="r.example", credentials=lambda: credentials)

    assert "s3cret" not in f"{credentials!r} {credentials} {endpoint!r}"
    assert credentials.basic() == "Basic QVdTOnMzY3JldA=="
