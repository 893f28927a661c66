"""Addresses to listen on are read strictly, and what listens everywhere is asked over loopback."""

import pytest

from bot.entrypoints.service.address import Address


@pytest.mark.parametrize(
    ("text", "here"),
    [
        pytest.param("127.0.0.1:8080", "127.0.0.1:8080", id="IPv4"),
        pytest.param("0.0.0.0:80", "127.0.0.1:80", id="everywhere"),
        pytest.param("[::1]:8080", "[::1]:8080", id="IPv6"),
        pytest.param("[::]:8080", "[::1]:8080", id="everywhere in IPv6"),
        pytest.param("localhost:65535", "localhost:65535", id="a name"),
    ],
)
def test_an_address_is_read_and_written(text: str, here: str) -> None:
    address = Address.parse(text)

    assert str(address) == text
    assert str(address.from_here) == here


@pytest.mark.parametrize(
    "text", ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "::1:8080", "a:65536", "a:1\n", "http://a:1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address to listen on; write HOST:PORT"):
        Address.parse(text)
