"""Policy: when a newer base is taken, and what people declared against it.

Whatever the policy, an update stays within its runtime: refrom never moves a function from python3.12 to python3.13.

Globs are those of `fnmatch`, case-sensitive, over the whole text: `*` stands for any characters, `/` included.
"""

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from bot.core.advisories import Severity
from bot.core.digest import Digest
from bot.core.modes import UpdateMode

OWN_FILE: Final = ".github/refrom.yaml"
"""Where a source repository narrows what refrom does there."""


class UpdateOn(StrEnum):
    """The least significance that is taken without waiting for `max_age`; the first one takes the least."""

    SECURITY = "security"
    LANGUAGE = "language"
    PACKAGES = "packages"
    ANY = "any"


class Style(StrEnum):
    """How a reference is kept current: by a digest or a date in the file, or by rebuilding on the moving tag.

    What a person wrote stays: a digest or a date that stands in a reference is renewed in every style.
    """

    DIGEST = "digest"
    DATED = "dated"
    TAG = "tag"


class OnUnknown(StrEnum):
    """What to do where the base in use is not known, or what its advisories say; the first two take what is new."""

    PIN = "pin"
    REBUILD = "rebuild"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a newer base is taken.

    Only what fixes an advisory of at least `min_severity` counts as security.
    A change of less than `update_on` waits until the base in use has been behind for `max_age`;
    any other waits until the new base has been seen for `soak`.
    `modes` are the update modes that were declared, the least specific first.
    """

    update_on: UpdateOn = UpdateOn.LANGUAGE
    min_severity: Severity = Severity.LOW
    max_age: timedelta = timedelta(days=30)
    soak: timedelta = timedelta(0)
    style: Style = Style.DIGEST
    on_unknown: OnUnknown = OnUnknown.PIN
    modes: tuple[UpdateMode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Another policy for some uses: the parts that are not None, where all the globs that are not None match."""

    repository: str | None = None
    path: str | None = None
    runtime: str | None = None
    update_on: UpdateOn | None = None
    min_severity: Severity | None = None
    max_age: timedelta | None = None
    soak: timedelta | None = None
    style: Style | None = None
    on_unknown: OnUnknown | None = None
    mode: UpdateMode | None = None

    def covers(self, *, repository: str, path: str, runtime: str) -> bool:
        """Say whether a use is meant."""
        pairs = ((self.repository, repository), (self.path, path), (self.runtime, runtime))
        return all(_matches(glob, text) for glob, text in pairs)

    def apply(self, policy: Policy) -> Policy:
        """Return the policy with the parts of this override."""
        parts = {field.name: getattr(self, field.name) for field in fields(Policy) if field.name != "modes"}
        changed = replace(policy, **{name: part for name, part in parts.items() if part is not None})
        return replace(changed, modes=(*policy.modes, *_given(self.mode)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a source repository says of itself: it can only narrow what refrom does there, never widen it.

    `ignore` are globs of paths whose uses are not handled. Each part of the policy counts only where it is stricter,
    and so does `mode`, which `narrows`.
    """

    enabled: bool = True
    ignore: tuple[str, ...] = ()
    update_on: UpdateOn | None = None
    min_severity: Severity | None = None
    soak: timedelta | None = None
    mode: UpdateMode | None = None

    def why_skipped(self, path: str) -> str:
        """Say why nothing is done about a path; nothing if it is handled."""
        if not self.enabled:
            return f"{OWN_FILE} of the repository says enabled: false"
        glob = next((glob for glob in self.ignore if fnmatchcase(path, glob)), None)
        return f"{OWN_FILE} of the repository ignores {glob}" if glob else ""

    def apply(self, policy: Policy) -> Policy:
        """Return the policy with what is stricter here: a rarer cause, a higher severity, a longer soak."""
        strictness = list(UpdateOn)
        return replace(
            policy,
            update_on=min(policy.update_on, self.update_on or policy.update_on, key=strictness.index),
            min_severity=max(policy.min_severity, self.min_severity or policy.min_severity),
            soak=max(policy.soak, self.soak or policy.soak),
            modes=(*policy.modes, *_given(self.mode)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person's no to some uses or to one function, through the day `until`, or until it is released.

    `repository` and `path` are globs. A hold covers what all the parts that are not None match. `by` is who said it.
    """

    reason: str
    until: date | None = None
    repository: str | None = None
    path: str | None = None
    function: str | None = None
    runtime: str | None = None
    by: str | None = None

    @property
    def names(self) -> str:
        """What is held, such as `repository acme/*, path app/*`."""
        parts = {name: getattr(self, name) for name in ("repository", "path", "runtime", "function")}
        return ", ".join(f"{name} {part}" for name, part in parts.items() if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A person's no to one digest everywhere, through the day `until`, or until it is unblocked; `by` says who."""

    digest: Digest
    reason: str
    until: date | None = None
    by: str | None = None

    @property
    def names(self) -> str:
        """What is blocked."""
        return str(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionMode:
    """The update mode of one function, as a person declared it."""

    function: str
    mode: UpdateMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What people declared; whatever has expired does nothing."""

    holds: tuple[Hold, ...] = ()
    blocks: tuple[Block, ...] = ()
    modes: tuple[FunctionMode, ...] = ()

    def modes_of(self, function: str) -> tuple[UpdateMode, ...]:
        """Return the update modes that are declared for a function, whether they last or not."""
        return tuple(one.mode for one in self.modes if one.function == function)

    def hold_for(
        self,
        *,
        today: date,
        repository: str | None = None,
        path: str | None = None,
        runtime: str | None = None,
        function: str | None = None,
    ) -> Hold | None:
        """Return the hold that covers a use or a function; of several, the first declared.

        A part that is not given is matched by no glob, so that a hold on repositories is none on a function.
        """
        for hold in self.holds:
            globs = _matches(hold.repository, repository) and _matches(hold.path, path)
            exact = hold.runtime in (None, runtime) and hold.function in (None, function)
            if globs and exact and _lasts(hold.until, today):
                return hold
        return None

    def is_blocked(self, digest: Digest, today: date) -> bool:
        """Say whether a digest is blocked today."""
        return digest in self.blocked(today)

    def blocked(self, today: date) -> frozenset[Digest]:
        """Return the digests that are blocked today."""
        return frozenset(block.digest for block in self.blocks if _lasts(block.until, today))


def _given(mode: UpdateMode | None) -> tuple[UpdateMode, ...]:
    return (mode,) if mode else ()


def _matches(glob: str | None, text: str | None) -> bool:
    return glob is None or (text is not None and fnmatchcase(text, glob))


def _lasts(until: date | None, today: date) -> bool:
    return until is None or today <= until
