"""The audit as one self-contained HTML page: no scripts, nothing fetched, readable in print."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot import __version__
from bot.core.responsibility import State, Verdict
from bot.entrypoints.documents import Document, time_text
from bot.entrypoints.forms.findings import label_of
from bot.entrypoints.forms.markdown import slo_text
from bot.entrypoints.forms.pictures import Days, share_taken, steps
from bot.entrypoints.tables import short, subject_of, versions_of

_WEB: Final = re.compile(r"https?://[A-Za-z0-9./:_~%-]+\Z")
"""A link that is no more than an address; any other text stays text."""
_URGENT: Final = (State.OVERDUE, State.UNKNOWN, State.DUE, State.EXCEPTED, State.MET)
_OPTIONAL: Final = dict.fromkeys(
    (
        *("account", "region", "path", "pull_request", "missing", "redeployed", "consistency", "runtime_version"),
        "deprecation",
    )
)
"""What not every row of the document has."""

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
    """Give what the audit's page shows, what is most urgent first."""
    functions = document["functions"]
    verdicts = Counter(function["verdict"] for function in functions)
    states = Counter(duty["state"] for function in functions for duty in function["duties"])
    return {
        **{key: document[key] for key in ("responsibility", "rollouts", "burn", "errors", "gaps")},
        "repositories": document["repositories"],
        "functions": [{**_OPTIONAL, **function} for function in sorted(functions, key=_urgency)],
        "slo": document["slo"],
        "slo_text": slo_text(document),
        "days": Days.of(document["burn"]),
        "at": time_text(now),
        "version": __version__,
        "verdicts": [(str(verdict), verdicts[verdict]) for verdict in reversed(Verdict) if verdicts[verdict]],
        "states": [(str(state), states[state]) for state in _URGENT if states[state]],
        "is_web": lambda text: bool(text and _WEB.match(text)),
        "versions_of": versions_of,
        "label_of": label_of,
        "share_taken": share_taken,
        "short": short,
        "subject_of": subject_of,
        "steps": steps,
    }


def _urgency(function: Mapping[str, Any]) -> tuple[int, int]:
    """What is owed longest comes first, what is met last."""
    ranked = [(_URGENT.index(State(duty["state"])), -(duty["days"] or 0)) for duty in function["duties"]]
    return min(ranked, default=(len(_URGENT), 0))
