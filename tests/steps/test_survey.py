"""Survey: where one commit uses a Lambda base, and what of it could not be read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from bot.adapters.forge.local import LocalForge
from bot.core.errors import ForgeError
from bot.ports.forge import SourceRepository, Sources
from bot.steps.survey import Surveyor, Unread, survey_alone
from tests.adapters.forge.world import LINK, File, undated
from tests.steps.shop import UNPINNED, Shop


def test_every_use_is_found_at_the_commit_of_the_default_branch(shop: Shop) -> None:
    commit = shop.push("acme/orders", UNPINNED, **{"b/Containerfile": UNPINNED, "docs/Dockerfile.md": "# no use\n"})
    shop.people.push("acme/orders", "feature", {"c/Dockerfile": File(UNPINNED.encode())})

    found = shop.survey("acme/orders")

    assert [(use.located.path, use.runtime) for use in found.uses] == [
        ("Dockerfile", "python3.13"),
        ("b/Containerfile", "python3.13"),
    ]
    assert {use.commit for use in found.uses} == {commit} == {found.repository.commit}
    assert found.files["Dockerfile"] == UNPINNED.encode()


def test_images_that_are_no_lambda_bases_are_no_uses(shop: Shop) -> None:
    shop.push("acme/orders", "FROM docker.io/library/python:3.13\n")

    found = shop.survey("acme/orders")

    assert not found.uses
    assert not found.unread


def test_a_mirror_is_known_by_the_settings_alone(shop: Shop) -> None:
    shop.push("acme/orders", "FROM registry.example/bases/python:3.13\n")
    repository = shop.listed()["acme/orders"]

    assert not survey_alone(repository, shop.forge).uses
    assert survey_alone(repository, shop.forge, ["registry.example/bases"]).uses[0].runtime == "python3.13"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"FROM \xff\n", "not UTF-8", id="no text"),
        pytest.param(b"ARG BASE\nFROM ${BASE}\n", "BASE", id="the base comes from outside"),
        pytest.param(b"FRM x\n", "FRM", id="no Dockerfile"),
        pytest.param(b"#" * (1024 * 1024 + 1), "larger than", id="too large"),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n",
            "a pointer of Git LFS; what it stands for is not in the repository",
            id="kept by Git LFS",
        ),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_read(shop: Shop, content: bytes, reason: str) -> None:
    shop.push("acme/orders")
    shop.people.push("acme/orders", "main", {"b/Dockerfile": File(content)})

    found = shop.survey("acme/orders")

    assert [use.located.path for use in found.uses] == ["Dockerfile"]
    assert [unread.path for unread in found.unread] == ["b/Dockerfile"]
    assert reason in found.unread[0].reason


def test_a_link_is_not_followed_and_told(shop: Shop) -> None:
    shop.push("acme/orders")
    shop.people.push("acme/orders", "main", {"b/Dockerfile": File(b"../Dockerfile", LINK), "c": File(b"b", LINK)})

    found = shop.survey("acme/orders")

    assert [use.located.path for use in found.uses] == ["Dockerfile"]
    assert found.unread == (Unread(path="b/Dockerfile", line=None, reason="a symbolic link, which is not followed"),)


def test_a_commit_that_is_not_there_is_an_error_of_the_forge(shop: Shop) -> None:
    shop.push("acme/orders")
    gone = SourceRepository(name="acme/orders", default_branch="main", commit="0" * 40)

    with pytest.raises(ForgeError, match="acme/orders"):
        survey_alone(gone, shop.forge)


# Reading ahead, and remembering


class Asked:
    """A forge that writes down how many repositories it was asked for at once, and gives them late or never."""

    def __init__(self, forge: LocalForge) -> None:
        self._forge = forge
        self.asked: list[list[str]] = []
        self.silent = False

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        self.asked.append([repository.name.removeprefix("acme/") for repository in repositories])
        return iter(()) if self.silent else self._forge.sources(repositories, wanted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)


NAMES = ("acme/a", "acme/b", "acme/c")


@pytest.fixture
def asked(shop: Shop) -> Asked:
    for name in NAMES:
        shop.push(name)
    return Asked(shop.forge)


def read_all(shop: Shop, asked: Asked, mirrors: Sequence[str] = ()) -> list[list[str]]:
    """Read all repositories as a new process does, and say what the forge was asked for."""
    listed = shop.listed()
    surveyor, before = Surveyor(asked, shop.store.sources, [*listed.values()], mirrors), len(asked.asked)
    for repository in listed.values():
        assert surveyor.read(repository).files["Dockerfile"].startswith(b"FROM")
    return asked.asked[before:]


def test_repositories_are_read_ahead_in_the_order_in_which_they_come(shop: Shop, asked: Asked) -> None:
    assert read_all(shop, asked) == [["a", "b", "c"]]


def test_a_repository_that_stands_still_is_not_read_again(shop: Shop, asked: Asked) -> None:
    read_all(shop, asked)

    assert read_all(shop, asked) == []
    shop.people.push("acme/b", "main", {"Dockerfile": File(b"FROM scratch\n")})
    assert read_all(shop, asked) == [["b"]]


def test_what_other_mirrors_or_another_store_knew_is_read_again(shop: Shop, asked: Asked) -> None:
    read_all(shop, asked)

    assert read_all(shop, asked, ["registry.example/bases"]) == [["a", "b", "c"]]
    shop.forget()
    assert read_all(shop, asked) == [["a", "b", "c"]]


def test_what_cannot_name_a_base_is_not_remembered(shop: Shop, asked: Asked) -> None:
    read_all(shop, asked)

    kept = shop.store.sources.get("acme/a")

    assert kept is not None
    assert undated(kept.sources) == Sources(files={"Dockerfile": UNPINNED.encode()}, unread={})


def test_one_that_fails_is_its_own_error_and_is_asked_for_again(shop: Shop, asked: Asked) -> None:
    listed = [shop.listed()["acme/a"], SourceRepository(name="acme/gone", commit="1" * 40), shop.listed()["acme/b"]]
    surveyor = Surveyor(asked, shop.store.sources, listed)

    for _ in range(2):
        with pytest.raises(ForgeError, match="acme/gone"):
            surveyor.read(listed[1])
    assert surveyor.read(listed[0]).files
    assert surveyor.read(listed[2]).files
    assert asked.asked == [["gone", "b"], ["gone"], ["a", "gone"]]


def test_a_repository_that_the_forge_passes_over_is_an_error(shop: Shop, asked: Asked) -> None:
    asked.silent = True
    repository = shop.listed()["acme/a"]

    with pytest.raises(ForgeError, match="acme/a: the forge says nothing of it; run again later"):
        Surveyor(asked, shop.store.sources, [repository]).read(repository)
