"""From instructions to uses: what a build pulls, and where in the file the text of each reference stands."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager

from bot.core.dockerfile.checks import CheckError, check, check_platform, check_words
from bot.core.dockerfile.found import Findings, Found
from bot.core.dockerfile.instructions import Instruction, parse
from bot.core.dockerfile.names import Named, named
from bot.core.dockerfile.scope import read_scope
from bot.core.dockerfile.sites import Sites
from bot.core.dockerfile.stages import Source, Stage, bottom, reachable, read_stages
from bot.core.dockerfile.uses import Unread, Use
from bot.core.errors import DockerfileError, InvalidReference


def read(
    text: str,
    *,
    build_args: Mapping[str, str | None] | None = None,
    target: str | None = None,
    mirrors: Sequence[str] = (),
) -> Findings:
    """Read a file; a `DockerfileError` says why BuildKit would reject it."""
    parsed = parse(text)
    _check_all(parsed.instructions)
    first = next((i for i, each in enumerate(parsed.instructions) if each.key == "from"), None)
    if first is None:
        raise DockerfileError("there is no FROM", line=parsed.instructions[0].first)
    scope = read_scope(parsed.instructions[:first], build_args or {}, parsed.escape)
    stages = read_stages(parsed.instructions[first:], scope)
    needed, floor = reachable(stages, target), bottom(stages, target)
    _check_run(stages, needed, parsed.escape)
    sites = Sites(text, scope, stages, parsed.escape)
    findings = Findings()
    for stage, source in _pulled(stages):
        name = _named(source, mirrors)
        if name.says_something:
            use = _use(stage, source, name, sites, final=stage in needed, base=source is floor)
            end, defaults = sites.end_of(source, name), source.expansion.defaults
            findings.found.append(Found(use=use, named=name, end=end, defaults=defaults))
        else:
            reason = next(iter(source.expansion.holes.values())).reason
            findings.skipped.append(Unread(line=source.instruction.first, raw=source.raw, reason=reason))
    return findings


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


def _check_run(stages: Sequence[Stage], needed: Container[Stage], escape: str) -> None:
    """Check what only a build of the target would find, and the platforms, which it looks at first."""
    for stage in stages:
        if stage.platform and "$" not in stage.platform:
            with _at(stage.base.instruction):
                check_platform(stage.platform)
        for instruction in stage.instructions if stage in needed else ():
            try:
                check_words(instruction.command, escape)
            except CheckError as fault:
                raise DockerfileError(str(fault), line=instruction.first) from fault


@contextmanager
def _at(instruction: Instruction) -> Iterator[None]:
    """Say on which line a fault is."""
    try:
        yield
    except (CheckError, InvalidReference) as fault:
        raise DockerfileError(str(fault), line=instruction.first) from fault


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
    return Use(
        line=source.instruction.first,
        kind=source.kind,
        raw=source.raw,
        resolved=None if source.expansion.holes else name.text,
        reference=name.reference,
        stage=stage.name,
        final=final,
        base=base,
        platform=stage.platform if source.kind == "from" else None,
        lambda_image=name.lambda_image,
        edit=sites.edit(source, name),
        cannot_retag=sites.cannot_retag(source, name),
    )
