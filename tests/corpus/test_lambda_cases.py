"""The survey corpus: every use of its 90 cases right, none false, by the corpus's own scoring."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bot.adapters.forge.working_tree import read_working_trees
from bot.entrypoints.scan import scan_document
from tests.corpus.place import CORPUS, needs_corpus

pytestmark = needs_corpus

CASES = sorted(path.parent for path in (CORPUS / "lambda").glob("*/expected.json"))


@pytest.fixture(scope="module")
def scoring() -> ModuleType:
    """The corpus's score.py."""
    spec = importlib.util.spec_from_file_location("corpus_score", CORPUS / "score.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_use_of_a_case_is_right_and_none_is_false(case: Path, tmp_path: Path, scoring: Any) -> None:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    tree = tmp_path / case.name
    shutil.copytree(case, tree, ignore=shutil.ignore_patterns("expected.json"))

    printed = json.loads(json.dumps(scan_document(read_working_trees([tree]))))["uses"]

    result = scoring.Result(name=case.name, files=0, wanted=0)
    scoring.compare(result, expected["uses"], printed)
    assert result.faults == []


def test_no_case_is_missing() -> None:
    assert len(CASES) >= 90
