"""The wire protocols of AWS control planes, from the server's side: rest-json, json and query.

Requests become calls, answers and errors become bytes, all by botocore's own service models, so that an unmodified
boto3 understands them. Knows nothing of what the operations do.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from tests.lab.aws_shapes import faults
from tests.lab.web import Answer, Asked

_SCOPE: Final = re.compile(
    r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request"
)
_NAMES: Final = {"monitoring": "cloudwatch"}
"""Services that sign by another name than botocore's models have."""

_COMMON_ERRORS: Final[Mapping[str, int]] = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}
"""Errors that every service may give and that no model lists (API reference, "Common Error Types")."""


class Unmodelled(AssertionError):
    """A request or answer outside what the lab speaks: a gap or a defect of the lab, never a finding of a test."""


class AwsError(Exception):
    """An error as a service answers it: its code, its text, and further members of its shape."""

    def __init__(self, code: str, text: str, **members: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.members = code, text, members


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation with its parameters, as boto3 was given them."""

    service: str
    operation: str
    region: str
    params: Mapping[str, Any]
    access_key: str = ""

    @property
    def model(self) -> OperationModel:
        """The operation in botocore's words."""
        return _service(self.service).operation_model(self.operation)


def region_of(request: Asked) -> str:
    """Say which Region a request is signed for; empty for one that is not signed."""
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    return scope["region"] if scope else ""


def read_call(request: Asked) -> Call:
    """Find out what a signed request asks; `AwsError` for one that is not signed or breaks the model."""
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    if scope is None:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    service = _NAMES.get(scope["service"], scope["service"])
    protocol = _service(service).resolved_protocol
    if protocol == "rest-json":
        operation, params = _read_rest(service, request)
    elif protocol == "json":
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        params = _decoded(_service(service).operation_model(operation).input_shape, json.loads(request.body))
    else:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        operation, params = form["Action"], {k: v for k, v in form.items() if k not in ("Action", "Version")}
    call = Call(service=service, operation=operation, region=scope["region"], params=params, access_key=scope["key"])
    if call.model.input_shape is not None and (broken := list(faults(call.model.input_shape, params))):
        code = "InvalidParameterException" if service == "ecr" else "ValidationException"
        raise AwsError(code, f"{len(broken)} validation error detected: {'; '.join(broken)}")
    return call


def write_answer(call: Call, answer: Mapping[str, Any]) -> Answer:
    """Put an answer on the wire, once it keeps the shape that botocore's model gives it."""
    shape = call.model.output_shape
    if shape is not None and (broken := list(faults(shape, answer))):
        raise Unmodelled(f"the lab's answer to {call.service} {call.operation} breaks the model: {'; '.join(broken)}")
    if _service(call.service).resolved_protocol == "query":
        return _query_answer(call.operation, answer)
    status = int(call.model.http.get("responseCode", 200))
    return Answer(status=status, body=json.dumps(answer, default=_epoch).encode())


def write_error(service: str, operation: str | None, error: AwsError) -> Answer:
    """Put an error on the wire as the service would."""
    model = _service(service)
    if model.resolved_protocol == "rest-json":
        return _rest_error(model, operation, error)
    if model.resolved_protocol == "json":
        document = {"__type": error.code, "message": error.text, **error.members}
        return Answer(status=_COMMON_ERRORS.get(error.code, 400), body=json.dumps(document).encode())
    text = f"<Error><Type>Sender</Type><Code>{error.code}</Code><Message>{escape(error.text)}</Message></Error>"
    body = f"<ErrorResponse>{text}<RequestId>lab</RequestId></ErrorResponse>".encode()
    return Answer(status=_COMMON_ERRORS.get(error.code, 400), body=body)


@cache
def _service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def _read_rest(service: str, request: Asked) -> tuple[str, dict[str, Any]]:
    path, _, query = request.path.partition("?")
    for name, method, pattern in _routes(service):
        if method == request.method and (found := pattern.fullmatch(path)):
            operation = _service(service).operation_model(name)
            labels = {label: unquote(text) for label, text in found.groupdict().items()}
            return name, dict(_rest_params(operation, labels, parse_qs(query), request.body))
    raise Unmodelled(f"{service} has no operation at {request.method} {path}")


@cache
def _routes(service: str) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """The operations with their methods and paths as patterns."""
    model = _service(service)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        template = http["requestUri"].partition("?")[0].rstrip("/")
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        routes.append((name, http["method"], re.compile(f"{pattern}/?")))
    return tuple(routes)


def _rest_params(
    operation: OperationModel, labels: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
) -> Iterator[tuple[str, Any]]:
    """Gather the parameters from path, query and body."""
    document = json.loads(body) if body else {}
    if operation.input_shape is None:
        return
    for name, shape in operation.input_shape.members.items():
        place, wire_name = shape.serialization.get("location"), shape.serialization.get("name", name)
        if place == "uri":
            yield name, labels[wire_name]
        elif place == "querystring" and wire_name in query:
            yield name, query[wire_name][0]
        elif place is None and wire_name in document:
            yield name, _decoded(shape, document[wire_name])


def _decoded(shape: Any, value: Any) -> Any:
    """Undo what JSON cannot carry: blobs travel as base64, moments as seconds; what is unknown stays."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {name: _decoded(members[name], item) if name in members else item for name, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_decoded(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    return base64.b64decode(value) if shape.type_name == "blob" else value


def _rest_error(model: ServiceModel, operation: str | None, error: AwsError) -> Answer:
    listed: dict[str, Any] = (
        {shape.name: shape for shape in model.operation_model(operation).error_shapes} if operation else {}
    )
    headers = {"x-amzn-ErrorType": error.code}
    if error.code not in listed:
        if error.code not in _COMMON_ERRORS:
            raise Unmodelled(f"{model.service_name} {operation} never answers {error.code}")
        body = {"message": error.text}
        return Answer(status=_COMMON_ERRORS[error.code], body=json.dumps(body).encode(), headers=headers)
    shape = listed[error.code]
    document = {"Type": "User", ("Message" if "Message" in shape.members else "message"): error.text, **error.members}
    if broken := list(faults(shape, document)):
        raise Unmodelled(f"the lab's {error.code} breaks the model: {'; '.join(broken)}")
    for name in error.members:
        if shape.members[name].serialization.get("location") == "header":
            headers[shape.members[name].serialization["name"]] = document.pop(name)
    status = shape.metadata["error"]["httpStatusCode"]
    return Answer(status=status, body=json.dumps(document).encode(), headers=headers)


def _query_answer(operation: str, answer: Mapping[str, Any]) -> Answer:
    text = f"<{operation}Response><{operation}Result>{_xml(answer)}</{operation}Result></{operation}Response>"
    return Answer(status=200, body=text.encode(), headers={"Content-Type": "text/xml"})


def _xml(value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in value.items())
    return escape(value.isoformat() if isinstance(value, datetime) else str(value))


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise Unmodelled(f"{value!r} does not go into JSON")
