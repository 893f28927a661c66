"""What the commands show a person, with rich. Text from images and repositories is never read as markup."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.rows import Row

_STYLES = {
    "update": "bold yellow", "current": "green", "waiting": "cyan", "held": "magenta", "skip": "dim",
    "failed": "bold red", "refused": "bold red", "opened": "bold yellow", "refreshed": "yellow", "updated": "yellow",
    "proven": "green", "behind": "yellow", "drifted": "bold red", "unknown": "bold red", "met": "green",
    "due": "yellow", "overdue": "bold red", "excepted": "magenta", "security": "bold red", "language": "bold yellow",
    "packages": "yellow", "finished": "yellow", "commented": "yellow", "closed": "yellow",
    "rolled-back": "bold red", "warned": "bold yellow", "ok": "green", "skipped": "dim",
    "declared": "magenta", "withdrawn": "green",
}  # fmt: skip


def show(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print one table; an empty one is a sentence."""
    if not rows:
        say(console, f"{title}: none")
        return
    table = Table(title=Text(title, style="bold"), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def say(console: Console, text: str, style: str = "") -> None:
    """Print one line; the terminal may wrap it, a file or a pipe gets it whole."""
    console.print(Text(printable(text), style), soft_wrap=True)


def printable(text: str) -> str:
    """Keep what a hostile image or repository says from steering the terminal; lines and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def show_watch(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.watch/1`."""
    rows = [
        (o["runtime"], short(o["digest"]), ", ".join(o["platforms"]), o["created"], o["first_seen"])
        for o in document["observations"]
    ]
    show(console, "Current bases", ("runtime", "digest", "platforms", "created", "first seen"), rows)
    for error in document["errors"]:
        say(console, f"{error['runtime']}: {error['reason']}", "bold red")


def show_diff(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.diff/1`."""
    severity = f" ({document['severity']})" if document["severity"] else ""
    console.print(Text("significance: ").append(_cell(document["significance"])).append(severity))
    for platform in document["platforms"]:
        files = platform["files"]
        counts = f"{files['added']} files added, {files['removed']} removed, {files['changed']} changed"
        same = "identical file system" if platform["identical"] else counts
        say(console, f"\n{platform['platform']}: {same}")
        for group, counts in platform["groups"].items():
            say(console, f"  {group}: " + ", ".join(f"{count} {what}" for what, count in counts.items() if count))
        rows = [(p["name"], p["arch"], p["old"], p["new"]) for p in platform["packages"]]
        if platform["language"]:
            language = platform["language"]
            rows.insert(0, (language["name"], "", language["old"], language["new"]))
        rows += [(c["name"], "", c["old"], c["new"]) for c in platform["components"]]
        if rows:
            show(console, "Versions", ("name", "arch", "old", "new"), rows)
        settings = [(s["part"], s["name"], s["old"], s["new"]) for s in platform["settings"]]
        if settings:
            show(console, "Image config", ("part", "name", "old", "new"), settings)
        fixes = [
            (f["id"], f["severity"], ", ".join(f["cves"]), ", ".join(f["packages"])) for f in platform["advisories"]
        ]
        if fixes:
            show(console, "Advisories that this fixes", ("advisory", "severity", "CVEs", "packages"), fixes)
        if platform["advisories_unknown"]:
            say(console, f"advisories unknown: {platform['advisories_unknown']}", "bold red")
        if platform["uncovered"]:
            say(console, f"in no advisory: {', '.join(platform['uncovered'])}")
        for reason in platform["unread"]:
            say(console, f"not read: {reason}", "bold red")


def show_lineage(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.lineage/1`."""
    layers, base = document["layers"], document["base"]
    if base is None:
        _show_unknown(console, document)
        return
    say(console, f"proven by {document['by']}: {base['reference']}@{base['digest']}", "green")
    above = (
        "the image is this base itself" if document["is_base"] else f"{layers['matched']} of {layers['image']} layers"
    )
    say(console, f"runtime {base['runtime'] or 'unknown'}, {base['platform']}, {above}")
    for sibling in document["siblings"]:
        say(console, f"the same layers, so it may be this one: {sibling['reference']}@{sibling['digest']}")


def _show_unknown(console: Console, document: dict[str, Any]) -> None:
    say(console, f"unknown: none of {len(document['tried'])} known bases lies under this image", "bold red")
    for lead in document["leads"]:
        say(console, f"{lead['source']} {lead['what']}: {lead['outcome']}")
    errors = document["errors"]
    if errors:
        first = f"{errors[0]['runtime']}: {errors[0]['reason']}"
        say(console, f"{len(errors)} streams could not be read, such as {first}", "bold red")


def show_run(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.run/1`."""
    rows = [
        (d["repository"], f"{d['path']}:{d['line']}", d["runtime"], d["decision"], d["action"], d["reason"])
        for d in document["decisions"]
    ]
    show(console, "Decisions", ("repository", "where", "runtime", "decision", "action", "reason"), rows)
    skipped = [(s["repository"], f"{s['path']}:{s['line'] or ''}", s["reason"]) for s in document["skipped"]]
    if skipped:
        show(console, "Not read", ("repository", "where", "reason"), skipped)
    outcomes = [(o["step"], subject_of(o), o["result"], o["message"]) for o in document["outcomes"]]
    title = "Outcomes (dry run: nothing was changed)" if document["dry_run"] else "Outcomes"
    show(console, title, ("step", "subject", "result", "what"), outcomes)
    for waiting in document["waiting"]:
        say(console, f"{waiting['key']} waits: {waiting['reason']}")


def show_by_hand(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.redeploy/1` or `refrom.rollback/1`."""
    outcomes = [(o["step"], o["result"], o["message"]) for o in document["outcomes"]]
    title = "what would be done; nothing was changed" if document["dry_run"] else "what was done"
    if outcomes:
        show(console, f"{document['function']}, {title}", ("step", "result", "what"), outcomes)
    elif not document["waiting"]:
        say(console, f"{document['function']}: there is nothing to do")
    for waiting in document["waiting"]:
        say(console, f"{waiting['key']} waits: {waiting['reason']}")


def show_declared(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.hold/1`, `refrom.release/1`, `refrom.block/1` or `refrom.unblock/1`."""
    said = document.get("hold") or document["block"]
    rows = [(name, value) for name, value in said.items() if value]
    dry = " (dry run: nothing was changed)" if document["dry_run"] else ""
    show(console, f"{document['result']} in {document['file']}{dry}", ("what", "as declared"), rows)
    if "block" in document:
        streams = ", ".join(document["runtimes"])
        say(console, f"a base of {streams}" if streams else "no stream is known to have had this digest")


def show_audit(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.audit/1`; where runtimes that AWS manages are in it, who owes what comes first."""
    functions = document["functions"]
    if any(function["row"] != Row.CONTAINER_IMAGE for function in functions):
        _show_responsibility(console, document["responsibility"])
        columns = ("function", "row", "runtime", "version", "verdict", "duty", "state", "days", "why")
        show(console, "Functions", columns, [_owed(f, duty) for f in functions for duty in f["duties"]])
    else:
        _show_images(console, functions)
    for error in document["errors"]:
        say(console, f"{subject_of(error)}: {error['reason']}", "bold red")
    for gap in document["gaps"]:
        say(console, f"{gap['function']}: {gap['reason']}")
    slo = document["slo"]
    verdict = "kept" if slo["kept"] else f"broken by {slo['findings']}"
    say(console, f"SLO {verdict}", "green" if slo["kept"] else "bold red")


def _show_images(console: Console, functions: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (name_of(f["function"], f["alias"]), f["runtime"], versions_of(f), f["verdict"], f["base_age_days"],
         duty["state"], _days(duty), duty.get("reason"))
        for f in functions
        for duty in f["duties"]
    ]  # fmt: skip
    columns = ("function", "runtime", "version", "verdict", "base age (days)", "duty", "days", "why")
    show(console, "Functions: rebuild and redeploy on the latest base", columns, rows)


def _show_responsibility(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    counts = ("functions", "met", "due", "overdue", "excepted", "unknown")
    columns = ("row", "all", *counts[1:])
    show(console, "Who owes what", columns, [(row["row"], *(row[each] for each in counts)) for row in rows])


def _owed(function: Mapping[str, Any], duty: dict[str, Any]) -> Sequence[object]:
    return (
        *(name_of(function["function"], function["alias"]), function["row"], function["runtime"]),
        *(versions_of(function), function["verdict"], duty["duty"], duty["state"], _days(duty), duty.get("reason")),
    )


def show_doctor(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.doctor/1`."""
    checks = document["checks"]
    rows = [(c["subject"], c["check"], c["state"], c["message"]) for c in checks if c["state"] != "failed"]
    show(console, "Checks", ("subject", "check", "state", "message"), rows)
    bad = [check for check in checks if check["state"] == "failed"]
    for check in bad:
        say(console, f"failed: {check['subject']}: {check['check']}: {check['message']}", "bold red")
        if check["cure"]:
            say(console, f"  cure: {check['cure']}")
    say(console, f"{len(bad)} of {len(checks)} checks failed", "bold red" if bad else "green")


def versions_of(function: Mapping[str, Any]) -> str:
    """The version that serves; of several, each with its share."""
    serves = function["serves"]
    if len(serves) < 2:
        return function["version"] or ""
    return ", ".join(f"{one['version']} ({one['weight']:.0%} {one['verdict']})" for one in serves)


def subject_of(row: Mapping[str, Any]) -> str:
    """What an outcome or an error is about."""
    return str(next(row[key] for key in ("repository", "function", "runtime", "place") if key in row))


def name_of(function: str, alias: str | None) -> str:
    """The last part of an ARN with the alias, as people call a function."""
    name = function.rpartition(":")[2]
    return f"{name}:{alias}" if alias else name


def short(digest: str) -> str:
    """A digest as people compare it."""
    return digest[:19]


def _days(duty: dict[str, Any]) -> str:
    return "" if duty["days"] is None else str(duty["days"])


def _cell(value: object) -> Text:
    text = "" if value is None else printable(str(value))
    return Text(text, style=_STYLES.get(text, ""))
