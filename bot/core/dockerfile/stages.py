"""The stages of a Dockerfile, what each takes from where, and which of them a target needs (dockerfile2llb).

`FROM` finds an earlier stage by its lower-case name; `COPY --from` and `RUN --mount=from` find any stage by its name in
any case, and `COPY --from` also by its number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.core.dockerfile.arguments import Flag, white_words
from bot.core.dockerfile.checks import flag_value
from bot.core.dockerfile.instructions import Instruction
from bot.core.dockerfile.scope import Scope
from bot.core.dockerfile.shell import Expander, Expansion, WordError
from bot.core.dockerfile.source import Traced
from bot.core.errors import DockerfileError

_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_VARIABLE: Final = re.compile(r"\$.")
_SCRATCH: Final = "scratch"


@dataclass(slots=True, kw_only=True, eq=False)
class Source:
    """Where one instruction takes an image from: a stage, nothing, or else an image to pull."""

    kind: str
    instruction: Instruction
    raw: str
    written_end: int
    """Where the word ends in the file, before a closing quote."""
    expansion: Expansion
    stage: "Stage | None" = None
    pulls: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Stage:
    """One stage; `name` is as written, `platform` is the value of the flag after expansion."""

    name: str | None
    base: Source
    platform: str | None
    platform_defaults: frozenset[int]
    instructions: list[Instruction] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


def read_stages(instructions: Iterable[Instruction], scope: Scope) -> list[Stage]:
    """Gather the stages and find out where their bases come from."""
    stages: list[Stage] = []
    by_name: dict[str, Stage] = {}
    for instruction in instructions:
        if instruction.key != "from":
            stages[-1].instructions.append(instruction)
            continue
        stage = _read_from(instruction, scope, by_name)
        stages.append(stage)
        if stage.name:
            by_name[stage.name.lower()] = stage
    for stage in stages:
        for instruction in stage.instructions:
            stage.sources += _read_sources(instruction, stages, by_name)
    _refuse_circles(stages)
    return stages


def reachable(stages: Sequence[Stage], target: str | None) -> frozenset[Stage]:
    """Return the stages that the target needs: the last stage, or the one of that name."""
    found: set[Stage] = set()
    waiting = [_wanted(stages, target)]
    while waiting:
        stage = waiting.pop()
        if stage not in found:
            found.add(stage)
            waiting += [source.stage for source in (stage.base, *stage.sources) if source.stage]
    return frozenset(found)


def bottom(stages: Sequence[Stage], target: str | None) -> Source:
    """Return what the target's own file system starts from: the base of the stage at the end of its chain of `FROM`."""
    stage = _wanted(stages, target)
    while stage.base.stage:
        stage = stage.base.stage
    return stage.base


def _wanted(stages: Sequence[Stage], target: str | None) -> Stage:
    if target is None:
        return stages[-1]
    named = [stage for stage in stages if stage.name and stage.name.lower() == target.lower()]
    if not named:
        raise DockerfileError(f"target stage {target[:80]!r} could not be found", line=1)
    return named[-1]


def _read_from(instruction: Instruction, scope: Scope, by_name: Mapping[str, Stage]) -> Stage:
    words = list(white_words(instruction.command.rest, instruction.command.start))
    written = instruction.line.joined.trace(words[0].start, words[0].stop)
    expansion = _expand(scope.expander, written, instruction)
    platform, defaults = _platform(instruction, scope)
    plain = expansion.plain
    if expansion.is_empty and not expansion.holes:
        raise DockerfileError(f"base name ({words[0].text[:80]}) should not be blank", line=instruction.first)
    base = Source(
        kind="from",
        instruction=instruction,
        raw=words[0].text,
        written_end=_end(written),
        expansion=expansion,
        stage=by_name.get(plain),
        pulls=plain != _SCRATCH and plain not in by_name,
    )
    return Stage(
        name=words[2].text if len(words) == 3 else None, base=base, platform=platform, platform_defaults=defaults
    )


def _platform(instruction: Instruction, scope: Scope) -> tuple[str | None, frozenset[int]]:
    """The value of `--platform`; as written where a part of it is not known."""
    value = flag_value(instruction.command, "platform")
    if not value:
        return None, frozenset()
    expansion = _expand(scope.expander, Traced.from_outside(value), instruction)
    return value if expansion.holes else expansion.text, expansion.defaults


