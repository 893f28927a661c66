"""GitHub's GraphQL API: queries are held to its published schema, and carried out by it over the fake's own objects.

So answers have the types of the schema too. An object is a dict of fields and functions; a field that the schema has
and the dict has not is a gap of the fake, and never a null.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import graphql as core
from graphql.language import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from tests.lab.github.descriptions import graphql_description
from tests.lab.github.refusals import FieldRefusal, Gap

Node = dict[str, Any]
_MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that keeps the schema; `fields` are those of its top."""

    document: core.DocumentNode
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    fields: tuple[str, ...]

    @property
    def is_mutation(self) -> bool:
        return self.operation.operation is core.OperationType.MUTATION

    @property
    def name(self) -> str:
        """What the request is called: its own name, or the fields of its top."""
        return self.operation.name.value if self.operation.name else "+".join(sorted(set(self.fields)))


class Malformed(Exception):
    """A request that breaks the schema, with GitHub's list of errors."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("; ".join(str(error["message"]) for error in errors))
        self.errors = list(errors)


@cache
def schema() -> core.GraphQLSchema:
    """Return GitHub's schema, built once; the published text defines two fields twice, so it is not validated."""
    return core.build_schema(graphql_description(), assume_valid_sdl=True, assume_valid=True)


def read(body: bytes) -> Request:
    """Read a request and hold it to the schema."""
    try:
        sent = json.loads(body)
        document, found = _checked(sent["query"])
    except (ValueError, KeyError, TypeError):
        raise Malformed([{"message": "A query attribute must be specified and must be a string."}]) from None
    except core.GraphQLSyntaxError as error:
        raise Malformed([error.formatted]) from None
    unknown = set(sent) - {"query", "variables", "operationName"}
    errors = [dict(error.formatted) for error in found]
    errors += [{"message": f"unknown key {key!r} beside the query"} for key in sorted(unknown)]
    operation = core.get_operation_ast(document, sent.get("operationName"))
    if operation is None:
        errors.append({"message": "No operation to carry out"})
    if errors or operation is None:
        raise Malformed(errors)
    variables = sent.get("variables") or {}
    _check_variables(operation, variables)
    fields = tuple(_fields(operation.selection_set, document))
    return Request(document=document, operation=operation, variables=variables, fields=fields)


@lru_cache(maxsize=512)
def _checked(text: str) -> tuple[core.DocumentNode, Sequence[core.GraphQLError]]:
    """Parse a query and hold it to the schema, once for all the times that it is sent: this costs more than answers."""
    document = core.parse(text)
    return document, core.validate(schema(), document)


def carry_out(request: Request, root: Node) -> Node:
    """Carry out a request over the objects of the fake; what is no refusal of a field is raised."""
    name = request.operation.name
    result = core.execute_sync(
        schema(),
        request.document,
        root,
        variable_values=dict(request.variables),
        operation_name=name.value if name else None,
        field_resolver=_resolve,
    )
    answer: Node = {"data": result.data}
    if result.errors:
        answer["errors"] = [_describe(error) for error in result.errors]
    return answer


def connection(
    name: str,
    items: Sequence[Any],
    build: Callable[[Any], Node],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
) -> Node:
    """Build a connection, which wants to be asked for at most 100 nodes from one of its ends."""
    size = first if first is not None else last
    if size is None:
        raise FieldRefusal(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
        )
    if size > _MOST:
        text = f"Requesting {size} records on the `{name}` connection exceeds the `first` limit of {_MOST} records."
        raise FieldRefusal("EXCESSIVE_PAGINATION", text)
    start = _position(after) if after else 0
    end = len(items) if first is None else min(len(items), start + first)
    start = max(start, end - last) if last is not None else start
    cursors = [_cursor(index + 1) for index in range(start, end)]
    page = {
        "hasNextPage": end < len(items),
        "hasPreviousPage": start > 0,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    nodes = [build(item) for item in items[start:end]]
    edges = [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)]
    return {"totalCount": len(items), "pageInfo": page, "nodes": nodes, "edges": edges}


def _cursor(position: int) -> str:
    return f"Y3Vyc29y{position:06}"


def _position(cursor: str) -> int:
    found = re.fullmatch(r"Y3Vyc29y(\d{6})", cursor)
    if found is None:
        raise FieldRefusal("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.")
    return int(found[1])


def _check_variables(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
    """Hold the variables to their types, and allow none that the operation does not name."""
    named = {definition.variable.name.value for definition in operation.variable_definitions or ()}
    if unknown := sorted(set(variables) - named):
        raise Malformed([{"message": f"unknown variables {unknown}"}])
    coerced = core.get_variable_values(schema(), operation.variable_definitions or (), dict(variables))
    if isinstance(coerced, list):
        raise Malformed([error.formatted for error in coerced])


def _fields(selections: SelectionSetNode, document: core.DocumentNode) -> list[str]:
    found: list[str] = []
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            found.append(selection.name.value)
        elif isinstance(selection, InlineFragmentNode):
            found += _fields(selection.selection_set, document)
        elif isinstance(selection, FragmentSpreadNode):
            fragments = {
                node.name.value: node for node in document.definitions if isinstance(node, core.FragmentDefinitionNode)
            }
            found += _fields(fragments[selection.name.value].selection_set, document)
    return found


def _resolve(source: Node, info: core.GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    if info.field_name not in source:
        raise Gap(f"the fake does not resolve {info.parent_type.name}.{info.field_name}")
    value = source[info.field_name]
    return value(**arguments) if callable(value) else value


def _describe(error: core.GraphQLError) -> Node:
    refusal = error.original_error
    if not isinstance(refusal, FieldRefusal):
        raise refusal or error
    locations = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {"type": refusal.kind, "path": error.path, "locations": locations, "message": error.message}
