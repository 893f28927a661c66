"""What the tests of the steps share: one shop a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.store.store import open_store
from bot.settings.catalogue import load_catalogue
from tests.steps.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, open_store(":memory:"), load_catalogue())
    yield made
    made.store.close()
