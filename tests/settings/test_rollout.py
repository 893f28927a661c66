"""How rollouts are written in the settings, and what cannot be meant."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.advisories import Severity
from bot.core.errors import SettingsError
from bot.core.rollout import RolloutPolicy, Wave
from bot.settings.loading import load_settings


def read(folder: Path, text: str) -> RolloutPolicy | None:
    (folder / "refrom.yaml").write_text(f"version: 1\n{text}\n")
    return load_settings(folder / "refrom.yaml", {}).rollout


def test_without_it_there_is_none_and_an_empty_one_has_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None
    assert read(tmp_path, "rollout: {}") == RolloutPolicy()


def test_every_part_is_read(tmp_path: Path) -> None:
    text = """
rollout:
  active: 7d
  soak: 2d
  soak_by_severity: {critical: 6h, important: 1d}
  waves: [{share: 10%}, {repositories: [acme/tools-*, acme/one]}, {share: 90%}]
  every: 12h
  tolerated: 2
"""

    assert read(tmp_path, text) == RolloutPolicy(
        active=timedelta(days=7),
        soak=timedelta(days=2),
        soaks={Severity.CRITICAL: timedelta(hours=6), Severity.IMPORTANT: timedelta(days=1)},
        waves=(Wave(share=0.1), Wave(repositories=("acme/tools-*", "acme/one")), Wave(share=0.9)),
        every=timedelta(hours=12),
        tolerated=2,
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("waves: [{share: 60%}, {share: 50%}]", "has waves of 110% together; make them 100% at most"),
        ("waves: [{share: 0%}]", "is no share; write 1% to 100%"),
        ("waves: [{share: 10}]", "is no share; write 1% to 100%"),
        ("waves: [{share: 101%}]", "is no share; write 1% to 100%"),
        ("waves: [{}]", "is no wave; give share or repositories, and one of them"),
        ("waves: [{share: 5%, repositories: [a/b]}]", "is no wave; give share or repositories, and one of them"),
        ("soak_by_severity: {critical: 9d}", "soaks longer for critical than for anything else"),
        ("soak_by_severity: {unrated: 1d}", "is no rating"),
        ("tolerated: -1", "0"),
        ("phases: 2", "phases"),
    ],
)
def test_what_cannot_be_meant_is_a_fault_with_its_cure(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f"rollout: {{{text}}}")

    assert fault in "\n".join(caught.value.faults)
