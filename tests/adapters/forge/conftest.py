"""A local world for each test; asserts in the contract tell as much as those in a test module."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.adapters.forge.contract", "tests.adapters.forge.world")

from tests.adapters.forge.local_world import LocalWorld  # noqa: E402 - asserts must be rewritten before the import


@pytest.fixture
def local(tmp_path: Path) -> LocalWorld:
    for folder in ("repositories", "desk"):
        (tmp_path / folder).mkdir()
    return LocalWorld(tmp_path / "repositories", tmp_path / "desk")
