"""Lambda's own parts of a base image: the runtime interface client of each language, and the emulator.

Each client is looked for in the form in which its registry would install it: PyPI, npm, Maven, NuGet, RubyGems.
That the Lambda base images hold it in that form is UNVERIFIED, and for all but Python's so is the form itself.
The emulator is a Go program that tells no version, so it is known by its digest.
Where nothing matches there is no component, and its files are compared as any others.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from bot.core.layer import Component, Entry, Kind

_EMULATOR: Final = "usr/local/bin/aws-lambda-rie"
_VERSION: Final = r"(\d[0-9A-Za-z.+-]{0,40}?)"
_PATHS: Final = tuple(
    (name, re.compile(rf"(?:var/runtime|var/lang)/(?:.*/)?{pattern}"))
    for name, pattern in (
        ("awslambdaric", rf"awslambdaric-{_VERSION}\.dist-info/METADATA\Z"),
        ("aws-lambda-java-runtime-interface-client", rf"aws-lambda-java-runtime-interface-client-{_VERSION}\.jar\Z"),
        ("aws_lambda_ric", rf"aws_lambda_ric-{_VERSION}\.gemspec\Z"),
    )
)
"""Files that have the version in their path."""


class _Witness(NamedTuple):
    name: str
    path: re.Pattern[str]
    version: re.Pattern[bytes]


_FILES: Final = (
    _Witness(
        "aws-lambda-ric",
        re.compile(r"(?:var/runtime|var/lang)/(?:.*/)?node_modules/aws-lambda-ric/package\.json\Z"),
        re.compile(rb'^\s*"version":\s*"(\d[0-9A-Za-z.+-]{0,40})"', re.MULTILINE),
    ),
    _Witness(
        "Amazon.Lambda.RuntimeSupport",
        re.compile(r"(?:var/runtime|var/lang)/(?:.*/)?Amazon\.Lambda\.RuntimeSupport\.deps\.json\Z"),
        re.compile(rb'"Amazon\.Lambda\.RuntimeSupport/(\d[0-9A-Za-z.+-]{0,40})"'),
    ),
)
"""Files that have the version in their content."""
_TELLING: Final = ("/METADATA", ".jar", ".gemspec")
_ENDS: Final = ("/package.json", ".deps.json")
_PLACES: Final = ("var/runtime/", "var/lang/")


def tells_component(path: str) -> bool:
    """Say whether the content of a file may tell the version of a component."""
    return path.endswith(_ENDS) and any(witness.path.match(path) for witness in _FILES)


def read_components(entries: Mapping[str, Entry], files: Mapping[str, bytes]) -> tuple[Component, ...]:
    """List the components among the entries of a layer, by name; of several of one name the last path counts."""
    found = {component.name: component for component in _components(entries, files)}
    return tuple(component for _, component in sorted(found.items()))


def _components(entries: Mapping[str, Entry], files: Mapping[str, bytes]) -> Iterator[Component]:
    emulator = entries.get(_EMULATOR)
    if emulator is not None and emulator.kind is Kind.FILE:
        yield Component("aws-lambda-rie", f"sha256:{emulator.content[:12]}", _EMULATOR)
    for path in sorted(path for path in entries if path.startswith(_PLACES) and path.endswith(_TELLING)):
        for name, pattern in _PATHS:
            if found := pattern.match(path):
                yield Component(name, found[1], path)
    for path, content in sorted(files.items()):
        for witness in _FILES:
            if witness.path.match(path) and (told := witness.version.search(content)):
                yield Component(witness.name, told[1].decode("ascii"), path)
