"""The source repositories of a large organisation, as pure functions of their number: same seed, same fleet.

Nothing is kept: the files of a repository are computed whenever they are wanted, with the bases that they use, which is
the truth that a survey is counted against.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.lab.github.objects import LINK, SUBMODULE, File

_WORDS: Final = ("orders", "billing", "search", "mail", "ledger", "stock", "users", "quotes", "parcels", "reports")
_KINDS: Final = ("api", "worker", "importer", "notifier", "exporter", "gateway", "cron", "sync")
_FOLDERS: Final = ("services", "apps", "functions", "packages", "deploy", "platform", "teams", "eu", "core", "images")
_TOPICS: Final = ("lambda", "team-payments", "team-search", "internal-tool", "deprecated")
_OTHER_BASES: Final = ("python:3.13-slim", "node:22-alpine", "golang:1.25", "nginx:1.29", "debian:trixie-slim")
_PYTHON: Final = b'"""%s of %s."""\n\n\ndef handle(event: dict, context: object) -> dict:\n    return {"ok": True}\n'
_TYPESCRIPT: Final = b'// %s of %s\nexport const handler = async (): Promise<string> => "ok";\n'
_WORKFLOW: Final = (
    b"# %s of %s\non: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make test\n"
)
_VALUES: Final = b"# %s of %s\nreplicas: 2\nresources:\n  limits: {cpu: 500m, memory: 256Mi}\n"
_MAKEFILE: Final = b"# %s of %s\ntest:\n\tpytest -q\n"
_SHELL: Final = b'#!/bin/sh\n# %s of %s\nset -e\nexec "$@"\n'
_OTHER: Final = b"%s of %s\n"
_SUFFIXES: Final = (
    (".py", _PYTHON),
    (".ts", _TYPESCRIPT),
    (".sh", _SHELL),
    (".yaml", _VALUES),
    ("Makefile", _MAKEFILE),
)
_MANY_FOLDERS, _FILES_A_FOLDER = 401, 250
"""What a repository with too many entries has more than the others: over 100,000, where GitHub cuts a tree."""


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A Lambda base that a Dockerfile uses: the line is that of the `FROM`."""

    path: str
    line: int
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What one version of a repository holds."""

    files: Mapping[str, File]
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How many repositories there are, and of what kinds.

    `bases` are the references that Lambda Dockerfiles name, with their digests or without; every repository below
    `lambdas` in a shuffled order has at least one. `truncated` of those have more entries than GitHub lists at once.
    """

    owner: str = "acme"
    size: int = 10_000
    lambdas: int = 3_000
    truncated: int = 3
    deep: float = 0.05
    seed: int = 6
    bases: Sequence[str] = ("public.ecr.aws/lambda/python:3.13",)
    order: Sequence[int] = field(init=False, repr=False)
    """The place of each repository in the shuffled order."""

    def __post_init__(self) -> None:
        places = list(range(self.size))
        random.Random(self.seed).shuffle(places)  # noqa: S311 - no secret
        object.__setattr__(self, "order", tuple(places))

    def name(self, number: int) -> str:
        """Return the full name of a repository."""
        word, kind = _WORDS[number % len(_WORDS)], _KINDS[number // len(_WORDS) % len(_KINDS)]
        return f"{self.owner}/{word}-{kind}-{number:05}"

    def has_lambda(self, number: int) -> bool:
        """Say whether a repository uses a Lambda base."""
        return self.order[number] < self.lambdas

    def is_truncated(self, number: int) -> bool:
        """Say whether it has more entries than GitHub lists at once."""
        return self.order[number] < self.truncated

    def is_fork(self, number: int) -> bool:
        """Say whether it is a fork; what is surveyed unless told otherwise is none."""
        return not self.has_lambda(number) and number % 50 == 7

    def is_archived(self, number: int) -> bool:
        """Say whether it is archived; what is surveyed unless told otherwise is not."""
        return not self.has_lambda(number) and number % 50 == 9

    def topics(self, number: int) -> tuple[str, ...]:
        """Return what it says of itself."""
        chance = self._chance(number, "topics")
        return tuple(topic for topic in _TOPICS if chance.random() < 0.2)

    def files(self, number: int, version: int) -> Mapping[str, File]:
        """Compute the files of a version alone."""
        return self.contents(number, version).files

    def contents(self, number: int, version: int = 0) -> Contents:
        """Compute the files of a version; each version differs from the one before in one Dockerfile."""
        chance, name = self._chance(number, "files"), self.name(number)
        files = dict(_others(chance, name.encode()))
        uses: list[Use] = []
        for place in range(self._dockerfiles(chance, number)):
            path = _path(chance, place, deep=chance.random() < self.deep)
            text, used = self._dockerfile(chance, number, path)
            uses += used
            if place == 0:
                text += f"LABEL revision={version}\n"
            files[path] = File(text.encode())
        if self.is_truncated(number):
            files |= _many()
        return Contents(files=files, uses=tuple(sorted(uses)))

    def _dockerfiles(self, chance: random.Random, number: int) -> int:
        fewest = 1 if self.has_lambda(number) else 0
        return fewest + chance.choices((0, 1, 2, 5), weights=(70, 20, 8, 2))[0]

    def _dockerfile(self, chance: random.Random, number: int, path: str) -> tuple[str, list[Use]]:
        """Write a Dockerfile in one of the ways in which people do, and say which Lambda bases it uses."""
        other = chance.choice(_OTHER_BASES)
        if not self.has_lambda(number):
            return f"# not for AWS lambda\nFROM {other}\nCOPY . /app\n", []
        base = chance.choice(self.bases)
        name, _, tag = base.partition(":")
        handler = 'COPY app.py ${LAMBDA_TASK_ROOT}/\nCMD ["app.handler"]\n'
        text, *lines = chance.choice((
            (f"FROM {base}\n", 1),
            (f"# {path}\nFROM --platform=linux/arm64 {base}\n", 2),
            (f"ARG TAG={tag}\nFROM {name}:${{TAG}}\n", 2),
            (f"FROM {other} AS build\nRUN make\n\nFROM {base}\nCOPY --from=build /out ./\n", 4),
            (f"FROM {base} AS deps\nRUN make deps\nFROM {base} AS final\nCOPY --from=deps /opt /opt\n", 1, 3),
        ))  # fmt: skip
        return f"{text}{handler}", [Use(path, int(line), base) for line in lines]

    def _chance(self, number: int, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{number}/{what}")  # noqa: S311 - no secret


def _path(chance: random.Random, place: int, *, deep: bool) -> str:
    """Return where a Dockerfile is: at most four folders deep, or five to nine."""
    depth = chance.randint(5, 9) if deep else chance.choice((0, 0, 1, 2, 2, 3, 4))
    folders = [chance.choice(_FOLDERS) for _ in range(depth)]
    name = "Dockerfile" if place == 0 else f"Dockerfile.{place}"
    return "/".join([*folders, name])


def _others(chance: random.Random, name: bytes) -> Iterator[tuple[str, File]]:
    """Give the files beside the Dockerfiles: some dozens of paths, now and then hundreds."""
    for path in ("README.md", "LICENSE", ".gitignore", "Makefile", ".github/workflows/test.yaml"):
        yield path, _file(path, name)
    for part in chance.sample(("app", "tests", "docs", "infra", "web", "scripts", "charts"), chance.randint(2, 5)):
        most = chance.choices((12, 40, 160), weights=(70, 27, 3))[0]
        for number in range(chance.randint(2, most)):
            path = f"{part}/{_FOLDERS[number % 5]}/{_stem(chance, part)}{number}{_suffix(chance, part)}"
            yield path, _file(path, name)
    if chance.random() < 0.02:
        yield "current.Dockerfile", File(b"app/Dockerfile", LINK)
    if chance.random() < 0.02:
        yield "vendor/shared", File(b"5" * 40, SUBMODULE)


def _stem(chance: random.Random, part: str) -> str:
    return f"test_{chance.choice(_WORDS)}" if part == "tests" else chance.choice(_WORDS)


def _suffix(chance: random.Random, part: str) -> str:
    suffixes = {
        "app": (".py", ".py", ".json"),
        "tests": (".py", ".py", ".txt"),
        "docs": (".md", ".svg"),
        "infra": (".tf", ".json"),
        "web": (".ts", ".css", ".html", ".svg"),
        "scripts": (".sh", ".py"),
        "charts": (".yaml", ".tpl"),
    }
    return chance.choice(suffixes[part])


def _file(path: str, name: bytes) -> File:
    if path.startswith(".github/"):
        return File(_WORKFLOW % (path.encode(), name))
    text = next((text for suffix, text in _SUFFIXES if path.endswith(suffix)), _OTHER)
    return File(text % (path.encode(), name))


def _many() -> Iterator[tuple[str, File]]:
    file = File(b"{}\n")
    for folder in range(_MANY_FOLDERS):
        for number in range(_FILES_A_FOLDER):
            yield f"data/{folder:03}/{number:03}.json", file
