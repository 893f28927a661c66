"""HTTP as all our adapters speak it: the only place that opens connections of our own. Knows no registry, no forge."""

from bot.adapters.transport.addresses import host_of, is_loopback, redacted
from bot.adapters.transport.answers import Opened, Response, TransportError
from bot.adapters.transport.client import Traffic, Transport, Upload

__all__ = [
    "Opened",
    "Response",
    "Traffic",
    "Transport",
    "TransportError",
    "Upload",
    "host_of",
    "is_loopback",
    "redacted",
]
