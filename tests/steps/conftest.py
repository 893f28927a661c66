"""What the tests of the steps share: one shop a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.store.store import open_store
from bot.settings.catalogue import load_catalogue
from tests.steps.shop import OPENED, Shop


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    """Close what a test opened, however it ends."""
    yield
    while OPENED:
        OPENED.pop().store.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, open_store(":memory:"), load_catalogue())
