"""`refrom scan`: the base images that a working tree names, as `refrom.scan/1` and as a table."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from rich.console import Console

from bot.core.carriers import Context, LocatedUse, SourceFile, scan_files
from bot.core.dockerfile import ArgDefault, Literal, Unread, Unresolvable
from bot.entrypoints.tables import say, show

Document = dict[str, Any]


def scan_document(files: Iterable[SourceFile], *, mirrors: Sequence[str] = ()) -> Document:
    """Read files and return `refrom.scan/1`, ordered by path and line."""
    scans = scan_files(files, mirrors=mirrors)
    uses = [_use(located) for _, scan in scans for located in scan.uses]
    skipped = [_unread(path, unread) for path, scan in scans for unread in scan.skipped]
    return {"schema": "refrom.scan/1", "uses": uses, "skipped": skipped}


def print_scan_table(console: Console, document: Document) -> None:
    """Show `refrom.scan/1` to a person."""
    show(console, "Images", ("where", "runtime", "reference", "edit"), [_row(use) for use in document["uses"]])
    for entry in document["skipped"]:
        where = f"{entry['path']}:{entry['line']}"
        say(console, f"not read: {where}: {entry['reason']}", "yellow")


def _use(located: LocatedUse) -> Document:
    use = located.use
    image = use.lambda_image
    document: Document = {
        "path": located.path,
        "carrier": located.carrier,
        "kind": use.kind,
        "line": use.line,
        "raw": use.raw,
        "resolved": use.resolved,
        "stage": use.stage,
        "final": use.final,
        "platform": use.platform,
        "lambda": image is not None,
        "runtime": image.runtime if image else None,
        "edit": _edit(located.path, use.edit),
    }
    if located.contexts:
        document["contexts"] = [_context(context) for context in located.contexts]
    return document


def _edit(path: str, edit: Literal | ArgDefault | Unresolvable) -> Document:
    match edit:
        case Unresolvable(reason=reason):
            return {"site": "unresolvable", "reason": reason}
        case Literal():
            document: Document = {"site": "literal", "path": path, "line": edit.line}
        case ArgDefault():
            document = {"site": "arg-default", "path": path, "line": edit.line, "arg": edit.arg}
        case _:
            assert_never(edit)
    document["also"] = [_edit(path, other) for other in edit.also]
    return {**document, "reason": edit.obstacle} if edit.obstacle else document


def _context(context: Context) -> Document:
    return {
        "source": context.source,
        "args": dict(context.args),
        "target": context.target,
        "resolved": context.resolved,
        "final": context.final,
    }


def _unread(path: str, unread: Unread) -> Document:
    return {"path": path, "line": unread.line, "raw": unread.raw, "reason": unread.reason}


def _row(use: Document) -> tuple[str, ...]:
    runtime = use["runtime"] or ("Lambda" if use["lambda"] else "")
    return (f"{use['path']}:{use['line']}", runtime, use["raw"], _where(use["edit"]))


def _where(edit: Document) -> str:
    match edit["site"]:
        case "literal":
            return f"line {edit['line']}"
        case "arg-default":
            return f"ARG {edit['arg']}, line {edit['line']}"
        case _:
            return f"not possible: {edit['reason']}"
