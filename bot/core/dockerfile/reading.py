"""From instructions to uses: what a build pulls, and where in the file the text of each reference stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.dockerfile.checks import CheckError, check
from bot.core.dockerfile.instructions import Instruction, parse
from bot.core.dockerfile.names import Named, named
from bot.core.dockerfile.scope import Scope, read_scope
from bot.core.dockerfile.sites import Sites
from bot.core.dockerfile.stages import Source, Stage, bottom, reachable, read_stages
from bot.core.dockerfile.uses import Unread, Use
from bot.core.errors import DockerfileError, InvalidReference
from bot.core.platforms import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A use together with where its text stands."""

    use: Use
    source: Source
    named: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Everything that a file gives: its uses, what of it is not known, and its arguments."""

    found: tuple[Found, ...]
    skipped: tuple[Unread, ...]
    scope: Scope
    sites: Sites


def read(
    text: str, *, build_args: Mapping[str, str] | None = None, target: str | None = None, mirrors: Sequence[str] = ()
) -> Whole:
    """Read a file; a `DockerfileError` says why BuildKit would reject it."""
    parsed = parse(text)
    _check_all(parsed.instructions)
    first = next((i for i, each in enumerate(parsed.instructions) if each.key == "from"), None)
    if first is None:
        raise DockerfileError("there is no FROM", line=parsed.instructions[0].first)
    scope = read_scope(parsed.instructions[:first], build_args or {}, parsed.escape)
    stages = read_stages(parsed.instructions[first:], scope)
    sites = Sites(text, scope, stages, parsed.escape)
    needed, floor = reachable(stages, target), bottom(stages, target)
    found: list[Found] = []
    skipped: list[Unread] = []
    for stage, source in _pulled(stages):
        name = _named(source, mirrors)
        if not name.says_something:
            reason = next(iter(source.expansion.holes.values())).reason
            skipped.append(Unread(line=source.instruction.first, raw=source.raw, reason=reason))
            continue
        use = _use(stage, source, name, sites, final=stage in needed, base=source is floor)
        found.append(Found(use=use, source=source, named=name))
    return Whole(found=tuple(found), skipped=tuple(skipped), scope=scope, sites=sites)


def _check_all(instructions: Sequence[Instruction]) -> None:
    """Check each instruction, and that none but `ARG` stands above the first `FROM`."""
    started = False
    for instruction in instructions:
        try:
            check(instruction.command)
        except CheckError as fault:
            raise DockerfileError(str(fault), line=instruction.first) from fault
        started = started or instruction.key == "from"
        if not started and instruction.key != "arg":
            raise DockerfileError(f"no build stage before {instruction.command.name.upper()}", line=instruction.first)


def _pulled(stages: Sequence[Stage]) -> Iterator[tuple[Stage, Source]]:
    """Yield what is pulled, in the order of the file."""
    for stage in stages:
        for source in (stage.base, *stage.sources):
            if source.pulls:
                yield stage, source


def _named(source: Source, mirrors: Sequence[str]) -> Named:
    try:
        return named(source.expansion, mirrors)
    except InvalidReference as fault:
        raise DockerfileError(str(fault), line=source.instruction.first) from fault


def _use(stage: Stage, source: Source, name: Named, sites: Sites, *, final: bool, base: bool) -> Use:
    platform = stage.platform if source.kind == "from" else None
    if platform and "$" not in platform:
        _check_platform(platform, source)
    return Use(
        line=source.instruction.first,
        kind=source.kind,
        raw=source.raw,
        resolved=None if source.expansion.holes else name.text,
        reference=name.reference,
        stage=stage.name,
        final=final,
        base=base,
        platform=platform,
        lambda_image=name.lambda_image,
        edit=sites.edit(source, name),
    )


def _check_platform(platform: str, source: Source) -> None:
    try:
        Platform.parse(platform)
    except InvalidReference as fault:
        raise DockerfileError(str(fault), line=source.instruction.first) from fault
