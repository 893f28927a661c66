"""A fleet that is made lazily is what git would have made, and counts as the issue of 10,000 repositories says."""

from collections.abc import Iterator

import pytest

from bot.core.carriers import is_candidate, scan_file
from tests.lab.github.bare_git import BareGit
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub
from tests.lab.github.fleet import Fleet, Use
from tests.lab.github.objects import LINK, SUBMODULE

SMALL = Fleet(size=300, lambdas=90, truncated=0)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def dockerfiles(fleet: Fleet, numbers: range) -> Iterator[str]:
    for number in numbers:
        files = fleet.contents(number).files
        yield from (path for path in files if "Dockerfile" in path and files[path].mode != LINK)


def test_the_fleet_has_the_shape_that_the_figures_are_about(fleet: Fleet) -> None:
    numbers = range(0, fleet.size, 10)
    paths = list(dockerfiles(fleet, numbers))

    assert sum(map(fleet.has_lambda, range(fleet.size))) == 3_000
    assert sum(map(fleet.is_truncated, range(fleet.size))) == 3
    assert all(fleet.has_lambda(n) for n in range(fleet.size) if fleet.is_truncated(n))
    assert 0.04 < sum(path.count("/") > 4 for path in paths) / len(paths) < 0.07
    assert len({fleet.name(number) for number in range(fleet.size)}) == fleet.size


def test_the_truth_about_its_bases_is_what_reading_every_file_gives() -> None:
    for number in range(SMALL.size):
        contents = SMALL.contents(number)
        scans = {
            path: scan_file(path, file.content)
            for path, file in contents.files.items()
            if is_candidate(path) and file.mode not in (LINK, SUBMODULE)
        }

        found = sorted(
            Use(path, located.use.line, str(located.use.reference))
            for path, scan in scans.items()
            for located in scan.uses
            if located.use.lambda_image
        )

        assert tuple(found) == contents.uses
        assert bool(found) == SMALL.has_lambda(number)


def test_what_is_computed_is_what_git_has_once_it_is_on_disk(fake: FakeGitHub) -> None:
    """A link, a submodule, deep folders and second versions are among the repositories compared."""
    population = fake.populate(SMALL)
    population.change(5)
    modes = {file.mode: number for number in range(SMALL.size) for file in SMALL.files(number, 0).values()}

    for git in (*population.gits[:10], *(population.gits[modes[mode]] for mode in (LINK, SUBMODULE))):
        tip = git.references()["refs/heads/main"]
        before = (git.kind(tip), git.commit(tip), git.entries(git.commit(tip).tree, recursive=True))
        blobs = {entry.oid: git.blob(entry.oid) for entry in before[2] if entry.kind == "blob"}
        kinds = {entry.oid: git.kind(entry.oid) for entry in before[2] if entry.kind != "commit"}
        assert not git.is_on_disk

        real = BareGit(git.path)

        assert real.references() == {"refs/heads/main": tip}
        assert (real.kind(tip), real.commit(tip), real.entries(before[1].tree, recursive=True)) == before
        assert all(real.blob(oid) == content for oid, content in blobs.items())
        assert all(real.kind(oid) == kind for oid, kind in kinds.items())
        assert (git.references(), git.head_name()) == ({"refs/heads/main": tip}, "refs/heads/main")
    assert {len(git.commits("", "main")) for git in population.gits[:10]} == {1, 2}


def test_a_change_moves_so_many_default_branches_by_one_dockerfile(fake: FakeGitHub) -> None:
    population = fake.populate(SMALL)
    before = [git.references()["refs/heads/main"] for git in population.gits]

    changed = population.change(7)

    moved = [n for n, git in enumerate(population.gits) if git.references()["refs/heads/main"] != before[n]]
    assert [SMALL.name(number) for number in moved] == changed
    assert len(changed) == 7
    for number in moved:
        old, new = (SMALL.contents(number, version).files for version in (0, 1))
        (path,) = (path for path in new if new[path] != old[path])
        assert "Dockerfile" in path


def test_people_and_bots_work_on_it_as_on_any_other(fake: FakeGitHub) -> None:
    """What is listed is not on disk; what is written to is."""
    population = fake.populate(SMALL)
    name, head = SMALL.name(4), population.gits[4].references()["refs/heads/main"]

    with Caller(fake.url, fake.token()) as api:
        listed = api.ask(
            'query { repositoryOwner(login: "acme") { repositories(first: 100, ownerAffiliations: OWNER) {'
            " totalCount nodes { nameWithOwner defaultBranchRef { target { oid } } } } } }"
        )["data"]["repositoryOwner"]["repositories"]
        assert not any(git.is_on_disk for git in population.gits)
        made = api.post(f"/repos/{name}/git/refs", {"ref": "refs/heads/ours", "sha": head})

    assert listed["totalCount"] == SMALL.size
    assert {"nameWithOwner": name, "defaultBranchRef": {"target": {"oid": head}}} in listed["nodes"]
    assert made["object"]["sha"] == head
    assert [git.is_on_disk for git in population.gits].count(True) == 1
    assert set(population.gits[4].references()) == {"refs/heads/main", "refs/heads/ours"}
    with pytest.raises(ValueError, match="on disk"):
        population.gits[4].advance()
