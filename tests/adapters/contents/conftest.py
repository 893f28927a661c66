"""A layout for each test."""

from pathlib import Path

import pytest

from tests.adapters.contents.tars import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "registry")
