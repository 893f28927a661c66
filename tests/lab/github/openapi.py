"""Exchanges with GitHub's REST API against its OpenAPI description: which operation it is, and what is wrong with it.

Requests are held to the description strictly, and so are the answers of our fake. What the description leaves to prose
is written here: media types, the version header, and the statuses that any operation may answer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from tests.lab.github.descriptions import rest_description
from tests.lab.github.schemas import Pointer, Schemas

VERSION: Final = "2022-11-28"
"""The version of the API that the description describes."""
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_GREEDY: Final = ("path", "ref", "basehead")
"""Parameters whose value may hold plain slashes."""
_JSON_TYPES: Final = ("*/*", "application/*", "application/json", "application/vnd.github+json")
_ANYWHERE: Final = (301, 304, 307, 401, 403, 404, 422, 429)
"""Statuses of any operation: redirects, conditional requests, credentials, limits, and refusals (recorded exchanges
have them where the description has not); their body is the basic error."""
_BASIC_ERROR: Final = ("components", "schemas", "basic-error")
_BODILESS: Final = (204, 304)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation and where it stands in the document."""

    id: str
    method: str
    template: str
    pattern: re.Pattern[str]

    @property
    def pointer(self) -> Pointer:
        return ("paths", self.template, self.method)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The operation that a request asks for, with the values from its path, decoded."""

    operation: Operation
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message of an exchange: a request without its method and path, or an answer. Header names in lower case."""

    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class RestApi:
    """A described API; paths are without the prefix of an Enterprise Server."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas = Schemas(document)
        self._operations = _operations(document)

    def match(self, method: str, path: str) -> Match | None:
        """Find the operation; the path is matched as it was sent, and its values are decoded afterwards."""
        for operation in self._operations.get(method.lower(), ()):
            if found := operation.pattern.fullmatch(path):
                names = re.findall(r"\{([^}]+)\}", operation.template)
                return Match(
                    operation=operation, values={n: unquote(v) for n, v in zip(names, found.groups(), strict=True)}
                )
        return None

    def request_findings(self, match: Match, query: str, sent: Sent) -> list[str]:
        """Say what is wrong with a request."""
        parameters = list(self._parameters(match.operation))
        return [
            *self._path_findings(match, parameters),
            *self._query_findings(query, parameters),
            *self._header_findings(match.operation, sent),
            *self._body_findings(match.operation, sent),
        ]

    def answer_findings(self, match: Match, status: int, sent: Sent) -> list[str]:
        """Say what is wrong with an answer."""
        pointer = (*match.operation.pointer, "responses", str(status))
        described = str(status) in self._schemas.at((*match.operation.pointer, "responses"))
        if not described and status not in _ANYWHERE:
            return [f"undocumented status {status}"]
        if status in _BODILESS:
            return [f"a body with status {status}"] if sent.body else []
        content = self._schemas.at(pointer).get("content", {}) if described else {}
        if content and sent.media_type not in content and self._is_named(match.operation, sent.media_type):
            return []  # a custom media type, which only the prose describes
        schema = (*pointer, "content", "application/json", "schema") if content else _BASIC_ERROR
        if described and not content and status < 400:  # GitHub explains each refusal, described or not
            return [f"a body with status {status}"] if sent.body else []
        # GitHub's errors hold more than the description says, such as their status
        return list(self._json_findings(schema, sent, is_open=status >= 400))

    def _parameters(self, operation: Operation) -> Iterator[Pointer]:
        for owner in (operation.pointer, operation.pointer[:-1]):
            for index in range(len(self._schemas.at(owner).get("parameters", ()))):
                yield (*owner, "parameters", str(index))

    def _path_findings(self, match: Match, parameters: list[Pointer]) -> Iterator[str]:
        for pointer in parameters:
            parameter = self._schemas.at(pointer)
            if parameter["in"] == "path":
                value = match.values[parameter["name"]]
                yield from self._value_findings((*pointer, "schema"), [value], f"path value {parameter['name']}")

    def _query_findings(self, query: str, parameters: list[Pointer]) -> Iterator[str]:
        asked: dict[str, list[str]] = {}
        for key, value in parse_qsl(query, keep_blank_values=True):
            asked.setdefault(key.removesuffix("[]"), []).append(value)
        for pointer in parameters:
            parameter = self._schemas.at(pointer)
            if parameter["in"] != "query":
                continue
            values = asked.pop(parameter["name"], None)
            if values is not None:
                yield from self._value_findings((*pointer, "schema"), values, f"query {parameter['name']}")
            elif parameter.get("required"):
                yield f"query {parameter['name']} is required"
        yield from (f"unknown query {key!r}" for key in asked)

    def _value_findings(self, schema: Pointer, values: list[str], name: str) -> list[str]:
        """Read texts as one of the types that the schema allows, and judge the value."""
        candidates = [value for kind in self._types(schema) for value in _read(kind, values)]
        if not candidates:
            return [f"{name}: {values} is not of type {' or '.join(self._types(schema))}"]
        findings = [list(self._schemas.findings(schema, value, name)) for value in candidates]
        return min(findings, key=len)

    def _types(self, pointer: Pointer) -> list[str]:
        schema = self._schemas.at(pointer)
        place = self._schemas.place(pointer)
        inner = [(*place, word, str(i)) for word in ("anyOf", "oneOf") for i in range(len(schema.get(word, ())))]
        if inner:
            return [kind for one in inner for kind in self._types(one)]
        if schema.get("type") == "array":
            return [f"array {self._types((*place, 'items'))[0]}"]
        return [schema.get("type", "string")]

    def _header_findings(self, operation: Operation, sent: Sent) -> Iterator[str]:
        for accepted in sent.headers.get("accept", "*/*").split(","):
            media_type = accepted.partition(";")[0].strip().lower()
            if media_type not in _JSON_TYPES and not self._is_named(operation, media_type):
                yield f"header Accept: {media_type} is no media type of this operation"
        version = sent.headers.get("x-github-api-version", VERSION)
        if version != VERSION:
            yield f"header X-GitHub-Api-Version: {version} is not {VERSION}"

    def _is_named(self, operation: Operation, media_type: str) -> bool:
        """Say whether the operation answers with a media type, by its description's data or prose."""
        described = self._schemas.at(operation.pointer)
        if f"**`{media_type}`**" in described.get("description", ""):
            return True
        responses = (*operation.pointer, "responses")
        return any(media_type in self._schemas.at((*responses, s)).get("content", {}) for s in described["responses"])

    def _body_findings(self, operation: Operation, sent: Sent) -> Iterator[str]:
        described = self._schemas.at(operation.pointer)
        if "requestBody" not in described:
            yield from ["a body that the operation does not take"] if sent.body else []
            return
        content = self._schemas.at((*operation.pointer, "requestBody"))
        if not sent.body:
            yield from ["the body is required"] if content.get("required") else []
        elif "application/json" in content["content"]:
            pointer = (*operation.pointer, "requestBody", "content", "application/json", "schema")
            yield from self._json_findings(pointer, sent)
        elif sent.media_type not in content["content"]:
            yield f"header Content-Type: {sent.media_type or 'none'} is not {' or '.join(content['content'])}"

    def _json_findings(self, schema: Pointer, sent: Sent, *, is_open: bool = False) -> Iterator[str]:
        if sent.media_type != "application/json":
            yield f"header Content-Type: {sent.media_type or 'none'} is not application/json"
        try:
            value = json.loads(sent.body)
        except ValueError as error:
            yield f"body: no JSON ({error})"
        else:
            yield from self._schemas.findings(schema, value, "body", is_open=is_open)


