"""A GitHub for each test, with one repository and somebody who may do everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.clock import WoundClock
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub, github_fake


@pytest.fixture
def fake(tmp_path: Path, clock: WoundClock) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path, clock=clock) as fake:
        yield fake


@pytest.fixture
def first(fake: FakeGitHub) -> str:
    """The first commit of the repository acme/orders."""
    return fake.create_repository("acme/orders", {"Dockerfile": b"FROM old\n", "app/run.sh": b"#!/bin/sh\n"})


@pytest.fixture
def api(fake: FakeGitHub) -> Iterator[Caller]:
    with Caller(fake.url, fake.token()) as caller:
        yield caller
