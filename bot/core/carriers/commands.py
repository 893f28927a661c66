"""What `docker build` and its like say on a command line: which Dockerfile, with which arguments, to which target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_BUILDERS: Final = frozenset({"docker", "podman", "nerdctl", "finch", "buildah"})
_BETWEEN: Final = frozenset({"buildx", "image", "builder"})
_SWITCHES: Final = frozenset({
    "--check", "--compress", "--debug", "--force-rm", "--load", "--no-cache", "--pull", "--push", "--quiet", "--rm",
    "--squash", "-D", "-q",
})  # fmt: skip
"""The options of a build that take no value."""
_MOVES: Final = frozenset({"cd", "pushd"})


@dataclass(slots=True, kw_only=True)
class BuildCommand:
    """One build as it is written; what is put in is not filled in. `context` is None where the text is not complete."""

    context: str | None = None
    dockerfile: str | None = None
    target: str | None = None
    args: list[str] = field(default_factory=list)


def read_builds(commands: Sequence[Sequence[str]]) -> Iterator[BuildCommand]:
    """Yield the builds among commands; none after a `cd`, because paths lead elsewhere then."""
    for words in commands:
        if _MOVES.intersection(words):
            return
        start = _after_build(words)
        if start is not None:
            yield _read(words[start:])


def _after_build(words: Sequence[str]) -> int | None:
    """Where the options of a build begin; Makefiles write `@` or `-` before a command."""
    for index, word in enumerate(words):
        if word.lstrip("@-") in _BUILDERS:
            rest = index + 1 + (words[index + 1 : index + 2] != [] and words[index + 1] in _BETWEEN)
            return rest + 1 if words[rest : rest + 1] == ["build"] else None
    return None


def _read(words: Sequence[str]) -> BuildCommand:
    build = BuildCommand()
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("-") or word == "-":
            build.context = word
            continue
        name, equals, value = word.partition("=")
        if not equals and name not in _SWITCHES:
            value = next(waiting, "")
        match name:
            case "--build-arg":
                build.args.append(value)
            case "--target":
                build.target = value
            case "--file" | "-f":
                build.dockerfile = value
            case _:
                continue
    return build
