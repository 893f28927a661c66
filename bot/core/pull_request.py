"""What a pull request says: branch, title, body, and the machine-readable marker in the body.

Everything that comes from an image or a repository is shown inside code spans,
where it can neither forge Markdown nor mention people; the marker holds only digests of it.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.core.change import BaseChange, LanguageChange, PackageChange, PlatformChange
from bot.core.digest import Digest
from bot.core.plan import Action, Update, describe

BRANCH = "refrom/lambda-base-images"
"""One branch a source repository: it names what is updated, so a newer base refreshes the same pull request."""

_LONGEST_BODY = 60_000
"""In characters; GitHub takes 65,536."""
_MOST_PACKAGES = 40
_LONGEST_CODE = 160
_MARKER = re.compile(r'^<!-- refrom:plan (\{"steps": \[[0-9a-f", ]*\]\}) -->\s*$', re.MULTILINE)
_VERSION = re.compile(r"[0-9A-Za-z.+_-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Title and body of a pull request."""

    title: str
    body: str


def write(updates: Iterable[Update]) -> Text:
    """Write a pull request for the updates of one source repository: each base is explained once.

    The body is at most as long as a forge takes; what goes first is detail, never the marker.
    """
    ordered = sorted(updates, key=lambda update: (_base(update), update.use.sort_key))
    sections = [_section(list(group)) for _, group in groupby(ordered, key=_base)]
    end = f"{_FOOTER}\n\n{marker(ordered)}\n"
    body = _shorten("\n\n".join((_INTRODUCTION, *sections)), _LONGEST_BODY - len(end))
    return Text(title=_title(ordered), body=f"{body}\n\n{end}")


def marker(updates: Iterable[Update]) -> str:
    """Hide the plan in an HTML comment, so that a later run knows what the pull request stands for."""
    return f"<!-- refrom:plan {json.dumps({'steps': steps_of(updates)})} -->"


def steps_of(updates: Iterable[Update]) -> tuple[str, ...]:
    """What updates stand for, however they are explained: for each file and image the tag and digest it is brought to.

    Each step is the start of a digest, so that many fit into a body and no text of a repository gets into the marker.
    """
    steps = {(u.use.located.path, _image(u), u.tag, str(u.new)) for u in updates}
    return tuple(sorted(Digest.of(json.dumps(step).encode()).short for step in steps))


def read_marker(body: str) -> tuple[str, ...] | None:
    """Read the marker's steps back; None where there is none that can be read (a person may have edited the body)."""
    found = _MARKER.search(body)
    try:
        return tuple(str(step) for step in json.loads(found[1])["steps"]) if found else None
    except ValueError:
        return None


def code(text: str, longest: int = _LONGEST_CODE) -> str:
    """Show hostile text as a code span that also fits into a table cell, whatever rules a forge has for escapes."""
    plain = "".join(c if c.isprintable() else " " for c in text).replace("`", "'").replace("|", "¦").strip()
    return f"`{plain[: longest - 1]}…`" if len(plain) > longest else f"`{plain or ' '}`"


_INTRODUCTION = "AWS published a newer Lambda base image. Container images get it only by being rebuilt on it."

_FOOTER = (
    "After the merge the image is rebuilt and the functions that use it are redeployed by digest.\n"
    "Closing this pull request is an answer: it is not opened again for this base image."
)

_CUT = "The rest is left out here, because a pull request's text has its bounds; `refrom run --dry-run` lists it all."


def _title(updates: Sequence[Update]) -> str:
    runtimes = sorted({update.use.runtime or "" for update in updates})
    verb = "Pin" if all(update.action is Action.PIN for update in updates) else "Update"
    names = ", ".join(runtimes[:3]) + (f" and {len(runtimes) - 3} more" if len(runtimes) > 3 else "")
    language = {_language(update.change) for update in updates} - {None}
    detail = f" ({language.pop()})" if len(language) == 1 and len(runtimes) == 1 else ""
    return f"{verb} Lambda base image {names}{detail}"


def _language(change: BaseChange | None) -> str | None:
    """Name the language's versions for a title, where no code span protects: only if they look like versions."""
    found = next((p.language for p in change.platforms if p.language), None) if change else None
    parts = (found.name, found.old or "unknown", found.new or "unknown") if found else ()
    return "{} {} to {}".format(*parts) if parts and all(map(_VERSION.fullmatch, parts)) else None


def _base(update: Update) -> tuple[str, str]:
    return (update.use.runtime or "", str(update.new))


def _shorten(text: str, room: int) -> str:
    """Leave out the last lines where there is not room for all."""
    if len(text) <= room:
        return text
    kept = text[: room - len(_CUT) - 4].rpartition("\n")[0]
    return f"{kept}\n\n{_CUT}"


def _section(updates: Sequence[Update]) -> str:
    """Explain one base: where it is used, from what to what, and what that changes."""
    first = updates[0]
    lines = [
        f"### {code(first.use.runtime or '')}",
        f"{'Why' if first.change else 'Reason'}: {code(first.reason)}",
        "",
        "| file | line | reference | from | to |",
        "| --- | ---: | --- | --- | --- |",
        *(_row(update) for update in updates),
    ]
    return "\n".join((*lines, *(_explain(first.change) if first.change else ())))


def _row(update: Update) -> str:
    use = update.use.located.use
    old = code(str(update.old)) if update.old else "not pinned"
    new = f"{code(update.tag)}, {code(str(update.new))}" if update.tag else code(str(update.new))
    return f"| {code(update.use.located.path)} | {use.line} | {code(use.raw)} | {old} | {new} |"


def _explain(change: BaseChange) -> list[str]:
    """Say what changed, once for all platforms that changed alike."""
    lines: list[str] = ["", f"What changed: {code(describe(change))}"]
    alike: dict[tuple[object, ...], list[PlatformChange]] = {}
    for platform in change.platforms:
        alike.setdefault(_essence(platform), []).append(platform)
    for group in alike.values():
        lines += _explain_platform(group[0], ", ".join(code(str(p.platform)) for p in group))
    return lines


def _essence(change: PlatformChange) -> tuple[object, ...]:
    packages = tuple((package.name, package.old, package.new) for package in change.packages)
    return packages, change.language, change.files, change.metadata, change.unread


def _explain_platform(change: PlatformChange, names: str) -> list[str]:
    files = change.files
    lines = ["", f"On {names}: {files.added} files added, {files.removed} removed, {files.changed} changed."]
    if change.language or change.packages:
        lines += ["", "| what | from | to |", "| --- | --- | --- |"]
        lines += [_version_row(change.language)] if change.language else []
        lines += [_version_row(package) for package in change.packages[:_MOST_PACKAGES]]
        if len(change.packages) > _MOST_PACKAGES:
            lines.append(f"| and {len(change.packages) - _MOST_PACKAGES} more packages | | |")
    lines += [f"- could not be read: {code(reason)}" for reason in change.unread]
    return lines


def _version_row(change: LanguageChange | PackageChange) -> str:
    return f"| {code(change.name)} | {code(change.old or 'none')} | {code(change.new or 'none')} |"


def _image(update: Update) -> str:
    reference = update.use.located.use.reference
    return reference.name if reference else update.use.located.use.raw
