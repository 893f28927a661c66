"""The plan as a table: for each situation in `plan_table.txt` the decision and its reason that stand there."""

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Figure
from tests.core.plan_table import GIVEN, REPOSITORIES, RULES, Row, decided, rows_of

TABLE = rows_of(Path(__file__).with_name("plan_table.txt").read_text(encoding="utf-8"))
AT_LEAST = 120


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_each_situation_has_the_decision_and_the_reason_that_the_table_says(row: Row) -> None:
    assert decided(row) == (row.decision, row.reason)


def test_the_table_is_large_and_says_nothing_twice(figure: Figure) -> None:
    given = Counter(row.name for row in TABLE)

    figure(f"situations in the table of the plan, of which {AT_LEAST} are asked for", len(given) >= AT_LEAST, True)
    assert max(given.values()) == 1


def test_every_word_of_every_column_occurs_with_several_of_the_others() -> None:
    """No column is there for one row alone."""
    for column in GIVEN:
        words = {getattr(row, column) for row in TABLE}
        assert len(words) > 2, column


def test_the_repositories_of_the_table_are_in_the_waves_that_it_says() -> None:
    waves = {name: RULES.wave_of(repository) for name, repository in REPOSITORIES.items()}

    assert waves == {"1": 0, "2": 1, "3": 2, "rest": 3}
