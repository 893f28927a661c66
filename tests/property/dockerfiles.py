"""Random Dockerfiles: put together from pieces that parsers stumble over, then damaged."""

import random
from collections.abc import Callable

_WORDS = (
    "a", "b=c", "$X", "${X}", "${X:-y}", "${X-y}", "'q q'", '"d d"', "\\ ", "\\\\", '\\"', "it's", "=", "é", "\u00a0",
    "x\ty", "--flag", "--from=a", "--", "#", "<<", "<", "1.2", "[", "]", '["a"]', '["a", "b"]', '["a", 1]', "{}", "`",
    "``", ",", "/bin/sh", "-c", "as", "AS", "CMD", "NONE", "3<<E", "a<<E", "\\", "''", '""', "A=", "B='x y'",
    'C="x\\"y"', "D=x\\ y",
)  # fmt: skip
_IMAGES = (
    "public.ecr.aws/lambda/python:3.12", "$BASE", "${BASE:-alpine}", '"alpine"', "scratch", "alpine AS base", "base",
    "--platform=linux/arm64 alpine", "--platform=$P alpine as two", "alpine@sha256:00", "a b", "",
)  # fmt: skip
_NAMES = (
    "RUN", "COPY", "ADD", "CMD", "ENTRYPOINT", "ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "USER", "WORKDIR", "SHELL",
    "STOPSIGNAL", "HEALTHCHECK", "ONBUILD", "MAINTAINER", "run", "Env", "FOO",
)  # fmt: skip
_FLAGS = (
    "--from=base", "--chown=1:1", "--link", "--mount=type=bind,from=base", '--mount="type=cache"', "--x='a b'",
    "--x=\\ y",
)  # fmt: skip
_HEREDOC_NAMES = ("EOF", "'EOF'", '"EOF"', "E\\F", "-EOF", "-'E'", "E'O'F", "$E")
_CONTENT = ("FROM x", "\tFROM x", "RUN <<EOF", "", "# c", "EOF ", " EOF", "\\", "text \\")


def generate(seed: int) -> str:
    """Return the Dockerfile of a seed."""
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    escape = "`" if dice.random() < 0.2 else "\\"
    lines = _head(dice, escape)
    lines.append(f"FROM {dice.choice(_IMAGES[:-2])}")
    lines += [line for _ in range(dice.randint(0, 8)) for line in _instruction(dice, escape)]
    text = _newline(dice).join(lines)
    text += dice.choice(("\n", "\n", "\n", "", "\\", "\n\n"))
    return _damage(dice, text) if dice.random() < 0.4 else text


def _head(dice: random.Random, escape: str) -> list[str]:
    lines = ["# syntax=docker/dockerfile:1"] if dice.random() < 0.1 else []
    if escape != "\\" or dice.random() < 0.1:
        lines.append(dice.choice((f"# escape={escape}", f"#escape = {escape} ", f"# EsCaPe={escape}")))
    if dice.random() < 0.1:
        lines.append(dice.choice(("", "# a comment", "#", "# escape=x", "# escape=`", "\t")))
    if dice.random() < 0.3:
        lines.append(f"ARG {_words(dice, 2)}".rstrip())
    return lines


def _instruction(dice: random.Random, escape: str) -> list[str]:
    makers: tuple[Callable[[random.Random, str], list[str]], ...] = (
        _plain, _plain, _plain, _known_good, _known_good, _continued, _continued, _heredoc, _from, _blank,
    )  # fmt: skip
    return dice.choice(makers)(dice, escape)


def _plain(dice: random.Random, _escape: str) -> list[str]:
    flags = " ".join(dice.choice(_FLAGS) for _ in range(dice.randint(0, 2))) if dice.random() < 0.3 else ""
    return [f"{_indent(dice)}{dice.choice(_NAMES)}{_gap(dice)}{flags} {_words(dice, 4)}{_indent(dice)}"]


def _known_good(dice: random.Random, _escape: str) -> list[str]:
    good = (
        "RUN true", 'CMD ["a", "b"]', "ENV a=b c='d e'", "ENV a b c", "LABEL x=y", "COPY --from=base a b", "ARG X=1",
        "EXPOSE 80 443", "VOLUME /a /b", 'VOLUME ["/a"]', "USER me", "WORKDIR /x", 'SHELL ["a"]', "STOPSIGNAL 9",
        "HEALTHCHECK NONE", "HEALTHCHECK --interval=5s CMD a b", "ONBUILD RUN a", 'ONBUILD CMD ["a"]',
        "ONBUILD ENV a=b",
    )  # fmt: skip
    return [dice.choice(good)]


def _continued(dice: random.Random, escape: str) -> list[str]:
    lines = [f"{dice.choice(_NAMES)} {_words(dice, 2)} {escape}{dice.choice(('', '', ' ', chr(9)))}"]
    for _ in range(dice.randint(0, 3)):
        lines.append(dice.choice((f"{_words(dice, 2)}{escape}", "# comment", "  # comment \\", "", "  ", f"{escape}")))
    return [*lines, f"{_indent(dice)}{_words(dice, 2)}"]


def _heredoc(dice: random.Random, escape: str) -> list[str]:
    names = [dice.choice(_HEREDOC_NAMES) for _ in range(dice.choice((1, 1, 2)))]
    head = dice.choice(("RUN", "COPY", "ADD", "ONBUILD RUN", "run --mount=type=cache", "USER", "RUN cat"))
    middle = f" {escape}" if dice.random() < 0.1 else ""
    lines = [f"{head} {' '.join(f'<<{name}' for name in names)} {dice.choice(('', 'x', '/dest', 'a | b'))}{middle}"]
    for name in names:
        lines += [dice.choice(_CONTENT) for _ in range(dice.randint(0, 3))]
        lines.append(name.lstrip("-").replace("'", "").replace('"', "").replace("\\", ""))
    return lines


def _from(dice: random.Random, _escape: str) -> list[str]:
    return [f"{_indent(dice)}{dice.choice(('FROM', 'from'))}{_gap(dice)}{dice.choice(_IMAGES)}"]


def _blank(dice: random.Random, _escape: str) -> list[str]:
    return [dice.choice(("", "# comment", "   # indented", "\t", "#", "# escape=`"))]


def _words(dice: random.Random, most: int) -> str:
    return _gap(dice).join(dice.choice(_WORDS) for _ in range(dice.randint(0, most)))


def _gap(dice: random.Random) -> str:
    return dice.choice((" ", " ", " ", "  ", "\t", " \t "))


def _indent(dice: random.Random) -> str:
    return dice.choice(("", "", "", " ", "\t", "  "))


def _newline(dice: random.Random) -> str:
    return dice.choice(("\n", "\n", "\n", "\r\n"))


def _damage(dice: random.Random, text: str) -> str:
    """Delete, double or replace a few characters."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(text) + 1)
        match dice.randrange(3):
            case 0:
                text = text[:at] + text[at + dice.randint(1, 3) :]
            case 1:
                text = text[:at] + dice.choice(_WORDS) + text[at:]
            case _:
                text = text[:at] + dice.choice("\n\r\t \\\"'<=#$`{}[],") + text[at + 1 :]
    return text
