"""What BuildKit rejects in a single instruction (frontend/dockerfile/instructions)."""

import re
from collections.abc import Mapping
from typing import Final

from bot.core.dockerfile.heredocs import parse_heredoc
from bot.core.dockerfile.instructions import Command
from bot.core.dockerfile.shell import Expander, WordError, special
from bot.core.dockerfile.source import Traced

_VALUE, _VALUES, _SWITCH = "value", "values", "switch"
_FLAGS: Final[Mapping[str, Mapping[str, str]]] = {
    "from": {"platform": _VALUE},
    "add": {
        "chown": _VALUE, "chmod": _VALUE, "link": _SWITCH, "keep-git-dir": _SWITCH, "checksum": _VALUE,
        "unpack": _SWITCH, "exclude": _VALUES,
    },
    "copy": {
        "chown": _VALUE, "chmod": _VALUE, "link": _SWITCH, "from": _VALUE, "parents": _SWITCH, "exclude": _VALUES,
    },
    "run": {"mount": _VALUES, "network": _VALUE, "security": _VALUE, "device": _VALUES},
    "healthcheck": {
        "interval": _VALUE, "timeout": _VALUE, "start-period": _VALUE, "start-interval": _VALUE, "retries": _VALUE,
    },
}  # fmt: skip
_WITHOUT_FLAG_CHECK: Final = frozenset({"arg", "stopsignal"})
"""BuildKit does not look at the flags of these."""
_EXACTLY_ONE: Final = frozenset({"maintainer", "workdir", "user", "stopsignal"})
_AT_LEAST_ONE: Final = frozenset({"env", "label", "expose", "volume", "arg", "onbuild", "healthcheck", "shell"})
_KNOWN: Final = _EXACTLY_ONE | _AT_LEAST_ONE | {"from", "add", "copy", "run", "cmd", "entrypoint"}
_EXPANDED: Final = frozenset(
    {"env", "label", "add", "copy", "workdir", "user", "volume", "expose", "stopsignal", "arg"}
)
"""Instructions whose words BuildKit expands when it runs them."""
_PLATFORM_PART: Final = re.compile(r"[A-Za-z0-9_.-]+")
_PLATFORM_OS: Final = re.compile(r"[A-Za-z0-9_.-]+(?:\([A-Za-z0-9_.-]*\))?")
_SINGLE_PLATFORMS: Final = frozenset({
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd",
    "openbsd", "plan9", "solaris", "windows", "zos", "386", "i386", "amd64", "x86_64", "x86-64", "amd64p32", "arm",
    "armhf", "armel", "armbe", "arm64", "aarch64", "arm64be", "ppc64", "ppc64le", "loong64", "mips", "mipsle", "mips64",
    "mips64le", "mips64p32", "mips64p32le", "ppc", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm",
})  # fmt: skip
"""Operating systems and architectures that may stand alone (containerd/platforms)."""
_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9-_.]*")


class CheckError(ValueError):
    """An instruction that BuildKit rejects."""


def check(command: Command) -> None:
    """Raise a `CheckError` if BuildKit would reject the instruction."""
    name, values = command.key, command.arguments.values
    if name not in _KNOWN:
        raise CheckError(f"unknown instruction: {command.name[:40]}" if name else "a line continues no instruction")
    if name in _EXACTLY_ONE and len(values) != 1:
        raise CheckError(f"{name.upper()} requires exactly one argument")
    if name in _AT_LEAST_ONE and not (values or command.trigger):
        raise CheckError(f"{name.upper()} requires at least one argument")
    if name not in _WITHOUT_FLAG_CHECK:
        _check_flags(command)
    _check_values(command)


def check_words(command: Command, escape: str) -> None:
    """Raise a `CheckError` if BuildKit could not expand the words of an instruction that a build runs."""
    if command.key not in _EXPANDED:
        return
    expander = Expander(escape=escape, keep_unset=True)
    for value in filter(special(escape).search, command.arguments.values):
        try:
            expander.expand(Traced(value, range(len(value))))
        except WordError as fault:
            raise CheckError(f"failed to process {value[:80]!r}: {fault}") from fault


