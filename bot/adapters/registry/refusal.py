"""Refusals of a registry in words: what it said (distribution-spec, "Error codes"), what it means, what helps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from bot.adapters.registry.endpoint import Endpoint
from bot.adapters.transport import Response, TransportError, excerpt
from bot.core.errors import InvalidImage, RegistryError
from bot.core.reference import Reference


@contextmanager
def translated(reference: Reference) -> Iterator[None]:
    """Turn what the transport and the document parsers raise into a `RegistryError` that names the reference."""
    try:
        yield
    except TransportError as fault:
        unreached = fault.retryable and fault.status is None
        cure = f"; check the network, the proxy and registries.{reference.registry}.url" if unreached else ""
        raise RegistryError(f"{reference}: {fault}{cure}", status=fault.status, retryable=fault.retryable) from fault
    except InvalidImage as fault:
        raise RegistryError(f"{reference}: {fault}") from fault


def refusal(endpoint: Endpoint, reference: Reference, answer: Response) -> RegistryError:
    """Explain an answer that is not what was hoped for."""
    return RegistryError(_explain(endpoint, reference, answer), status=answer.status, retryable=answer.status >= 500)


def no_credentials(host: str) -> RegistryError:
    """Explain that a registry wants to know who we are."""
    return RegistryError(f"no credentials for {host}; add registries.{host}.credentials", status=401)


def told(answer: Response) -> str:
    """Return what the registry gave as its reason: code and message of its first error, else how the body begins."""
    try:
        first = json.loads(answer.body)["errors"][0]
        reason = f"{first['code']}: {first.get('message') or first.get('detail') or ''}"
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        reason = answer.excerpt
    reason = excerpt(reason.encode(errors="replace")).rstrip(": ")
    return f"{answer.status} {reason}" if reason else str(answer.status)


def _explain(endpoint: Endpoint, reference: Reference, answer: Response) -> str:
    host, reason = endpoint.host, told(answer)
    if answer.status == 404:
        return f"{reference} is not there ({reason}); check its name, tag and digest"
    if answer.status not in (401, 403):
        return f"{answer.method} for {reference} was answered {reason}"
    if endpoint.login() is None:
        return f"{host} lets nobody without credentials at {reference} ({reason}); add registries.{host}.credentials"
    if answer.status == 401:
        return f"{host} refuses the credentials for {reference} ({reason}); {endpoint.cure}"
    return (
        f"{host} denies {reference} to the stored credentials ({reason}); they may be stale (an ECR login ends after "
        f"12 hours) or lack the permission: {endpoint.cure}, or remove them to read anonymously"
    )
