"""The audit as one self-contained HTML page: no scripts, nothing fetched, readable in print."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot import __version__
from bot.core.responsibility import Verdict
from bot.entrypoints.documents import Document, time_text
from bot.entrypoints.tables import versions_of

_ENVIRONMENT = Environment(
    loader=PackageLoader("bot.entrypoints", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=False
)


def audit_page(document: Document, now: datetime) -> str:
    """Write `refrom.audit/1` as a page; everything in it is escaped."""
    return render("audit.html.j2", audit_values(document, now))


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill in a page of `pages/`; a value that is not given is an error."""
    return _ENVIRONMENT.get_template(template).render(**values)


def audit_values(document: Document, now: datetime) -> dict[str, Any]:
    """Give what the audit's page shows."""
    verdicts = Counter(function["verdict"] for function in document["functions"])
    return {
        **{key: value for key, value in document.items() if key != "schema"},
        "versions_of": versions_of,
        "at": time_text(now),
        "version": __version__,
        "counts": [(str(verdict), verdicts[verdict]) for verdict in reversed(Verdict) if verdicts[verdict]],
    }
