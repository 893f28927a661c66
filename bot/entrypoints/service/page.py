"""The service's page: the audit of the last complete cycle, how the service goes, and when the next cycle comes."""

from datetime import datetime

from bot.entrypoints.documents import time_text
from bot.entrypoints.html import audit_values, render
from bot.entrypoints.service.health import health
from bot.entrypoints.service.state import State


def service_page(state: State, now: datetime) -> str:
    """Write the page; everything in it is escaped."""
    last, audited = state.last, state.audited
    service = {
        "health": health(state, now),
        "running": time_text(state.running.started) if state.running else None,
        "last": {"ending": str(last.ending), "ended": time_text(last.ended), "reason": last.reason} if last else None,
        "next": time_text(state.next_start),
    }
    return render(
        "service.html.j2", service | (audit_values(audited.document, audited.at) if audited else {"at": None})
    )
