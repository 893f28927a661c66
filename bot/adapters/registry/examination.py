"""Do the registries of the settings answer, and do they take our logins?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.adapters.registry.calls import Calls
from bot.adapters.registry.endpoint import Endpoint
from bot.adapters.registry.refusal import translated
from bot.adapters.transport import SMALL_BODY, Transport
from bot.core.reference import Reference
from bot.ports.examination import ACCESS, Check, checked, passed


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistriesExamination:
    """Asks each registry whether it speaks the distribution API (distribution-spec, end-1: `GET /v2/`).

    `paces` are the requests a second that a host is sent at most.
    """

    transport: Transport
    endpoints: Sequence[Endpoint]
    paces: Mapping[str, float]

    @property
    def subject(self) -> str:
        """All of them."""
        return "registries"

    def examine(self) -> Iterator[Check]:
        """Log in where the settings have a login, else see whether anybody answers."""
        calls = Calls(self.transport, self.endpoints)
        for endpoint in self.endpoints:
            look: Callable[[], str] = partial(_reach, self.transport, endpoint)
            if endpoint.credentials:
                look = partial(_log_in, calls, endpoint)
            yield checked(endpoint.host, ACCESS, look)
        for host, pace in self.paces.items():
            yield passed(host, "pace", f"is sent at most {pace:g} a second")


def _log_in(calls: Calls, endpoint: Endpoint) -> str:
    """Ask as ourselves; whether a repository may be read or written, only the repository tells."""
    login = endpoint.login()
    calls.request("GET", _root(endpoint), "../", scope="", limit=SMALL_BODY)
    return f"takes the login of {login.username if login else 'nobody'}"


def _reach(transport: Transport, endpoint: Endpoint) -> str:
    with translated(_root(endpoint)):
        answer = transport.request("GET", f"{endpoint.base}/v2/")
    return f"answers {answer.status} at {endpoint.base}"


def _root(endpoint: Endpoint) -> Reference:
    """Something to name in errors; no repository is asked for."""
    return Reference(endpoint.host, "v2")
