"""Reading many commits of a GitHub without cloning: what it costs, and what it does with what GitHub refuses."""

import hashlib
import json
from collections.abc import Callable, Sequence

import pytest

from bot.adapters.forge.github import GitHubForge
from bot.adapters.forge.github.reading import object_id
from bot.adapters.forge.github.walking import LEVELS, Walker
from bot.core.errors import ForgeError
from bot.ports.forge import SourceRepository, Sources
from tests.adapters.forge.contract import FILES, OLD, REPOSITORY, sources
from tests.adapters.forge.github.conftest import Make
from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import EXECUTABLE, LINK, File, git, undated
from tests.conftest import Figure
from tests.lab.github.faults import gateway_timeout
from tests.lab.github.fleet import Fleet
from tests.lab.web import Answer

SHALLOW = "app/Dockerfile"
DEEP = "/".join("abcdefghij") + "/Dockerfile"


def is_dockerfile(path: str) -> bool:
    return path.endswith("Dockerfile")


def create(world: GithubWorld, count: int, *paths: str) -> None:
    """Create repositories, each with its own Dockerfiles at these paths."""
    for number in range(count):
        files = {path: f"FROM {number}-{path}\n".encode() for path in paths}
        world.fake.create_repository(f"acme/r{number:03}", files)


def read(forge: GitHubForge, wanted: Callable[[str], bool] = is_dockerfile) -> dict[str, Sources | ForgeError]:
    listed: Sequence[SourceRepository] = forge.repositories()
    return {repository.name: undated(found) for repository, found in forge.sources(listed, wanted)}


def found_of(count: int, *paths: str) -> dict[str, Sources]:
    return {
        f"acme/r{number:03}": Sources(files={path: f"FROM {number}-{path}\n".encode() for path in paths}, unread={})
        for number in range(count)
    }


# What it costs


def test_many_repositories_are_read_with_few_requests(world: GithubWorld, make: Make, figure: Figure) -> None:
    create(world, 45, SHALLOW)

    assert read(make()) == found_of(45, SHALLOW)
    figure("queries for the folders of 45 repositories", world.fake.exchanges["Folders"], 3)
    figure("queries for 45 files", world.fake.exchanges["Files"], 1)
    assert world.fake.exchanges.keys() == {"Owner", "Folders", "Files"}


