"""What the reading benchmarks read: the corpus' Dockerfiles, else generated ones; large and hostile texts."""

from pathlib import Path

from bot.core.carriers.kinds import Kind, kind_of
from tests.corpus.place import CORPUS
from tests.property.dockerfiles import generate

BASE = "FROM public.ecr.aws/lambda/python:3.12\n"
_GENERATED = 157


def dockerfiles() -> tuple[str, dict[str, bytes]]:
    """Return what the Dockerfiles are, and their contents by path."""
    root = CORPUS / "lambda"
    paths = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
    found = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in paths if kind_of(path.name) is Kind.DOCKERFILE
    }
    if found:
        return f"{len(found)} Dockerfiles of the corpus", found
    texts = {f"{seed}/Dockerfile": generate(seed).encode() for seed in range(_GENERATED)}
    return f"{_GENERATED} generated Dockerfiles (the corpus is not here; set REFROM_CORPUS)", texts


def write(tree: Path, files: dict[str, bytes]) -> list[str]:
    """Write files to disk, those that Renovate reads at all, and return their paths."""
    kept = {name: content for name, content in files.items() if content.strip() and not _stops_renovate(content)}
    for name, content in kept.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    return sorted(kept)


def _stops_renovate(content: bytes) -> bool:
    """Renovate 44.121.2 fails at a file that ends in a continuation, and with it the whole repository."""
    return content.rstrip(b"\r\n").endswith((b"\\", b"`"))


LINES = {
    "instructions": "RUN echo hello world && true\n",
    "comments": "# no instruction stands here.\n",
    "copies": "COPY --from=alpine:3 a b ...\n",
}
"""Lines of which a large Dockerfile is made."""


def large(kind: str, size: int) -> str:
    """A Dockerfile of about `size` bytes."""
    return BASE + LINES[kind] * (size // len(LINES[kind]))


def continued(lines: int) -> str:
    """One instruction over many continuation lines."""
    return f"{BASE}RUN true \\\n" + "  && echo more \\\n" * lines + "  && true\n"


HOSTILE = {
    "a million backslashes in a line": "FROM " + "\\" * 1_000_000,
    "a million backslashes in lines": f"{BASE}RUN " + ("\\" * 1_000 + "\n") * 1_000,
    "a million continuations": "FROM a b\nRUN " + "\\\n" * 1_000_000,
    "${ nested 10,000 deep in FROM": "FROM " + "${a:-" * 10_000 + "x" + "}" * 10_000,
    "${ nested 10,000 deep in ARG": "ARG A=" + "${a:-" * 10_000 + "x" + "}" * 10_000 + "\nFROM $A",
    "${ nested 10,000 deep over lines": "FROM " + "${a:-\\\n" * 10_000,
    "ONBUILD nested 8,000 deep": BASE + "ONBUILD " * 8_000 + "RUN x",
    "ARGs that double 40 times": "ARG A=aaaaaaaa\n" + "ARG A=$A$A\n" * 40 + "FROM $A",
}
"""Texts that end in a reason."""
