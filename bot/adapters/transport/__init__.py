"""HTTP as all our adapters speak it: the only place that opens connections of our own. Knows no registry, no forge."""

from bot.adapters.transport.addresses import host_of, is_loopback, is_secure, redacted, same_origin
from bot.adapters.transport.answers import SMALL_BODY, Opened, Response, TransportError, excerpt, retry_after
from bot.adapters.transport.client import Traffic, Transport, Upload

__all__ = [
    "SMALL_BODY",
    "Opened",
    "Response",
    "Traffic",
    "Transport",
    "TransportError",
    "Upload",
    "excerpt",
    "host_of",
    "is_loopback",
    "is_secure",
    "redacted",
    "retry_after",
    "same_origin",
]
