"""What the tests of builders that run elsewhere order, and what such a builder pushes."""

from dataclasses import replace

from bot.adapters.registry import HttpRegistry
from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, REVISION_LABEL
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder
from tests.lab.images import AMD64, put_image
from tests.lab.registry import LabRegistry

COMMIT = "c0ffee" + "0" * 34


def an_order(registry: LabRegistry, name: str, **changes: object) -> BuildOrder:
    """An order of `acme/orders` whose image goes to a repository of its own."""
    order = BuildOrder(
        repository="acme/orders",
        commit=COMMIT,
        dockerfile="app/Dockerfile",
        context="app",
        platform=AMD64,
        base=Reference.parse("public.ecr.aws/lambda/python:3.13"),
        destination=Reference.parse(f"{registry.host}/functions/{name}:refrom-1"),
        labels={BASE_DIGEST_LABEL: "sha256:" + "1" * 64, REVISION_LABEL: COMMIT},
        build_args={"APP_ENV": "production", "X": "a=b c"},
    )
    return replace(order, **changes)  # type: ignore[arg-type] # each test names fields of BuildOrder


def push(writer: HttpRegistry, order: BuildOrder, labels: dict[str, str] | None = None) -> Digest:
    """Push what the order asks for, as the other builder does."""
    given = dict(order.labels) if labels is None else labels
    return put_image(writer, order.destination, labels=given, platform=order.platform).digest
