"""Lambda's own parts of an image: the runtime interface clients and the emulator."""

import hashlib

import pytest

from bot.core.layer import Component
from tests.adapters.contents.tars import Item, Shelf

SITE = "var/lang/lib/python3.13/site-packages/awslambdaric-3.1.1.dist-info"
NODE = "var/runtime/node_modules/aws-lambda-ric/package.json"
DEPS = "var/runtime/Amazon.Lambda.RuntimeSupport.deps.json"


@pytest.mark.parametrize(
    ("path", "content", "name", "version"),
    [
        pytest.param(f"{SITE}/METADATA", b"Version: 3.1.1\n", "awslambdaric", "3.1.1", id="python"),
        pytest.param(
            "var/runtime/lib/aws-lambda-java-runtime-interface-client-2.8.6.jar",
            b"PK",
            "aws-lambda-java-runtime-interface-client",
            "2.8.6",
            id="java",
        ),
        pytest.param(
            "var/runtime/gems/specifications/aws_lambda_ric-3.1.3.gemspec", b"", "aws_lambda_ric", "3.1.3", id="ruby"
        ),
        pytest.param(
            NODE, b'{\n  "name": "aws-lambda-ric",\n  "version": "3.3.0"\n}', "aws-lambda-ric", "3.3.0", id="node"
        ),
        pytest.param(
            DEPS,
            b'{"libraries": {"Amazon.Lambda.RuntimeSupport/1.13.1": {}}}',
            "Amazon.Lambda.RuntimeSupport",
            "1.13.1",
            id="dotnet",
        ),
    ],
)
def test_a_client_tells_its_version(shelf: Shelf, path: str, content: bytes, name: str, version: str) -> None:
    assert shelf.layer(Item(path, content)).components == (Component(name, version, path),)


def test_the_emulator_is_known_by_its_digest(shelf: Shelf) -> None:
    path, program = "usr/local/bin/aws-lambda-rie", b"\x7fELF"

    version = f"sha256:{hashlib.sha256(program).hexdigest()[:12]}"

    assert shelf.layer(Item(path, program)).components == (Component("aws-lambda-rie", version, path),)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("var/task/awslambdaric-3.1.1.dist-info/METADATA", b"", id="a function's own"),
        pytest.param("var/runtime/awslambdaric-\x1b.dist-info/METADATA", b"", id="no version in the path"),
        pytest.param(NODE, b'{"version": "latest"}', id="no version in the content"),
        pytest.param("opt/aws-lambda-rie", b"\x7fELF", id="another place"),
    ],
)
def test_what_tells_no_version_is_no_component(shelf: Shelf, path: str, content: bytes) -> None:
    assert shelf.layer(Item(path, content)).components == ()
