"""Our reader of HCL finds the strings that python-hcl2 finds, where it finds them."""

from collections.abc import Iterator
from pathlib import Path

import hcl2
import pytest
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from bot.core.carriers.hcl import read_hcl
from bot.core.carriers.tree import walk
from tests.corpus.place import CORPUS
from tests.property.hcl import generate

_NO_VALUES = frozenset({"object_elem_key", "interpolation"})
"""Below these stand keys, and strings inside of other strings."""


def theirs(tree: Tree[Token]) -> Iterator[tuple[int, int]]:
    """The spans of the strings that are values."""
    if tree.data in _NO_VALUES:
        return
    for child in tree.children:
        if isinstance(child, Tree) and child.data == "string":
            marks = [token for token in child.children if isinstance(token, Token)]
            if tree.data != "block":  # there it is a label
                yield marks[0].end_pos or 0, marks[-1].start_pos or 0
        elif isinstance(child, Tree):
            yield from theirs(child)


def ours(text: str) -> list[tuple[int, int]]:
    scalars = [scalar for _, scalar in walk(read_hcl(text))]
    written = [scalar.written for scalar in scalars if scalar.written is not None]
    # An empty string has no places: nothing can be named by it.
    return sorted((word.places[0], word.places[-1] + 1) for word in written if word)


def compare(text: str) -> bool:
    """Compare a file, unless python-hcl2 rejects it."""
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput:
        return False
    expected = sorted((start, stop) for start, stop in theirs(tree) if start < stop and "\\" not in text[start:stop])
    assert ours(text) == expected, text
    return True


def test_random_files_have_their_strings_where_python_hcl2_finds_them() -> None:
    compared = sum(compare(generate(seed)) for seed in range(120))

    assert compared > 80


@pytest.mark.parametrize(
    "path",
    [path for suffix in ("tf", "hcl") for path in sorted(CORPUS.rglob(f"*.{suffix}"))],
    ids=lambda path: path.name,
)
def test_the_files_of_the_corpus_have_theirs(path: Path) -> None:
    assert compare(path.read_text(encoding="utf-8"))
