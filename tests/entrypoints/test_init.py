"""`refrom init` writes settings once and whole, from what it finds; what it cannot know it says with the cure."""

import threading
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from git import Repo
from rich.console import Console
from ruamel.yaml import YAML

from bot.core.errors import SettingsError
from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.init import write_starter
from bot.settings import load_settings
from bot.settings.schema import schema_json
from bot.settings.values import GitHubForge, LocalForge
from tests.entrypoints.conftest import Refrom

PYTHON = "FROM public.ecr.aws/lambda/python:3.13\n"
TOKEN = "t0ken"  # noqa: S105 - no secret of anybody


@pytest.fixture
def here(refrom: Refrom, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, which is the current folder; no token is set."""
    del refrom
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with Repo.init(Path.cwd()) as repo:
        repo.create_remote("origin", "https://x-access-token:s3cret@github.com/acme/orders.git")
    Path("Dockerfile").write_text(PYTHON)
    return Path.cwd()


def test_it_writes_settings_that_need_no_edit(refrom: Refrom, here: Path) -> None:
    ran = refrom("init")

    assert (ran.code, ran.err) == (DONE, "")
    forge = load_settings(here / "refrom.yaml", {"GITHUB_TOKEN": TOKEN}).forge
    assert forge == GitHubForge(url="https://api.github.com", include=("acme/orders",), token=TOKEN)
    document = YAML(typ="safe").load(here / "refrom.yaml")
    jsonschema.validate(document, YAML(typ="safe").load(schema_json()))


def test_it_says_what_it_found_and_what_comes_next(refrom: Refrom, here: Path) -> None:
    (here / "lambda").mkdir()
    (here / "lambda" / "Dockerfile").write_text("FROM public.ecr.aws/lambda/nodejs:22\n")
    (here / "broken").mkdir()
    (here / "broken" / "Dockerfile").write_text(f"{PYTHON}FROM\n")

    ran = refrom("init")

    assert ran.out.startswith("Source repository: acme/orders, on https://api.github.com\n")
    for shown in ("python3.13", "nodejs22.x", "lambda/Dockerfile:1", "not read: broken/Dockerfile:2"):
        assert shown in ran.out
    assert "# Lambda bases found: nodejs22.x, python3.13.\n" in (here / "refrom.yaml").read_text()
    assert ran.out.partition("Next:\n")[2].splitlines() == [
        "  export GITHUB_TOKEN=...   # a token with contents: write and pull requests: write",
        "  refrom doctor   # is everything reached?",
        "  refrom run --dry-run   # what would be done?",
    ]
    assert "s3cret" not in ran.out + (here / "refrom.yaml").read_text()


def test_a_token_that_is_set_needs_no_export(refrom: Refrom, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    ran = refrom("init", here)

    assert "export" not in ran.out
    assert f"refrom run --dry-run --config {here}/refrom.yaml " in ran.out


def test_a_folder_of_the_tree_gets_the_settings_of_all_of_it(refrom: Refrom, here: Path) -> None:
    (here / "a folder").mkdir()

    ran = refrom("init", "a folder")

    assert ran.code == DONE
    assert "Dockerfile:1" in ran.out
    assert "--config 'a folder/refrom.yaml'" in ran.out
    assert not (here / "refrom.yaml").exists()
    assert (here / "a folder" / "refrom.yaml").exists()


def test_git_sees_the_settings_and_nothing_else_of_it(refrom: Refrom, here: Path) -> None:
    refrom("init")

    with Repo(here) as repo:
        assert repo.untracked_files == ["Dockerfile", "refrom.yaml"]
    assert (here / ".refrom" / "refrom.schema.json").read_text() == schema_json()


def test_a_repository_without_a_lambda_base_gets_settings_and_is_told(refrom: Refrom, here: Path) -> None:
    (here / "Dockerfile").unlink()

    ran = refrom("init")

    assert ran.code == DONE
    assert "Lambda bases here: none\n" in ran.out
    assert "refrom has nothing to do until a Dockerfile or the like names one.\n" in ran.out
    assert load_settings(here / "refrom.yaml", {"GITHUB_TOKEN": TOKEN}).forge is not None


def test_a_bare_repository_beside_is_a_local_forge_without_a_token(refrom: Refrom, tmp_path: Path) -> None:
    bare = tmp_path / "git" / "acme" / "orders.git"
    Repo.init(bare, bare=True, mkdir=True).close()
    Repo.clone_from(str(bare), Path.cwd()).close()

    ran = refrom("init")

    assert ran.code == DONE
    assert load_settings(Path("refrom.yaml"), {}).forge == LocalForge(root=tmp_path / "git", include=("acme/orders",))
    assert "GITHUB_TOKEN" not in ran.out


@pytest.mark.parametrize("what", ["file", "folder", "dangling link"])
def test_settings_that_are_there_stay(refrom: Refrom, here: Path, what: str) -> None:
    path = here / "refrom.yaml"
    if what == "file":
        path.write_text("version: 1\n")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to("elsewhere")

    ran = refrom("init")

    assert (ran.code, ran.out) == (USAGE, "")
    assert (
        ran.err == "refrom: refrom.yaml is there already and stays as it is; move it away to have a new one written\n"
    )
    assert not (here / "elsewhere").exists()
    assert what != "file" or path.read_text() == "version: 1\n"


def test_two_at_once_write_one_file_and_one_of_them_says_so(here: Path) -> None:
    """Each either writes all of it or refuses; no draft is left."""
    both, refused = threading.Barrier(2), list[str]()

    def write() -> None:
        both.wait()
        try:
            write_starter(Console(file=StringIO()), here, {})
        except SettingsError as fault:
            refused.append(str(fault))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert load_settings(here / "refrom.yaml", {"GITHUB_TOKEN": TOKEN}).forge is not None
    assert {path.name for path in here.iterdir()} == {".git", ".refrom", "Dockerfile", "refrom.yaml"}
    assert {path.name for path in (here / ".refrom").iterdir()} == {".gitignore", "refrom.schema.json"}


def test_a_store_folder_that_leads_elsewhere_is_not_followed(refrom: Refrom, here: Path, tmp_path: Path) -> None:
    """A hostile repository may bring such a link."""
    (tmp_path / "victim").mkdir()
    (here / ".refrom").symlink_to(tmp_path / "victim")

    ran = refrom("init")

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == "refrom: .refrom is a link, but the store lies there; put a folder in its place\n"
    assert list((tmp_path / "victim").iterdir()) == []
    assert not (here / "refrom.yaml").exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(refrom: Refrom, here: Path) -> None:
    (here / ".refrom").write_text("")

    ran = refrom("init")

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == ("refrom: refrom.yaml cannot be written (.refrom: File exists); make the folder writable\n")
    assert not (here / "refrom.yaml").exists()


def test_no_git_is_told_with_the_cure(refrom: Refrom) -> None:
    ran = refrom("init")

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == "refrom: . is in no git work tree; run refrom init in a clone of the source repository\n"
    assert list(Path.cwd().iterdir()) == []


def test_no_origin_is_told_with_the_cure(refrom: Refrom, here: Path) -> None:
    with Repo(here) as repo:
        repo.delete_remote(repo.remote("origin"))

    ran = refrom("init")

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == (
        f"refrom: {here} has no remote origin, so nothing says where its pull requests go; "
        "add it (git remote add origin ADDRESS)\n"
    )


def test_an_origin_elsewhere_is_told_with_the_cure_and_without_its_login(refrom: Refrom, here: Path) -> None:
    with Repo(here) as repo:
        repo.remote("origin").set_url("https://me:s3cret@gitlab.com/acme/orders.git")

    ran = refrom("init")

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err.startswith("refrom: the remote origin leads to gitlab.com, which is no GitHub; run it in a clone")
    assert "s3cret" not in ran.err


def test_a_repository_that_git_cannot_read_needs_attention(refrom: Refrom, here: Path) -> None:
    (here / ".git" / "config").write_text("[core\n")

    ran = refrom("init")

    assert (ran.code, ran.out) == (ATTENTION, "")
    assert "git cannot read this repository" in ran.err


def test_a_path_that_is_no_folder_is_wrong_usage(refrom: Refrom, here: Path) -> None:
    assert refrom("init", here / "Dockerfile").code == USAGE
    assert refrom("init", here / "nowhere").code == USAGE
