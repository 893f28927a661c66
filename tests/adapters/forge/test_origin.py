"""Where a work tree comes from is read by real git, which runs nothing of the repository."""

from pathlib import Path

import pytest
from git import Repo

from bot.adapters.forge.origin import read_origin
from bot.core.errors import ForgeError

ADDRESS = "git@github.com:acme/orders.git"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    with Repo.init(folder, mkdir=True) as repo:
        repo.create_remote("origin", ADDRESS)
    return folder


def test_top_and_origin_are_told_from_any_folder_of_the_tree(clone: Path) -> None:
    (clone / "app" / "src").mkdir(parents=True)

    for folder in (clone, clone / "app" / "src"):
        found = read_origin(folder)
        assert found is not None
        assert (found.top, found.origin) == (clone, ADDRESS)
        assert ADDRESS not in repr(found)


def test_the_address_is_the_one_that_git_would_use(clone: Path) -> None:
    with Repo(clone) as repo, repo.config_writer() as config:
        config.set_value('url "https://github.com/"', "insteadOf", "git@github.com:")

    found = read_origin(clone)

    assert found is not None
    assert found.origin == "https://github.com/acme/orders.git"


def test_a_tree_without_origin_is_a_tree_all_the_same(tmp_path: Path) -> None:
    with Repo.init(tmp_path) as repo:
        repo.create_remote("upstream", ADDRESS)

    found = read_origin(tmp_path)

    assert found is not None
    assert (found.top, found.origin) == (tmp_path, None)


def test_a_folder_outside_is_in_no_tree(tmp_path: Path) -> None:
    assert read_origin(tmp_path) is None


def test_a_path_is_told_as_git_finds_it(tmp_path: Path) -> None:
    bare = tmp_path / "git" / "acme" / "orders.git"
    Repo.init(bare, bare=True, mkdir=True).close()
    with Repo.init(tmp_path / "clone", mkdir=True) as repo:
        repo.create_remote("origin", str(bare.with_suffix("")))

    found = read_origin(tmp_path / "clone")

    assert found is not None
    assert found.origin == str(bare)


def test_a_repository_that_git_cannot_read_is_an_error_with_git_s_words(clone: Path) -> None:
    (clone / ".git" / "config").write_text("[core\n")

    with pytest.raises(ForgeError, match=r"git cannot read this repository \(.*bad config.*\); see what git status"):
        read_origin(clone)


def test_nothing_of_the_repository_runs(clone: Path, tmp_path: Path) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    trap.chmod(0o755)
    with Repo(clone) as repo, repo.config_writer() as config:
        config.set_value("core", "fsmonitor", str(trap))
        config.set_value("core", "hooksPath", str(tmp_path))
        config.set_value('remote "origin"', "vcs", "ext")
        config.set_value('remote "origin"', "url", f"ext::{trap}")

    found = read_origin(clone)

    assert found is not None
    assert found.origin == f"ext::{trap}"
    assert not sprung.exists()
