"""YAML and JSON as a tree, through ruamel's event stream, which knows where everything stands."""

from collections.abc import Iterator
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bot.core.carriers.pieces import CarrierError
from bot.core.carriers.tree import List, Mapping, Node, Scalar
from bot.core.dockerfile.source import Traced

_LARGEST: Final = 1_000_000
"""In characters; the parser takes about a second for a quarter of it."""
_DEEPEST: Final = 100
_FUNCTION: Final = "!"
"""How CloudFormation's short functions begin, such as `!Ref`: what stands there is not the value."""


def read_yaml(text: str) -> list[Node]:
    """Return the documents of a file; a `CarrierError` says why it is no YAML."""
    if len(text) > _LARGEST:
        raise CarrierError(f"a YAML file of more than {_LARGEST} characters is not read")
    _refuse_deep_flow(text)
    try:
        return _Composer(text).documents()
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise CarrierError(f"it is no YAML: {fault.problem or fault.context}", line=line) from fault
    except (YAMLError, ValueError, RecursionError) as fault:
        raise CarrierError(f"it is no YAML: {str(fault)[:200]}") from fault


def _refuse_deep_flow(text: str) -> None:
    """The parser takes quadratic time in the depth of brackets, so a deep file is refused before."""
    depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise CarrierError(f"brackets are nested more than {_DEEPEST} deep")
        elif character in "]}":
            depth = max(depth - 1, 0)


class _Composer:
    """Builds trees from events, without recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._anchors: dict[str, Node] = {}
        self._open: list[tuple[Mapping | List, str | None]] = []
        self._documents: list[Node] = []

    def documents(self) -> list[Node]:
        """Return the root of each document."""
        for event in _events(self._text):
            match event:
                case ScalarEvent():
                    self._add(_scalar(event, self._text), event.anchor)
                case MappingStartEvent():
                    self._start(Mapping(), event.anchor)
                case SequenceStartEvent():
                    self._start(List(), event.anchor)
                case MappingEndEvent() | SequenceEndEvent():
                    self._open.pop()
                case AliasEvent():
                    self._add(self._anchors.get(event.anchor, Scalar(value="")), None)
                case _:
                    continue
        return self._documents

    def _start(self, node: Mapping | List, anchor: str | None) -> None:
        self._add(node, anchor)
        self._open.append((node, None))
        if len(self._open) > _DEEPEST:
            raise CarrierError(f"it is nested more than {_DEEPEST} deep")

    def _add(self, node: Node, anchor: str | None) -> None:
        """Put a node where it belongs: under the key that came before it, or as that key."""
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self._documents.append(node)
            return
        parent, key = self._open[-1]
        if isinstance(parent, List):
            parent.items.append(node)
        elif key is None:
            self._open[-1] = (parent, node.value if isinstance(node, Scalar) else "")
        else:
            parent.items.append((key, node))
            self._open[-1] = (parent, None)


def _events(text: str) -> Iterator[Event]:
    yaml = YAML(typ="safe", pure=True)
    yield from yaml.parse(text)


def _scalar(event: ScalarEvent, text: str) -> Scalar:
    """A scalar and where it stands; the marks also cover a tag or an anchor in front of it."""
    value = f"${{{event.value}}}" if (event.tag or "").startswith(_FUNCTION) else event.value
    start, end = event.start_mark.index, event.end_mark.index
    if event.style in ("|", ">"):
        header, newline, _ = text[start:end].partition("\n")
        start += len(header) + len(newline)
        block = Traced(text[start:end], range(start, end)) if event.style in header else None
        return Scalar(value=value, block=block, folded=event.style == ">")
    end -= 1 if event.style else 0
    start = end - len(event.value)
    written = Traced(text[start:end], range(start, end)) if text[start:end] == event.value else None
    return Scalar(value=value, written=written)
