"""The audit as one self-contained HTML page: no scripts, nothing fetched, readable in print."""

from collections import Counter
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot import __version__
from bot.core.responsibility import Verdict
from bot.entrypoints.documents import Document

_ENVIRONMENT = Environment(
    loader=PackageLoader("bot.entrypoints", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=False
)


def audit_page(document: Document, now: datetime) -> str:
    """Write `refrom.audit/1` as a page; everything in it is escaped."""
    verdicts = Counter(function["verdict"] for function in document["functions"])
    return _ENVIRONMENT.get_template("audit.html.j2").render(
        **{key: value for key, value in document.items() if key != "schema"},
        at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        counts=[(str(verdict), verdicts[verdict]) for verdict in reversed(Verdict) if verdicts[verdict]],
    )
