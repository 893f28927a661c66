"""What a pull request says: title, commit message, body, and the machine-readable marker in the body.

Everything that comes from an image or a repository is shown inside code spans,
where it can neither forge Markdown nor mention people; the marker holds only digests of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bot.core.advisories import Fix
from bot.core.change import BaseChange, LanguageChange, PackageChange, PlatformChange
from bot.core.decision import Action, Update
from bot.core.marker import UNFINISHED, marker
from bot.core.plan import describe
from bot.core.templates import Template

BRANCH = "refrom/lambda-base-images"
"""The branch of all uses of a source repository, where the settings name no other."""
FIELDS = ("summary", "action", "runtimes", "changes", "severity", "repository", "group")
"""What a title and a commit message may name."""
BODY_FIELDS = (*FIELDS, "introduction", "details")

_LONGEST_BODY = 60_000
"""In characters; GitHub takes 65,536."""
_LONGEST_TITLE = 250
"""In characters; GitHub takes 256."""
_MOST_PACKAGES = 40
_MOST_FIXES = 40
_LONGEST_CODE = 160
_LONGEST_NOTE = 1000
_VERSION = re.compile(r"[0-9A-Za-z.+_-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Title and body of a pull request, and the message of its commit."""

    title: str
    message: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How pull requests are worded; the marker and the last words of a body are added to whatever stands here."""

    title: Template = field(default_factory=lambda: Template.parse("{summary}", FIELDS))
    message: Template = field(default_factory=lambda: Template.parse("{summary}", FIELDS))
    body: Template = field(default_factory=lambda: Template.parse("{introduction}\n\n{details}", BODY_FIELDS))


def write(
    updates: Iterable[Update], wording: Wording | None = None, *, group: str = "", unfinished: bool = False
) -> Text:
    """Write a pull request for the updates of one source repository: each base is explained once.

    The body is at most as long as a forge takes; what goes first is detail, never the marker.
    """
    wording = wording or Wording()
    ordered = sorted(updates, key=lambda update: (_base(update), update.use.sort_key))
    sections = [_section(list(group)) for _, group in groupby(ordered, key=_base)]
    last = f"{UNFINISHED}\n" if unfinished else ""
    end = f"{_FOOTER}\n\n{marker(ordered)}\n{last}"
    values = _values(ordered, group)
    shown = {**values, **{name: code(values[name]) for name in ("runtimes", "repository", "group")}}
    body = wording.body.render({**shown, "introduction": _introduction(ordered), "details": "\n\n".join(sections)})
    return Text(
        title=_cut(wording.title.render(values), _LONGEST_TITLE),
        message=wording.message.render(values),
        body=f"{_shorten(body, _LONGEST_BODY - len(end))}\n\n{end}",
    )


def code(text: str, longest: int = _LONGEST_CODE) -> str:
    """Show hostile text as a code span that also fits into a table cell, whatever rules a forge has for escapes."""
    plain = "".join(c if c.isprintable() else " " for c in text).replace("`", "'").replace("|", "¦").strip()
    return f"`{plain[: longest - 1]}…`" if len(plain) > longest else f"`{plain or ' '}`"


_NEWER = "AWS published a newer Lambda base image. Container images get it only by being rebuilt on it."
_BACK = "The Lambda base image in use is blocked. This goes back to the newest one before it that is not."

_FOOTER = (
    "After the merge the image is rebuilt and the functions that use it are redeployed by digest.\n"
    "Closing this pull request is an answer: it is not opened again for this base image."
)

_CUT = "The rest is left out here, because a pull request's text has its bounds; `refrom run --dry-run` lists it all."


def _introduction(updates: Sequence[Update]) -> str:
    """Say what it is about: something newer, a way back, or both."""
    back = {update.back for update in updates}
    return "\n".join([*([_BACK] if True in back else []), *([_NEWER] if back != {True} else [])])


def _values(updates: Sequence[Update], group: str) -> Mapping[str, str]:
    """What the fields of a title are: words of ours, and names and versions of a form that needs no code span."""
    runtimes = sorted({update.use.runtime or "" for update in updates})
    action = "Pin" if all(update.action is Action.PIN for update in updates) else "Update"
    if updates and all(update.back for update in updates):
        action = "Take back"
    names = ", ".join(runtimes[:3]) + (f" and {len(runtimes) - 3} more" if len(runtimes) > 3 else "")
    details = {_detail(update.change) for update in updates if update.change} - {""}
    changes = details.pop() if len(details) == 1 and len(runtimes) == 1 else ""
    severities = [update.change.severity for update in updates if update.change and update.change.severity]
    return {
        "summary": f"{action} Lambda base image {names}{f' ({changes})' if changes else ''}",
        "action": action,
        "runtimes": names,
        "changes": changes,
        "severity": str(max(severities)) if severities else "none",
        "repository": updates[0].use.repository if updates else "",
        "group": group,
    }


def _detail(change: BaseChange) -> str:
    return ", ".join(part for part in (_language(change), _count(change.fixes)) if part)


def _count(fixes: Sequence[Fix]) -> str:
    """Count what is fixed of the worst severity, such as `2 important CVEs`; empty where nothing is."""
    if not fixes:
        return ""
    severity = fixes[0].severity
    worst = [fix for fix in fixes if fix.severity is severity]
    cves = {cve for fix in worst for cve in fix.cves}
    number, what = (len(cves), "CVE") if cves else (len(worst), "advisory")
    return f"{number} {severity} {what if number == 1 else {'CVE': 'CVEs', 'advisory': 'advisories'}[what]}"


def _language(change: BaseChange) -> str | None:
    """Name the language's versions for a title, where no code span protects: only if they look like versions."""
    found = next((p.language for p in change.platforms if p.language), None)
    parts = (found.name, found.old or "unknown", found.new or "unknown") if found else ()
    return "{} {} to {}".format(*parts) if parts and all(map(_VERSION.fullmatch, parts)) else None


