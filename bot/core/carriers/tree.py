"""A document as a tree of mappings, sequences and scalars that know where they stand; YAML, JSON and HCL give one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.core.dockerfile.source import Traced


@dataclass(slots=True, kw_only=True)
class Scalar:
    """A value. `written` is its text in the file where that is the value, letter for letter.

    `block` is the text below the header of a block scalar or a heredoc, lines and indentation as they are; a `folded`
    one has other line ends than the value.
    """

    value: str
    written: Traced | None = None
    block: Traced | None = None
    folded: bool = False


@dataclass(slots=True, kw_only=True)
class Mapping:
    """Keys and values in their order; keys that are not scalars are left out."""

    items: list[tuple[str, "Node"]] = field(default_factory=list)

    def get(self, key: str) -> "Node | None":
        """Return the value of a key, the last of several, or that of a mapping merged in by `<<`."""
        found = [node for name, node in self.items if name == key]
        if found:
            return found[-1]
        for name, node in self.items:
            sources = node.items if isinstance(node, List) else [node]
            for source in sources if name == "<<" else ():
                if isinstance(source, Mapping) and (merged := source.own(key)) is not None:
                    return merged
        return None

    def own(self, key: str) -> "Node | None":
        """Return the value of a key that stands in the mapping itself."""
        return next((node for name, node in reversed(self.items) if name == key), None)

    def text(self, key: str) -> str | None:
        """Return the value of a key if it is a scalar."""
        node = self.get(key)
        return node.value if isinstance(node, Scalar) else None


@dataclass(slots=True, kw_only=True)
class List:
    """Values in their order."""

    items: list["Node"] = field(default_factory=list)


Node = Scalar | Mapping | List


def walk(root: Node) -> Iterator[tuple[Sequence[str], Scalar]]:
    """Yield every scalar once, with the keys above it."""
    waiting: list[tuple[tuple[str, ...], Node]] = [((), root)]
    seen: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue  # an alias repeats what stands at its anchor
        seen.add(id(node))
        match node:
            case Scalar():
                yield path, node
            case Mapping(items=items):
                waiting += [((*path, key), value) for key, value in reversed(items)]
            case List(items=values):
                waiting += [(path, value) for value in reversed(values)]
