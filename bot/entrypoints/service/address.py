"""Where the pages are: an address and a port, as one text."""

import re
import socket
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]/]+)):(?P<port>\d{1,5})\Z")
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Address:
    """An address to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `HOST:PORT`, an IPv6 address in brackets. Raises `ValueError`."""
        found = _FORM.match(text)
        if not found or int(found["port"]) > 65535:
            raise ValueError(f"{text!r} is no address to listen on; write HOST:PORT, such as 127.0.0.1:8080")
        return cls(found["v6"] or found["host"], int(found["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pair(self) -> tuple[str, int]:
        """The address as sockets take it."""
        return self.host, self.port

    @property
    def family(self) -> socket.AddressFamily:
        """The protocol's family."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def from_here(self) -> "Address":
        """The same seen from this machine: what listens everywhere is reached over loopback."""
        return Address(_EVERYWHERE.get(self.host, self.host), self.port)
