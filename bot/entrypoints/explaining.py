"""`refrom explain`: why the mode and the decision of a path or a function are what they are; changes nothing."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from bot.core.policy import Policy
from bot.entrypoints.console import ConfigOption, Format, FormatOption, print_document, session_of
from bot.entrypoints.documents import Document, decision_document, outcome_document, time_text, waiting_documents
from bot.entrypoints.exits import DONE
from bot.entrypoints.tables import say, show
from bot.steps.byhand import find_target
from bot.steps.cycle import Cycle
from bot.steps.explain import Explanation, FunctionExplained, Modes, UseExplained, explain_function, explain_path
from bot.wiring import open_workshop

_PATH: Final = re.compile(r"(?P<repository>[^/:\s]+/[^/:\s]+):(?P<path>.+)")

WhatArgument = Annotated[
    str, typer.Argument(metavar="FUNCTION|PATH", help="A function, or OWNER/NAME:PATH, or a path with --repository.")
]
RepositoryOption = Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="The source repository of a path.")]


def explain(
    context: typer.Context,
    what: WhatArgument,
    repository: RepositoryOption = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> int:
    """Say why a mode, a decision or a wait is what it is."""
    session = session_of(context)
    named = _PATH.fullmatch(what) if repository is None else None
    path = what if repository else named["path"] if named else None
    with open_workshop(config, session.clock, dry_run=True, required=True) as workshop:
        rules, now = workshop.mapped_rules(), session.clock.now()
        cycle = Cycle(workshop.world, rules)
        if path is not None:
            found = explain_path(cycle.inquiry, repository or (named["repository"] if named else ""), path, now)
        else:
            found = explain_function(cycle, workshop.engine, find_target(rules, what), now)
    print_document(session, output, explain_document(found), show_explain)
    return DONE


def explain_document(found: Explanation) -> Document:
    """`refrom.explain/1`."""
    return {
        "schema": "refrom.explain/1",
        "repository": found.repository,
        "path": found.path,
        "function": _function(found.function) if found.function else None,
        "uses": [_use(use) for use in found.uses],
    }


def _function(found: FunctionExplained) -> Document:
    return {
        "function": found.target.function,
        **_modes(found.modes),
        "held": found.held or None,
        "outcomes": [outcome_document(outcome) for outcome in found.report.outcomes],
        "waiting": waiting_documents(found.report.waiting),
    }


def _use(found: UseExplained) -> Document:
    admission = found.admission
    opens = {"opens": time_text(admission.opens), "reason": admission.why} if admission else None
    return {
        **decision_document(found.decision),
        **_modes(found.modes),
        "policy": _policy(found.policy),
        "rollout": opens,
    }


def _modes(modes: Modes) -> Document:
    said = [
        {
            "mode": str(mode.mode),
            "said_by": mode.said_by,
            "reason": mode.fault or mode.reason or None,
            "until": mode.until.isoformat() if mode.until else None,
            "state": state,
        }
        for mode, state in modes
    ]
    return {"mode": next(one["mode"] for one in said if one["state"] == "holds"), "modes": said}


def _policy(policy: Policy) -> Document:
    return {
        "update_on": str(policy.update_on),
        "min_severity": str(policy.min_severity),
        "max_age": _duration(policy.max_age),
        "soak": _duration(policy.soak),
        "style": str(policy.style),
        "on_unknown": str(policy.on_unknown),
    }


def _duration(length: timedelta) -> str:
    """Write a duration as the settings do."""
    minutes = int(length.total_seconds()) // 60
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def show_explain(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.explain/1`."""
    function = document["function"]
    if function:
        say(console, f"{function['function']}, built from {document['path']} of {document['repository']}", "bold")
        _show_modes(console, function)
        if function["held"]:
            say(console, f"it is held: {function['held']}", "magenta")
        doing = [(o["step"], o["result"], o["message"]) for o in function["outcomes"]]
        show(console, "What the loop would do for it now", ("step", "result", "what"), doing)
        for waiting in function["waiting"]:
            say(console, f"{waiting['key']} waits: {waiting['reason']}")
    for use in document["uses"]:
        say(console, f"\n{use['repository']}:{use['path']} line {use['line']}, {use['runtime']}", "bold")
        say(console, f"{use['decision']}: {use['reason']}")
        if use["rollout"]:
            say(console, f"rollout: {use['rollout']['reason']}, from {use['rollout']['opens'] or 'no moment'} on")
        _show_modes(console, use)
        show(console, "Policy", ("part", "value"), list(use["policy"].items()))


def _show_modes(console: Console, document: dict[str, Any]) -> None:
    rows = [(one["mode"], one["said_by"], one["reason"], one["until"], one["state"]) for one in document["modes"]]
    show(console, f"Update mode: {document['mode']}", ("mode", "said by", "reason", "until", "state"), rows)
