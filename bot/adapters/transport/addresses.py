"""URLs as far as safety needs them: whose host it is, how it is shown, where a redirect may lead."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_SHOWN = 300


def host_of(url: str) -> str:
    """Return `name`, or `name:port` where the port is not the scheme's own; raises ValueError for no HTTP URL.

    A user name in the URL is no part of the host, however much it may look like one.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no URL with http or https and a host")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return name if parts.port in (None, _PORTS[parts.scheme]) else f"{name}:{parts.port}"


def is_secure(url: str) -> bool:
    """Say whether a URL speaks TLS."""
    return urlsplit(url).scheme == "https"


def same_origin(one: str, other: str) -> bool:
    """Say whether two URLs share scheme, host and port, so that a credential for one may go to the other."""
    return is_secure(one) == is_secure(other) and host_of(one) == host_of(other)


def is_loopback(url: str) -> bool:
    """Say whether a URL names this machine."""
    name = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def redacted(url: str) -> str:
    """Return a URL for people: without user name, password and query, each of which may be a secret."""
    try:
        parts, host = urlsplit(url), host_of(url)
    except ValueError:
        return "a malformed URL"
    shown = f"{parts.scheme}://{host}{parts.path}{'?...' if parts.query else ''}"
    return "".join(c if c.isprintable() else "?" for c in shown[:_LONGEST_SHOWN])