def check_platform(platform: str) -> None:
    """Raise a `CheckError` if a platform is not os, architecture, os/architecture or os/architecture/variant."""
    first, *rest = platform.split("/")
    fine = _PLATFORM_OS.fullmatch(first) and len(rest) <= 2 and all(map(_PLATFORM_PART.fullmatch, rest))
    if not fine or not (rest or first.lower() in _SINGLE_PLATFORMS):
        raise CheckError(f"platform {platform[:80]!r} is malformed; write os/architecture, such as linux/arm64")


def flag_value(command: Command, name: str) -> str:
    """The value of a flag that may stand once, "" where it does not."""
    prefix = f"--{name}="
    return next((flag.text[len(prefix) :] for flag in command.flags if flag.text.startswith(prefix)), "")


def _check_values(command: Command) -> None:
    values = command.arguments.values
    match command.key:
        case "from":
            _check_from(values)
        case "add" | "copy" as name:
            _check_copy(name.upper(), values)
        case "env" | "label" as name if "" in values[::3]:
            raise CheckError(f"{name.upper()} names can not be blank")
        case "arg" if any(value.startswith("=") for value in values):
            raise CheckError("ARG names can not be blank")
        case "volume" if any(not value.strip() for value in values):
            raise CheckError("VOLUME specified can not be an empty string")
        case "shell" if not command.arguments.json:
            raise CheckError("SHELL requires the arguments to be in JSON form")
        case "healthcheck":
            _check_healthcheck(values)
        case "onbuild" if command.trigger:
            _check_trigger(command.trigger)
        case _:
            return


def _check_from(values: tuple[str, ...]) -> None:
    if len(values) == 3 and values[1].lower() == "as":
        if not _STAGE_NAME.fullmatch(values[2].lower()):
            raise CheckError(
                f"invalid name for build stage: {values[2][:80]!r}; begin it with a letter, without symbols"
            )
    elif len(values) != 1:
        raise CheckError("FROM requires either one or three arguments")


def _check_copy(name: str, values: tuple[str, ...]) -> None:
    if len(values) < 2:
        raise CheckError(f"{name} requires at least two arguments")
    try:
        heredoc = "<<" in values[-1] and parse_heredoc(values[-1])
    except WordError:
        return
    if heredoc:
        raise CheckError(f"{name} cannot accept a heredoc as a destination")


def _check_healthcheck(values: tuple[str, ...]) -> None:
    kind, *rest = values
    match kind.upper():
        case "NONE" if rest:
            raise CheckError("HEALTHCHECK NONE takes no arguments")
        case "CMD" if not rest:
            raise CheckError("missing command after HEALTHCHECK CMD")
        case "NONE" | "CMD":
            return
        case _:
            raise CheckError(f"unknown type {kind[:40]!r} in HEALTHCHECK (try CMD)")


def _check_trigger(trigger: Command) -> None:
    if trigger.key == "onbuild":
        raise CheckError("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger.key in ("maintainer", "from"):
        raise CheckError(f"{trigger.name.upper()} isn't allowed as an ONBUILD trigger")


def _check_flags(command: Command) -> None:
    """Check every flag against those that the instruction has (BuildKit's BFlags)."""
    known = _FLAGS.get(command.key, {})
    used: set[str] = set()
    for flag in command.flags:
        name, equals, value = flag.text.removeprefix("--").partition("=")
        if name not in known:
            raise CheckError(f"unknown flag: --{name[:40]}")
        if name in used and known[name] != _VALUES:
            raise CheckError(f"duplicate flag specified: --{name}")
        used.add(name)
        if known[name] != _SWITCH and not equals:
            raise CheckError(f"missing a value on flag: --{name}")
        if known[name] == _SWITCH and (value.lower() not in ("", "true", "false") or (equals and not value)):
            raise CheckError(f"expecting boolean value for flag --{name}, not: {value[:40]}")