def test_folders_that_lie_deep_are_asked_for_together(world: GithubWorld, make: Make) -> None:
    create(world, 20, SHALLOW, DEEP)

    assert read(make()) == found_of(20, SHALLOW, DEEP)
    assert world.fake.exchanges["Folders"] == -(-len(DEEP.split("/")) // LEVELS)


def test_what_many_repositories_hold_alike_is_read_once(world: GithubWorld, make: Make) -> None:
    for number in range(30):
        world.fake.create_repository(f"acme/r{number:03}", {"Dockerfile": OLD, "copy/Dockerfile": OLD})
    forge = make()

    for _ in range(2):
        assert {*map(str, read(forge).values())} == {
            str(Sources(files={"Dockerfile": OLD, "copy/Dockerfile": OLD}, unread={}))
        }
    assert world.fake.exchanges["Files"] == 1


def test_files_are_read_in_several_queries_where_they_are_large_together(world: GithubWorld, make: Make) -> None:
    files = {f"{number}/Dockerfile": bytes([65 + number]) * 500_000 for number in range(10)}
    world.fake.create_repository(REPOSITORY, files)

    assert read(make()) == {REPOSITORY: Sources(files=files, unread={})}
    assert world.fake.exchanges["Files"] == 3


def test_repositories_of_several_owners_are_asked_for_with_the_token_of_each(world: GithubWorld, make: Make) -> None:
    for name in ("acme/a", "other/a", "acme/b"):
        world.create_repository(name, FILES)
    forge = make(["acme/*", "other/*"], app=world.fake.app(installations={"acme": None, "other": None}))
    listed = forge.repositories()

    given = [(repository.name, undated(found)) for repository, found in forge.sources(listed, SHALLOW.__eq__)]

    assert given == [(name, Sources(files={SHALLOW: OLD}, unread={})) for name in ("acme/a", "acme/b", "other/a")]


def test_nothing_of_a_fleet_is_missed(world: GithubWorld, make: Make) -> None:
    fleet = Fleet(size=60, lambdas=30, truncated=0)
    world.fake.populate(fleet)

    given = read(make(forks=True, archived=True))

    for number in range(fleet.size):
        files = fleet.contents(number).files
        found = given[fleet.name(number)]
        assert isinstance(found, Sources), found
        assert {*found.files, *found.unread} == {path for path in files if is_dockerfile(path)}
        assert all(content == files[path].content for path, content in found.files.items())


# What GitHub refuses


@pytest.mark.parametrize("points", [60, 5])
def test_what_is_too_much_at_once_is_asked_for_in_parts(world: GithubWorld, make: Make, points: int) -> None:
    create(world, 6, SHALLOW, DEEP)
    world.fake.give_up_after(points)

    assert read(make()) == found_of(6, SHALLOW, DEEP)


@pytest.mark.parametrize(
    "answer",
    [
        gateway_timeout(),
        Answer(status=502, body=b"{}"),
        Answer(status=500, body=b"{}"),
        Answer(body=b'{"errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits exceeded."}]}'),
        Answer(body=b'{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}'),
        None,
    ],
    ids=["504", "502", "500", "resource limits", "gave up", "no answer"],
)
@pytest.mark.parametrize("operation", ["Folders", "Files"])
def test_every_way_to_give_up_is_known(world: GithubWorld, make: Make, operation: str, answer: Answer | None) -> None:
    create(world, 4, SHALLOW)
    world.fake.faults.plan(operation, answer=answer)

    assert read(make()) == found_of(4, SHALLOW)
    assert world.fake.exchanges[operation] == 3


def test_a_part_that_lacks_in_an_answer_is_asked_for_again(world: GithubWorld, make: Make) -> None:
    """GitHub may end a query half way and give what it has."""
    create(world, 2, SHALLOW)
    listed = make().repositories()
    tree = {"entries": [{"name": "Dockerfile", "mode": 33188, "type": "blob", "oid": "1" * 40, "size": 3}]}
    data = {"r0": {"object": {"tree": {**tree, "entries": []}}}, "r1": None}
    errors = [{"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["r1"], "message": "Resource limits exceeded."}]
    world.fake.faults.plan("Folders", answer=Answer(body=json.dumps({"data": data, "errors": errors}).encode()))

    first, second = (undated(found) for _, found in make().sources(listed, is_dockerfile))

    assert first == Sources(files={}, unread={}), "this part was there"
    assert second == found_of(2, SHALLOW)["acme/r001"]


def test_a_folder_that_is_too_much_by_itself_is_the_error_of_its_repository(world: GithubWorld, make: Make) -> None:
    create(world, 5, SHALLOW)
    world.fake.create_repository("acme/huge", {f"many/{number}": b"" for number in range(50)})
    world.fake.give_up_after(40)

    given = read(make())

    assert "acme/huge: the folder many/ is too much for GitHub (acme: GitHub gave up (Something" in str(
        given.pop("acme/huge")
    )
    assert given == found_of(5, SHALLOW)


def test_a_file_that_graphql_does_not_manage_comes_by_rest(world: GithubWorld, make: Make) -> None:
    world.fake.create_repository(REPOSITORY, {"Dockerfile": b"#" * 100_000, SHALLOW: OLD})
    world.fake.give_up_after(500)

    assert read(make()) == {REPOSITORY: Sources(files={"Dockerfile": b"#" * 100_000, SHALLOW: OLD}, unread={})}
    assert world.fake.exchanges["git/get-blob"] == 1


def test_a_text_that_is_cut_comes_by_rest(world: GithubWorld, make: Make) -> None:
    world.fake.create_repository(REPOSITORY, {"Dockerfile": b"FROM x\n" * 100})
    world.fake.cut_texts(50)

    assert read(make()) == {REPOSITORY: Sources(files={"Dockerfile": b"FROM x\n" * 100}, unread={})}


def test_bytes_that_are_not_the_objects_are_refused(world: GithubWorld, make: Make, commit: str) -> None:
    """Neither GraphQL nor REST is believed."""
    text = {"data": {"r0": {"object": {"text": "FROM evil\n", "isBinary": False, "isTruncated": False}}}}
    world.fake.faults.plan("Files", answer=Answer(body=json.dumps(text).encode()))
    world.fake.faults.plan("git/get-blob", answer=Answer(body=b"FROM evil\n"))

    with pytest.raises(ForgeError, match=r"acme/orders: the object \w+ came with other bytes than its id says"):
        sources(make(), commit, SHALLOW.__eq__)


def test_a_refusal_is_that_of_every_repository_and_is_not_tried_in_parts(world: GithubWorld, make: Make) -> None:
    create(world, 8, SHALLOW)
    token = world.fake.token()
    forge = make(token=token)
    listed = forge.repositories()
    world.fake.expire(token)

    given = [found for _, found in forge.sources(listed, is_dockerfile)]

    assert all("the token is expired, revoked or mistyped" in str(found) for found in given)
    assert len(given) == 8
    assert len(world.fake.requests()) == 2


def test_a_folder_without_entries_is_no_empty_one(world: GithubWorld, make: Make, commit: str) -> None:
    world.fake.faults.plan("Folders", answer=Answer(body=b'{"data": {"r0": {"object": {"tree": {"entries": null}}}}}'))

    with pytest.raises(ForgeError, match=rf"acme/orders: GitHub does not have the commit {commit}"):
        sources(make(), commit)


def test_a_commit_that_lists_more_than_any_honest_one_is_an_error(world: GithubWorld, make: Make) -> None:
    """A few trees that hold each other: over a thousand files out of a few objects."""
    sound = world.create_repository("acme/sound", FILES)
    world.create_repository(REPOSITORY, FILES)
    path = world.path(REPOSITORY)
    kind, mode, oid = "blob", "100644", git(path, "hash-object", "-w", "--stdin", given=b"x").decode().strip()
    for _ in range(5):
        lines = "".join(f"{mode} {kind} {oid}\t{number}\n" for number in range(4))
        kind, mode, oid = "tree", "040000", git(path, "mktree", given=lines.encode()).decode().strip()
    bomb = git(path, "commit-tree", oid, "-m", "Bomb").decode().strip()

    walker = Walker(make()._github, most=500)
    refused, listed = walker.walk([(REPOSITORY, bomb), ("acme/sound", sound)], is_dockerfile)

    assert str(refused) == "acme/orders: it has over 500 files and folders; exclude it"
    assert not isinstance(listed, ForgeError)
    assert [entry.path for entry in listed.entries] == [SHALLOW]


def test_folders_that_are_nested_deeper_than_any_honest_ones_are_an_error(world: GithubWorld, make: Make) -> None:
    world.fake.create_repository(REPOSITORY, {"/".join(["a"] * 102): b""})

    assert "its folders are nested deeper than 100; exclude it" in str(read(make())[REPOSITORY])


# Who changed it


def test_an_answer_without_history_says_of_nobody_that_they_changed_it(world: GithubWorld, make: Make) -> None:
    """As from servers that are not quite GitHub."""
    world.create_repository(REPOSITORY, FILES)
    world.fake.faults.plan("Folders", answer=Answer(body=b'{"data": {"r0": {"object": {"tree": {"entries": []}}}}}'))
    forge = make()

    ((_, found),) = forge.sources(forge.repositories(), is_dockerfile)

    assert found == Sources(files={}, unread={}, changed=None)


def test_what_the_last_commits_say_costs_no_request(world: GithubWorld, make: Make) -> None:
    create(world, 20, SHALLOW)
    forge = make()

    found = [each for _, each in forge.sources(forge.repositories(), is_dockerfile)]

    assert all(isinstance(each, Sources) and each.changed for each in found)
    assert world.fake.exchanges == {"Owner": 1, "Folders": 1, "Files": 1}


# Modes


def test_only_the_folders_of_the_files_are_asked_for_their_modes(world: GithubWorld, make: Make, commit: str) -> None:
    walker = make()._walker

    modes = walker.modes(REPOSITORY, commit, [*FILES, "app", "missing", "no/where", "../README.md", "app//run.sh", ""])

    assert modes == {"README.md": "100644", SHALLOW: "100644", "app/run.sh": EXECUTABLE, "app/latest": LINK}
    assert world.fake.exchanges == {"Places": 1}


def test_modes_of_many_folders_are_asked_for_in_batches(world: GithubWorld, make: Make) -> None:
    files = {f"{number}/Dockerfile": File(b"x") for number in range(60)}
    commit = world.create_repository(REPOSITORY, files)

    assert make()._walker.modes(REPOSITORY, commit, files) == dict.fromkeys(files, "100644")
    assert world.fake.exchanges["Places"] == 2


@pytest.mark.parametrize("content", [b"", b"FROM x\n", b"\0\xff"])
def test_ids_are_gits(content: bytes) -> None:
    head = b"blob %d\0" % len(content)

    assert object_id(content, like="0" * 40) == hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
    assert object_id(content, like="0" * 64) == hashlib.sha256(head + content).hexdigest()
