"""Working trees: git's ignore rules, links that do not lead out, bounds, faults as values."""

import os
from pathlib import Path

import pytest
from git import Repo

from bot.adapters.forge.working_tree import read_working_trees
from bot.core.carriers import LARGEST, SourceFile
from bot.core.errors import ForgeError

F = b"FROM public.ecr.aws/lambda/python:3.12\n"


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(F)


def paths(*roots: Path) -> list[str]:
    return [file.path for file in read_working_trees(roots)]


def test_a_folder_is_read_in_path_order_hidden_files_too(tmp_path: Path) -> None:
    write(tmp_path, "b/Dockerfile", "Dockerfile", ".x/Dockerfile", "a/readme.md", "a b/Dockerfile.é")

    files = list(read_working_trees([tmp_path]))

    assert [file.path for file in files] == [".x/Dockerfile", "Dockerfile", "a b/Dockerfile.é", "b/Dockerfile"]
    assert files[0] == SourceFile(path=".x/Dockerfile", content=F)


def test_several_folders_keep_their_names_apart(tmp_path: Path) -> None:
    write(tmp_path, "a/Dockerfile", "b/Dockerfile")

    assert paths(tmp_path / "a", tmp_path / "b") == [f"{tmp_path}/a/Dockerfile", f"{tmp_path}/b/Dockerfile"]


def test_a_single_file_is_read_whatever_git_ignores(tmp_path: Path) -> None:
    Repo.init(tmp_path)
    write(tmp_path, "x.Dockerfile")
    (tmp_path / ".gitignore").write_text("*\n")

    assert paths(tmp_path / "x.Dockerfile") == [f"{tmp_path}/x.Dockerfile"]


def test_a_single_file_of_no_kind_is_told(tmp_path: Path) -> None:
    write(tmp_path, "image.txt")

    (file,) = read_working_trees([tmp_path / "image.txt"])

    assert "of no kind of file that names base images" in file.fault


def test_what_git_ignores_is_left_out_unless_it_is_tracked(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    write(tmp_path, "Dockerfile", "out/Dockerfile", "kept/Dockerfile", "new/Dockerfile", "sub/skip/Dockerfile")
    (tmp_path / ".gitignore").write_text("out/\nkept/\n")
    (tmp_path / "sub/.gitignore").write_text("skip\n")
    repo.git.add("-f", "Dockerfile", "kept/Dockerfile")

    assert paths(tmp_path) == ["Dockerfile", "kept/Dockerfile", "new/Dockerfile"]
    assert paths(tmp_path / "sub") == []


def test_work_trees_inside_a_folder_follow_their_own_rules(tmp_path: Path) -> None:
    for name in ("one", "two", "two/inner"):
        (tmp_path / name).mkdir(parents=True)
        Repo.init(tmp_path / name)
        write(tmp_path, f"{name}/Dockerfile", f"{name}/out/Dockerfile")
        (tmp_path / name / ".gitignore").write_text("out\n")

    assert paths(tmp_path) == ["one/Dockerfile", "two/Dockerfile", "two/inner/Dockerfile"]


def test_a_deleted_file_that_git_still_lists_is_left_out(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    write(tmp_path, "Dockerfile", "gone/Dockerfile")
    repo.git.add(".")
    (tmp_path / "gone/Dockerfile").unlink()

    assert paths(tmp_path) == ["Dockerfile"]


def test_links_are_followed_to_files_of_the_tree_alone(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    write(outside, "Dockerfile", "folder/Dockerfile")
    write(tree, "real/Dockerfile", "real/image.txt")
    links = {
        "Dockerfile": outside / "Dockerfile", "x/Dockerfile": Path("../../outside/Dockerfile"),
        "y/Dockerfile": Path("../real/image.txt"), "z/Dockerfile": Path("../real/Dockerfile"),
        "loop/Dockerfile": Path("Dockerfile"), "dangling.Dockerfile": Path("nowhere"),
    }  # fmt: skip
    for name, target in links.items():
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).symlink_to(target)
    (tree / "folder").symlink_to(outside / "folder")
    (tree / "again").symlink_to(tree)

    assert paths(tree) == ["real/Dockerfile", "y/Dockerfile"]


def test_a_link_to_a_folder_in_a_work_tree_is_not_followed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tmp_path, "outside/Dockerfile", "tree/Dockerfile")
    repo = Repo.init(tree)
    (tree / "out").symlink_to(tmp_path / "outside")
    repo.git.add(".")

    assert paths(tree) == ["Dockerfile"]


def test_what_cannot_be_read_is_a_fault_not_a_failure(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    with (tmp_path / "Dockerfile.large").open("wb") as file:
        file.truncate(LARGEST + 1)
    os.mkfifo(tmp_path / "Dockerfile.pipe")

    files = {file.path: file.fault for file in read_working_trees([tmp_path])}

    assert files == {"Dockerfile": "", "Dockerfile.large": f"the file is larger than {LARGEST} bytes"}
    (pipe,) = read_working_trees([tmp_path / "Dockerfile.pipe"])
    assert pipe.fault == "it is no regular file"


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ForgeError, match="is not there; name a folder or a file"):
        paths(tmp_path / "nowhere")


def test_a_work_tree_that_git_cannot_list_is_told(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    (tmp_path / ".git").write_text("gitdir: nowhere\n")

    with pytest.raises(ForgeError, match=r"git cannot list its files .* name single files"):
        paths(tmp_path)


def test_a_hostile_work_tree_runs_nothing(tmp_path: Path) -> None:
    """A repository may name commands in its configuration; listing files starts none of them."""
    repo = Repo.init(tmp_path)
    write(tmp_path, "Dockerfile")
    repo.git.add(".")
    trap = tmp_path / "trap.txt"
    with repo.config_writer() as config:
        config.set_value("core", "fsmonitor", f"touch {trap}")
    hook = tmp_path / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
    hook.chmod(0o755)

    assert paths(tmp_path) == ["Dockerfile"]
    assert not trap.exists()


def test_names_that_are_no_text_are_shown_with_escapes(tmp_path: Path) -> None:
    write(tmp_path, os.fsdecode(b"Dockerfile.\xff"))

    assert paths(tmp_path) == ["Dockerfile.\\xff"]
