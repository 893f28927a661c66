"""What a pull request says: branch, title, body, and the machine-readable marker in the body.

Everything that comes from an image or a repository is shown inside code spans,
where it can neither forge Markdown nor mention people.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.core.change import BaseChange, LanguageChange, PackageChange, PlatformChange
from bot.core.plan import Action, Update, describe

BRANCH = "refrom/lambda-base-images"
"""One branch a source repository: it names what is updated, so a newer base refreshes the same pull request."""

_MOST_PACKAGES = 40
_LONGEST_CODE = 160
_MARKER = re.compile(r"<!-- refrom:plan (\{.*\}) -->")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Step:
    """One reference that a pull request brings to a digest: what the marker holds."""

    path: str
    image: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Title and body of a pull request."""

    title: str
    body: str


def write(updates: Sequence[Update]) -> Text:
    """Write a pull request for the updates of one source repository, given in plan order."""
    bodies = [
        _section(list(group)) for _, group in groupby(updates, key=lambda update: (update.use.runtime, update.new))
    ]
    body = "\n\n".join((_INTRODUCTION, *bodies, _FOOTER, marker(updates)))
    return Text(title=_title(updates), body=f"{body}\n")


def marker(updates: Iterable[Update]) -> str:
    """Hide the plan in an HTML comment, so that a later run knows what the pull request stands for."""
    steps = [{"path": s.path, "image": s.image, "new": s.new} for s in steps_of(updates)]
    # A comment ends at --> and nowhere else, so no value may hold it.
    plan = json.dumps({"steps": steps}).replace("-->", "--\\u003e")
    return f"<!-- refrom:plan {plan} -->"


def steps_of(updates: Iterable[Update]) -> tuple[Step, ...]:
    """What updates stand for, however they are explained."""
    return tuple(
        sorted({Step(path=u.use.located.path, image=_image(u), new=f"{u.tag or ''}@{u.new}") for u in updates})
    )


def read_marker(body: str) -> tuple[Step, ...] | None:
    """Read the marker back; None where there is none that can be read (a person may have edited the body)."""
    found = _MARKER.search(body)
    if not found:
        return None
    try:
        steps = json.loads(found[1])["steps"]
        return tuple(Step(path=str(s["path"]), image=str(s["image"]), new=str(s["new"])) for s in steps)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def code(text: str) -> str:
    """Show hostile text as a code span that also fits into a table cell."""
    plain = "".join(c if c.isprintable() else " " for c in text).replace("`", "'").replace("|", "\\|").strip()
    return f"`{plain[: _LONGEST_CODE - 1]}…`" if len(plain) > _LONGEST_CODE else f"`{plain or ' '}`"


_INTRODUCTION = "AWS published a newer Lambda base image. Container images get it only by being rebuilt on it."

_FOOTER = (
    "After the merge the image is rebuilt and the functions that use it are redeployed by digest.\n"
    "Closing this pull request is an answer: it is not opened again for this base image."
)


def _title(updates: Sequence[Update]) -> str:
    runtimes = sorted({update.use.runtime or "" for update in updates})
    verb = "Pin" if all(update.action is Action.PIN for update in updates) else "Update"
    names = ", ".join(runtimes[:3]) + (f" and {len(runtimes) - 3} more" if len(runtimes) > 3 else "")
    language = {_language(update.change) for update in updates} - {None}
    detail = f" ({language.pop()})" if len(language) == 1 and len(runtimes) == 1 else ""
    return f"{verb} Lambda base image {names}{detail}"


def _language(change: BaseChange | None) -> str | None:
    found = next((p.language for p in change.platforms if p.language), None) if change else None
    return f"{found.name} {found.old or 'unknown'} to {found.new or 'unknown'}" if found else None


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
    return f"| {code(update.use.located.path)} | {use.line} | {code(use.raw)} | {old} | {code(str(update.new))} |"


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