def _expand(expander: Expander, written: Traced, instruction: Instruction) -> Expansion:
    try:
        return expander.expand(written)
    except WordError as fault:
        raise DockerfileError(f"failed to process {written.text[:80]!r}: {fault}", line=instruction.first) from fault


def _end(written: Traced) -> int:
    """Where a word ends in the file, before a closing quote."""
    quoted = len(written.text) > 1 and written.text[-1] in "'\""
    return written.places[-1] + (not quoted)


def _read_sources(instruction: Instruction, stages: Sequence[Stage], by_name: Mapping[str, Stage]) -> list[Source]:
    match instruction.key:
        case "copy":
            flags = [flag for flag in instruction.command.flags if flag.text.startswith("--from=")]
            return [_copy_source(instruction, flag, stages, by_name) for flag in flags if flag.text != "--from="]
        case "run":
            flags = [flag for flag in instruction.command.flags if flag.text.startswith("--mount=")]
            words = [word for flag in flags for word in _mount_words(instruction, flag)]
            return [_named_source("mount-from", instruction, word, by_name) for word in words]
        case _:
            return []


def _copy_source(instruction: Instruction, flag: Flag, stages: Sequence[Stage], by_name: Mapping[str, Stage]) -> Source:
    word = _flag_word(flag, len("--from="), len(flag.text))
    if _expand(Expander(), Traced(word.text, range(len(word.text))), instruction).plain != word.text:
        reason = "variable expansion is not supported for --from; name a stage with FROM instead"
        raise DockerfileError(reason, line=instruction.first)
    source = _named_source("copy-from", instruction, word, by_name)
    if _NUMBER.fullmatch(word.text):
        index = int(word.text) if len(word.text) < 10 else len(stages)
        if not 0 <= index < len(stages):
            raise DockerfileError(f"invalid stage index {word.text[:20]}", line=instruction.first)
        source.stage, source.pulls = stages[index], False
    return source


def _named_source(kind: str, instruction: Instruction, word: "_FlagWord", by_name: Mapping[str, Stage]) -> Source:
    joined = instruction.line.joined
    written = Traced(word.text, [joined.place(index) for index in word.indexes])
    expansion = Expansion()
    expansion.add(written.text, written.places, hard=False)
    stage = by_name.get(word.text.lower())
    return Source(
        kind=kind,
        instruction=instruction,
        raw=joined.text[word.first : word.end],
        written_end=_end(written),
        expansion=expansion,
        stage=stage,
        pulls=stage is None and word.text != _SCRATCH,
    )


@dataclass(frozen=True, slots=True)
class _FlagWord:
    """A part of a flag, where its characters stand in the logical line, and from where to where it is written."""

    text: str
    indexes: Sequence[int]
    first: int
    end: int


def _flag_word(flag: Flag, start: int, stop: int) -> _FlagWord:
    end = flag.indexes[stop] if stop < len(flag.indexes) else flag.stop
    return _FlagWord(flag.text[start:stop], flag.indexes[start:stop], flag.indexes[start - 1] + 1, end)


def _mount_words(instruction: Instruction, flag: Flag) -> list[_FlagWord]:
    """Return the value of `from=` in one `--mount`; of several, the last."""
    start = len("--mount=")
    if start == len(flag.text) or '"' in flag.text:
        raise DockerfileError("failed to parse csv mounts", line=instruction.first)
    found: list[_FlagWord] = []
    for field_text in flag.text[start:].split(","):
        key, equals, value = field_text.partition("=")
        if key.lower() == "from" and equals:
            if _VARIABLE.search(value):
                reason = "'from' doesn't support variable expansion; define an alias stage instead"
                raise DockerfileError(reason, line=instruction.first)
            found = [_flag_word(flag, start + len(key) + 1, start + len(field_text))] if value else []
        start += len(field_text) + 1
    return found


def _refuse_circles(stages: Sequence[Stage]) -> None:
    """Raise if stages copy from each other in a circle; bases cannot, because they stand above."""
    done: set[Stage] = set()
    for first in stages:
        path: dict[Stage, list[Stage]] = {first: _copied(first)} if first not in done else {}
        while path:
            stage, waiting = next(reversed(path.items()))
            if not waiting:
                done.add(stage)
                del path[stage]
            elif (following := waiting.pop()) in path:
                line = following.base.instruction.first
                raise DockerfileError("circular dependency between stages; remove one of the copies", line=line)
            elif following not in done:
                path[following] = _copied(following)


def _copied(stage: Stage) -> list[Stage]:
    return [source.stage for source in stage.sources if source.stage]
