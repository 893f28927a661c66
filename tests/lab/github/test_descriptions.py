"""GitHub's descriptions are what they were when their digests were written down, and are fetched once."""

import shutil
from pathlib import Path

import pytest

from tests.lab.github.descriptions import GRAPHQL, REST, Description, obtain, rest_description, verify

EMPTY_SHA512 = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="


def test_a_tarball_with_another_digest_is_refused(tmp_path: Path) -> None:
    tarball = tmp_path / "package.tgz"
    tarball.touch()

    verify(tarball, f"sha512-{EMPTY_SHA512}")
    with pytest.raises(RuntimeError, match="do not use it"):
        verify(tarball, GRAPHQL.integrity)


def test_what_is_in_the_cache_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFROM_LAB_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    kept = tmp_path / GRAPHQL.file_name
    kept.write_text("type Query")

    assert obtain(GRAPHQL) == kept


@pytest.mark.parametrize(
    ("required", "outcome"), [("", pytest.skip.Exception), ("required", pytest.fail.Exception)], ids=["plain", "lab"]
)
def test_without_npm_the_test_is_skipped_or_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("REFROM_LAB_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("REFROM_LAB", required)

    with pytest.raises(outcome, match="npm is not installed"):
        obtain(GRAPHQL)


def test_a_registry_out_of_reach_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed; apt-get install npm")
    monkeypatch.setenv("REFROM_LAB_CACHE", str(tmp_path))
    monkeypatch.setenv("REFROM_LAB", "")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")

    with pytest.raises(pytest.skip.Exception, match="check the way to its registry"):
        obtain(GRAPHQL)

    assert list(tmp_path.iterdir()) == []


def test_the_names_in_the_cache_hold_the_versions() -> None:
    assert REST.file_name == "octokit-openapi@23.0.2-api.github.com.json"
    newer = Description(package="@octokit/openapi@24.0.0", integrity="", member=REST.member)
    assert newer.file_name != REST.file_name


def test_the_rest_description_is_the_whole_of_it() -> None:
    assert len(rest_description()["paths"]) == 811