def _base(update: Update) -> tuple[str, str, bool]:
    return (update.use.runtime or "", str(update.new), not update.back)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _shorten(text: str, room: int) -> str:
    """Leave out the last lines where there is not room for all."""
    if len(text) <= room:
        return text
    kept = text[: room - len(_CUT) - 4].rpartition("\n")[0]
    return f"{kept}\n\n{_CUT}"


def _section(updates: Sequence[Update]) -> str:
    """Explain one base: what it brings, where it is used, from what to what, and what that changes."""
    first = updates[0]
    lines = [
        f"### {code(first.use.runtime or '')}",
        *_headline(first.change),
        f"{'Why' if first.change else 'Reason'}: {code(first.reason)}",
        *_behind(updates),
        "",
        "| file | line | reference | from | to |",
        "| --- | ---: | --- | --- | --- |",
        *(_row(update) for update in updates),
    ]
    return "\n".join((*lines, *(_explain(first.change) if first.change else ())))


def _headline(change: BaseChange | None) -> list[str]:
    """Say in a few words what a base brings, such as that openssl fixes 2 important CVEs."""
    if change is None:
        return []
    language = next((p.language for p in change.platforms if p.language), None)
    parts = [code(f"{language.name} {language.old or 'unknown'} -> {language.new or 'unknown'}")] if language else []
    if change.fixes:
        names = list(dict.fromkeys(name for fix in change.fixes for name in fix.packages))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        parts.append(f"{code(names[0])}{more} {'fixes' if len(names) == 1 else 'fix'} {_count(change.fixes)}")
    return [f"**{', '.join(parts)}**", ""] if parts else []


def _behind(updates: Sequence[Update]) -> list[str]:
    """Say since when the base in use is not the newest: a moment and no number of days, which would age."""
    moments = [update.behind_since for update in updates if update.behind_since]
    return ["", f"The base in use has been behind since {min(moments):%Y-%m-%d %H:%M} UTC."] if moments else []


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
    return packages, change.language, change.files, change.metadata, change.unread, change.security, change.uncovered


def _explain_platform(change: PlatformChange, names: str) -> list[str]:
    files = change.files
    lines = ["", f"On {names}: {files.added} files added, {files.removed} removed, {files.changed} changed."]
    if change.language or change.packages:
        lines += ["", "| what | from | to |", "| --- | --- | --- |"]
        lines += [_version_row(change.language)] if change.language else []
        lines += [_version_row(package) for package in change.packages[:_MOST_PACKAGES]]
        if len(change.packages) > _MOST_PACKAGES:
            lines.append(f"| and {len(change.packages) - _MOST_PACKAGES} more packages | | |")
    lines += _explain_fixes(change.security.fixes)
    notes = [f"- could not be read: {code(reason)}" for reason in change.unread]
    if change.unassessed:
        notes.append(f"- advisories unknown: {code(change.unassessed, _LONGEST_NOTE)}")
    if change.uncovered:
        what = code(", ".join(change.uncovered), _LONGEST_NOTE)
        notes.append(f"- in no advisory, so that nobody says whether it matters to security: {what}")
    return [*lines, *(("", *notes) if notes else ())]


def _explain_fixes(fixes: Sequence[Fix]) -> list[str]:
    if not fixes:
        return []
    lines = ["", "| advisory | severity | CVEs | packages |", "| --- | --- | --- | --- |"]
    lines += [_fix_row(fix) for fix in fixes[:_MOST_FIXES]]
    if len(fixes) > _MOST_FIXES:
        lines.append(f"| and {len(fixes) - _MOST_FIXES} more advisories | | | |")
    return lines


def _fix_row(fix: Fix) -> str:
    """Link an advisory only where its identifier is of the form that Amazon's site uses."""
    name = f"[{fix.identifier}]({fix.page})" if fix.page else code(fix.identifier)
    return f"| {name} | {fix.severity} | {code(', '.join(fix.cves) or 'none')} | {code(', '.join(fix.packages))} |"


def _version_row(change: LanguageChange | PackageChange) -> str:
    return f"| {code(change.name)} | {code(change.old or 'none')} | {code(change.new or 'none')} |"