@cache
def rest_api() -> RestApi:
    """Return GitHub's REST API as described, loaded once."""
    return RestApi(rest_description())


def _operations(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """Sort the operations for matching: few parameters first, then long templates."""
    found: dict[str, list[Operation]] = {method: [] for method in _METHODS}
    templates = sorted(document["paths"], key=lambda template: (template.count("{"), -len(template)))
    for template in templates:
        for method in _METHODS:
            if method in document["paths"][template]:
                operation_id = document["paths"][template][method]["operationId"]
                found[method].append(
                    Operation(id=operation_id, method=method, template=template, pattern=_pattern(template))
                )
    return found


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]+)\}", template)
    texts, names = parts[::2], parts[1::2]
    groups = ["(.+)" if name in _GREEDY else "([^/]+)" for name in names]
    return re.compile("".join(re.escape(text) + group for text, group in zip(texts, [*groups, ""], strict=True)))


def _read(kind: str, values: list[str]) -> list[Any]:
    """Read texts as a value of a type; nothing where they are none."""
    if kind.startswith("array "):
        items = [item for value in values for item in _read(kind.removeprefix("array "), [value])]
        return [items] if len(items) == len(values) else []
    if len(values) != 1:
        return []
    (value,) = values
    if kind == "boolean":
        return [value == "true"] if value in ("true", "false") else []
    if kind in ("integer", "number"):
        pattern = r"-?\d+" if kind == "integer" else r"-?\d+(\.\d+)?"
        return [json.loads(value)] if re.fullmatch(pattern, value, re.ASCII) and not re.match(r"-?0\d", value) else []
    return [value]
