"""What the body of a pull request says to machines: the marker that carries the plan, and whether it is finished.

The marker holds only digests, so that no text of an image or a repository gets into it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.decision import BaseUse, Update
from bot.core.digest import Digest

UNFINISHED = "<!-- refrom:unfinished -->"
"""The last line of a body while labels, reviewers or the forge's own merge are still to be added."""

_MOST_TOLD = 800
"""Of so many uses a marker says which base each is brought to; with more it would take the room of the body."""
_NAMES = r'\[[0-9a-f", ]*\]'
_BASES = rf'\{{(?:"sha[0-9]+:[0-9a-f]+": {_NAMES}(?:, )?)*\}}'
_MARKER = re.compile(
    rf'^<!-- refrom:plan (\{{"steps": {_NAMES}(?:, "bases": {_BASES})?(?:, "fixes": "[0-9a-f]*")?\}}) -->[ \t\r]*$',
    re.MULTILINE,
)
_UNFINISHED = re.compile(rf"^{UNFINISHED}[ \t\r]*(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the marker of a body says: the steps, the base that each use is brought to, and what that fixes.

    `bases` are by the names of `use_name`; empty in bodies of earlier releases, and where there are very many.
    """

    steps: tuple[str, ...]
    bases: Mapping[str, Digest]
    fixes: str


def marker(updates: Sequence[Update]) -> str:
    """Hide the plan in an HTML comment, so that a later run knows what the pull request stands for."""
    uses: dict[str, list[str]] = defaultdict(list)
    for update in updates:
        uses[str(update.new)].append(use_name(update.use))
    fixes = fixes_of(updates)
    bases = {base: sorted(set(names)) for base, names in sorted(uses.items())}
    told = {"bases": bases} if 0 < len(updates) <= _MOST_TOLD else {}
    document = {"steps": steps_of(updates), **told, **({"fixes": fixes} if fixes else {})}
    return f"<!-- refrom:plan {json.dumps(document)} -->"


def steps_of(updates: Iterable[Update]) -> tuple[str, ...]:
    """What updates stand for, however they are explained: for each file and image the tag and digest it is brought to.

    Each step is the start of a digest, so that many fit into a body and no text of a repository gets into the marker.
    """
    return tuple(sorted({step_of(update) for update in updates}))


def step_of(update: Update) -> str:
    """What one update stands for; to go back to a base is another thing than to come to it."""
    back = ("back",) if update.back else ()
    return _name((update.use.located.path, _image(update.use), update.tag, str(update.new), *back))


def use_name(use: BaseUse) -> str:
    """Name a use in a marker by its file, image and runtime, whatever line and digest they stand at.

    One file may use an image at several runtimes, each with a base of its own.
    """
    return _name((use.located.path, _image(use), use.runtime))


def fixes_of(updates: Iterable[Update]) -> str | None:
    """Which advisories updates fix, as one short text, empty for none; None where that is not known of every update."""
    changes = [(str(update.new), update.change) for update in updates if update.change]
    if any(change.unassessed for _, change in changes):
        return None
    fixes = sorted({(new, fix.identifier, fix.severity) for new, change in changes for fix in change.fixes})
    return Digest.of(json.dumps(fixes).encode()).short if fixes else ""


def is_told(plan: Plan, updates: Iterable[Update]) -> bool:
    """Whether a plan tells what updates fix, as far as that is known now: advisories come later than packages."""
    return fixes_of(updates) in (None, plan.fixes)


def read_plan(body: str) -> Plan | None:
    """Read the marker back; None where there is none that can be read (a person may have edited the body).

    The last one counts: it stands at the end, and whatever a template or a person wrote stands before it.
    """
    found = _MARKER.findall(body)
    try:
        document = json.loads(found[-1]) if found else None
        return _plan(document) if document else None
    except ValueError:
        return None


def _plan(document: Mapping[str, Any]) -> Plan:
    """Take a marker's document apart; a base that is no digest is a `ValueError`."""
    return Plan(
        steps=tuple(str(step) for step in document["steps"]),
        bases={str(name): Digest.parse(base) for base, names in document.get("bases", {}).items() for name in names},
        fixes=document.get("fixes", ""),
    )


def is_unfinished(body: str) -> bool:
    """Whether labels and their like are still to be added."""
    return _UNFINISHED.search(body) is not None


def finished(body: str) -> str:
    """Return a body that says that they are."""
    return _UNFINISHED.sub("", body)


def _name(what: object) -> str:
    return Digest.of(json.dumps(what).encode()).short


def _image(use: BaseUse) -> str:
    reference = use.located.use.reference
    return reference.name if reference else use.located.use.raw
