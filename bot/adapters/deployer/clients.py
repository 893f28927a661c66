"""Clients of the services beside Lambda, one for each account and Region, made when they are first needed."""

import threading
from collections.abc import Callable
from typing import Any

from boto3.session import Session

from bot.adapters.deployer.lambda_functions import CONFIG

Clients = Callable[[str, str], Any]
"""Gives the client for an account and a Region."""


def clients_by_place(service: str, session_of: Callable[[str], Session], *, endpoint_url: str | None = None) -> Clients:
    """Return a giver of clients that try each call three times; `session_of` gives the session for an account."""
    clients: dict[tuple[str, str], object] = {}
    lock = threading.Lock()

    def client(account: str, region: str) -> object:
        with lock:  # sessions do not make clients in two threads at once
            if (account, region) not in clients:
                session: Any = session_of(account)
                clients[account, region] = session.client(
                    service, region_name=region, endpoint_url=endpoint_url, config=CONFIG
                )
            return clients[account, region]

    return client
