"""What a container's health check runs: 0 if the service answers that it is healthy, 1 with the reason if not."""

import os
import sys
from http.client import HTTPConnection, HTTPException
from typing import Final

from bot.entrypoints.service.address import Address

LISTEN: Final = "127.0.0.1:8080"
"""Where the service listens unless REFROM_LISTEN, or its option --listen, says otherwise."""
_PATIENCE: Final = 4.0


def probe(listen: str) -> tuple[bool, str]:
    """Ask the service once; say whether it is healthy, and what it answered."""
    address = Address.parse(listen).from_here
    connection = HTTPConnection(address.host, address.port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200, answer.read().decode(errors="replace")
    except (OSError, HTTPException) as fault:
        return False, f"{address} does not answer ({type(fault).__name__})"
    finally:
        connection.close()


if __name__ == "__main__":
    healthy, said = probe(os.environ.get("REFROM_LISTEN", LISTEN))
    sys.stdout.write(f"{said}\n")
    sys.exit(0 if healthy else 1)
