"""Survey: where one commit uses a Lambda base, and what of it could not be read."""

import pytest

from bot.core.errors import ForgeError
from bot.ports.forge import SourceRepository
from bot.steps.survey import survey
from tests.adapters.forge.world import LINK, File
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

    assert not survey(repository, shop.forge).uses
    assert survey(repository, shop.forge, ["registry.example/bases"]).uses[0].runtime == "python3.13"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"FROM \xff\n", "not UTF-8", id="no text"),
        pytest.param(b"ARG BASE\nFROM ${BASE}\n", "BASE", id="the base comes from outside"),
        pytest.param(b"FRM x\n", "FRM", id="no Dockerfile"),
        pytest.param(b"#" * (1024 * 1024 + 1), "larger than", id="too large"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_read(shop: Shop, content: bytes, reason: str) -> None:
    shop.push("acme/orders")
    shop.people.push("acme/orders", "main", {"b/Dockerfile": File(content)})

    found = shop.survey("acme/orders")

    assert [use.located.path for use in found.uses] == ["Dockerfile"]
    assert [unread.path for unread in found.unread] == ["b/Dockerfile"]
    assert reason in found.unread[0].reason


def test_a_link_is_not_followed(shop: Shop) -> None:
    shop.push("acme/orders")
    shop.people.push("acme/orders", "main", {"b/Dockerfile": File(b"../Dockerfile", LINK)})

    found = shop.survey("acme/orders")

    assert ([use.located.path for use in found.uses], found.unread) == (["Dockerfile"], ())


def test_a_commit_that_is_not_there_is_an_error_of_the_forge(shop: Shop) -> None:
    shop.push("acme/orders")
    gone = SourceRepository(name="acme/orders", default_branch="main", commit="0" * 40)

    with pytest.raises(ForgeError, match="acme/orders"):
        survey(gone, shop.forge)
