"""One source, one image: where several are served, each place says so."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.consistency import Serving, inconsistencies
from bot.core.digest import Digest

ONE, TWO = Digest.of(b"one"), Digest.of(b"two")


def serving(where: str, *images: Digest, source: str = "acme/orders") -> Serving:
    return Serving(source=(source,), where=where, images=frozenset(images))


def test_places_of_one_source_that_serve_several_images_are_told_with_all_of_them() -> None:
    found = inconsistencies(
        [serving("us:live", TWO), serving("eu:live", ONE), serving("eu:other", ONE, source="acme/search")]
    )

    text = f"one source, several images: eu:live serves {ONE.short}, us:live serves {TWO.short}"
    assert found == {"eu:live": text, "us:live": text}


def test_a_shift_between_two_versions_differs_from_a_place_that_serves_one() -> None:
    found = inconsistencies([serving("eu:live", ONE, TWO), serving("us:live", ONE)])

    assert found["us:live"].count(" and ") == 1


def test_what_could_not_be_read_is_compared_with_nothing() -> None:
    assert inconsistencies([serving("eu:live", ONE), serving("us:live")]) == {}


def test_of_many_places_the_first_are_named() -> None:
    found = inconsistencies([serving(f"{number:02}", ONE if number else TWO) for number in range(20)])

    assert len(found) == 20
    assert found["19"].endswith(", and 14 more")


@given(st.lists(st.builds(serving, st.text(), st.sampled_from([ONE, TWO]), source=st.sampled_from("ab"))))
def test_the_order_of_places_says_nothing(servings: list[Serving]) -> None:
    unique = list({one.where: one for one in servings}.values())

    assert inconsistencies(unique) == inconsistencies(unique[::-1])
