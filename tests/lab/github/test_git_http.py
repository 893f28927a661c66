"""Real git over the fake's port: clone, fetch by commit, push, and who may."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub
from tests.lab.github.faults import gateway_timeout


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    return folder


def run(folder: Path, *arguments: str) -> tuple[bool, str]:
    """Run git and say whether it did it, and what it said."""
    quiet = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    who = {f"GIT_{role}_{key}": "ada" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**kept, **quiet, **who}, capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def url(fake: FakeGitHub, name: str = "acme/orders", token: str | None = None) -> str:
    login = f"://x-access-token:{token}@" if token else "://"
    return f"{fake.url.replace('://', login)}/{name}.git"


def change(fake: FakeGitHub, desk: Path, token: str | None, branch: str = "main", size: int = 10) -> tuple[bool, str]:
    """Clone, commit and push."""
    assert run(desk, "clone", "--quiet", url(fake, token=token), "clone")[0]
    clone = desk / "clone"
    (clone / "new").write_bytes(os.urandom(size))
    assert run(clone, "add", "--all")[0]
    assert run(clone, "commit", "--quiet", "--message", "Work")[0]
    return run(clone, "push", "origin", f"HEAD:{branch}")


def test_a_commit_is_fetched_by_its_id(fake: FakeGitHub, api: Caller, first: str, desk: Path) -> None:
    """The branch has moved on; what a bot saw is still there."""
    change(fake, desk, fake.token())
    assert api.get("/repos/acme/orders/git/ref/heads/main")["object"]["sha"] != first
    run(desk, "init", "--quiet", "other")

    done, said = run(desk / "other", "fetch", "--depth", "1", url(fake), first)

    assert done, said
    assert run(desk / "other", "rev-parse", "FETCH_HEAD") == (True, f"{first}\n")


@pytest.mark.parametrize("size", [10, 3_000_000], ids=["small", "in chunks"])
@pytest.mark.usefixtures("first")
def test_a_push_is_seen_by_the_api(fake: FakeGitHub, api: Caller, desk: Path, size: int) -> None:
    done, said = change(fake, desk, fake.token(permissions={"contents": "write"}), "work", size)

    assert done, said
    _, head = run(desk / "clone", "rev-parse", "HEAD")
    assert api.get("/repos/acme/orders/git/ref/heads/work")["object"]["sha"] == head.strip()
    assert [one for one in fake.writes if "receive-pack" in one] == [
        "POST /acme/orders.git/git-receive-pack (git/receive-pack)"
    ]


@pytest.mark.usefixtures("first")
def test_a_push_to_a_protected_branch_is_refused(fake: FakeGitHub, desk: Path) -> None:
    fake.protect("acme/orders", "main")

    done, said = change(fake, desk, fake.token())

    assert not done
    assert "GH006: Protected branch update failed for refs/heads/main." in said
    assert run(desk / "clone", "push", "origin", "HEAD:free")[0]


@pytest.mark.parametrize("trouble", ["nobody", "unknown", "reading", "archived"])
@pytest.mark.usefixtures("first")
def test_a_push_that_may_not_be_is_refused(fake: FakeGitHub, api: Caller, desk: Path, trouble: str) -> None:
    token = fake.token(permissions={"contents": "read" if trouble == "reading" else "write"})
    if trouble == "archived":
        fake.archive("acme/orders")
    assert run(desk, "clone", "--quiet", url(fake), "clone")[0]
    given = {"nobody": None, "unknown": "ghp_unknown"}.get(trouble, token)

    done, said = run(desk / "clone", "push", url(fake, token=given), "HEAD:refs/heads/work")

    assert not done
    wanted = "403" if trouble in ("reading", "archived") else "Authentication failed" if given else "could not read"
    assert wanted in said
    assert api.send("GET", "/repos/acme/orders/git/ref/heads/work").status_code == 404


def test_what_is_private_is_cloned_by_its_token_only(fake: FakeGitHub, desk: Path) -> None:
    fake.create_repository("acme/orders", {"a": b"x"}, private=True)
    good, other = fake.token(permissions={"contents": "read"}), fake.token(repositories=["acme/bills"])
    without = fake.token(permissions={"metadata": "read"})

    outcomes = {
        name: run(desk, "clone", "--quiet", url(fake, token=token), name)
        for name, token in {"good": good, "other": other, "without": without, "nobody": None}.items()
    }

    assert {name: done for name, (done, _) in outcomes.items()} == {
        "good": True,
        "other": False,
        "without": False,
        "nobody": False,
    }
    assert "not found" in outcomes["other"][1]


@pytest.mark.usefixtures("first")
def test_a_former_name_leads_git_to_the_present_one(fake: FakeGitHub, desk: Path) -> None:
    fake.rename_repository("acme/orders", "acme/bills")

    done, said = run(desk, "clone", "--quiet", url(fake), "clone")

    assert done, said


@pytest.mark.usefixtures("first")
def test_git_goes_wrong_as_planned(fake: FakeGitHub, desk: Path) -> None:
    fake.faults.plan("git/upload-pack", answer=gateway_timeout())

    outcomes = [run(desk, "clone", "--quiet", url(fake), name)[0] for name in ("first", "second")]

    assert outcomes == [False, True]


@pytest.mark.usefixtures("first")
def test_no_other_file_of_a_repository_is_served(fake: FakeGitHub) -> None:
    with Caller(fake.url) as api:
        for path in ("HEAD", "config", "objects/info/packs"):
            assert api.send("GET", f"/acme/orders.git/{path}").status_code == 404
    fake.violations.clear()
