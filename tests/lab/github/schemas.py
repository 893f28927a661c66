"""Values against the schemas of an OpenAPI 3.0 document, each schema named by its JSON pointer.

Beside what JSON Schema finds, a key is unknown where the schema names its keys but not this one, however deep.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import referencing
from jsonschema import FormatChecker, ValidationError
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing.jsonschema import DRAFT4

Pointer = tuple[str, ...]
"""The steps from the top of the document, unescaped."""

_URI: Final = "urn:described"
_ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#{}]+[^\s{}]*")


def _format_checker() -> FormatChecker:
    """OpenAPI's formats, and `uri`, which jsonschema leaves out without another library."""
    checker = FormatChecker(())
    checker.checkers = {**oas30_format_checker.checkers}
    checker.checks("uri")(lambda value: not isinstance(value, str) or bool(_ABSOLUTE.fullmatch(value)))
    return checker


class Schemas:
    """A document whose parts can be looked up and whose schemas can judge values."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        resource = DRAFT4.create_resource(document)
        self._registry: referencing.Registry[Any] = referencing.Registry().with_resource(_URI, resource)
        self._formats = _format_checker()
        self._validators: dict[Pointer, OAS30Validator] = {}
        self._places: dict[Pointer, Pointer] = {}

    def at(self, pointer: Pointer) -> Any:
        """Return the part of the document that a pointer names, through all references."""
        return self._look(self.place(pointer))

    def place(self, pointer: Pointer) -> Pointer:
        """Return the pointer without references: where a step meets one, the way goes on at its target."""
        if pointer not in self._places:
            self._places[pointer] = self._resolve(pointer)
        return self._places[pointer]

    def findings(self, pointer: Pointer, value: Any, name: str, *, is_open: bool = False) -> Iterator[str]:
        """Say what is wrong with a value called `name`; of an open one, unknown keys are not wrong."""
        for error in self.validator(pointer).iter_errors(value):
            if not _is_of_the_description(error):
                yield f"{name}{_path(error.absolute_path)}: {error.message[:300]}"
        if not is_open:
            yield from self._unknown([pointer], value, name)

    def validator(self, pointer: Pointer) -> OAS30Validator:
        """Return the validator of one schema."""
        place = self.place(pointer)
        if place not in self._validators:
            escaped = "/".join(step.replace("~", "~0").replace("/", "~1") for step in place)
            # the reference lets the registry resolve all references below
            schema = {"$ref": f"{_URI}#/{_percent(escaped)}"}
            self._validators[place] = OAS30Validator(schema, registry=self._registry, format_checker=self._formats)
        return self._validators[place]

    def _resolve(self, pointer: Pointer) -> Pointer:
        place: Pointer = ()
        for step in (*pointer, None):
            part = self._look(place)
            while isinstance(part, dict) and isinstance(part.get("$ref"), str):
                steps = part["$ref"].removeprefix("#/").split("/")
                place = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
                part = self._look(place)
            if step is not None:
                place = (*place, step)
        return place

    def _look(self, place: Pointer) -> Any:
        part: Any = self._document
        for step in place:
            part = part[int(step)] if isinstance(part, list) else part[step]
        return part

    def _unknown(self, pointers: list[Pointer], value: Any, name: str) -> Iterator[str]:
        schemas = [found for pointer in pointers for found in self._alternatives(pointer, value)]
        if isinstance(value, list):
            items = [(*place, "items") for place in schemas if "items" in self._look(place)]
            for index, item in enumerate(value):
                yield from self._unknown(items, item, f"{name}[{index}]")
        elif isinstance(value, dict):
            yield from self._unknown_keys(schemas, value, name)

    def _unknown_keys(self, schemas: list[Pointer], value: dict[str, Any], name: str) -> Iterator[str]:
        named = [place for place in schemas if self._look(place).get("properties")]
        is_open = not named or any(self._look(place).get("additionalProperties") for place in schemas)
        for key, inner in value.items():
            found = [(*place, "properties", key) for place in named if key in self._look(place)["properties"]]
            found += [
                (*place, "additionalProperties")
                for place in schemas
                if not found and isinstance(self._look(place).get("additionalProperties"), dict)
            ]
            if found:
                yield from self._unknown(found, inner, f"{name}.{key}")
            elif not is_open:
                yield f"{name}: unknown key {key!r}"

    def _alternatives(self, pointer: Pointer, value: Any) -> Iterator[Pointer]:
        """Yield the plain schemas that speak about a value: of alternatives those that it satisfies."""
        place = self.place(pointer)
        schema = self._look(place)
        yield place
        for index in range(len(schema.get("allOf", ()))):
            yield from self._alternatives((*place, "allOf", str(index)), value)
        for word in ("anyOf", "oneOf"):
            for index in range(len(schema.get(word, ()))):
                inner = (*place, word, str(index))
                if self.validator(inner).is_valid(value):
                    yield from self._alternatives(inner, value)


def _is_of_the_description(error: ValidationError) -> bool:
    """Say whether an error tells of a loose description rather than of the value.

    Several alternatives fit, or null is allowed but not among the values listed.
    """
    if error.validator == "oneOf":
        return not error.context
    is_nullable = isinstance(error.schema, dict) and bool(error.schema.get("nullable"))
    return error.validator == "enum" and error.instance is None and is_nullable


def _path(steps: Any) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _percent(pointer: str) -> str:
    """Escape what a URI fragment must not hold; paths of an API have braces."""
    return pointer.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")
