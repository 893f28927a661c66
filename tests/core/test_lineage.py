"""Which base an image stands on: the longest full prefix, by layers and then by diff IDs."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.image import OCI_MANIFEST, Descriptor, Image, ImageConfig, Manifest
from bot.core.lineage import prove, stands_on
from bot.core.observation import KnownBase
from bot.core.platforms import Platform
from bot.core.reference import Reference

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


def digests(names: str, salt: str = "") -> tuple[Digest, ...]:
    return tuple(Digest.of(f"{salt}{name}".encode()) for name in names)


def base(names: str, *, tag: str = "3.13", platform: Platform = AMD64, runtime: str = "python3.13") -> KnownBase:
    return KnownBase(
        runtime=runtime,
        reference=Reference("public.ecr.aws", "lambda/python", tag, Digest.of(tag.encode())),
        platform=platform,
        digest=Digest.of(names.encode()),
        layers=digests(names),
        diff_ids=digests(names, "diff"),
        created=datetime(2026, 11, 1, tzinfo=UTC),
    )


def image(names: str, *, platform: Platform = AMD64, salt: str = "") -> Image:
    layers = tuple(Descriptor(media_type="", digest=d, size=1) for d in digests(names, salt))
    config = Descriptor(media_type="", digest=Digest.of(b"config"), size=1)
    return Image(
        manifest=Manifest(digest=Digest.of(b"m"), media_type=OCI_MANIFEST, config=config, layers=layers, raw=b""),
        config=ImageConfig(
            platform=platform, created=None, env=(), entrypoint=(), cmd=(), working_dir="", labels={},
            diff_ids=digests(names, "diff"), document={},
        ),
    )  # fmt: skip


def test_the_longest_full_prefix_wins() -> None:
    provided, python = base("ab", tag="al2023", runtime="provided.al2023"), base("abcd")

    lineage = prove(image("abcdxy"), (provided, python))

    assert lineage.base == python
    assert (lineage.verdict, lineage.by, lineage.matched, lineage.layers) == ("proven", "layers", 4, 6)


def test_a_partial_prefix_proves_nothing() -> None:
    lineage = prove(image("abxy"), (base("abcd"),))

    assert lineage.verdict == "unknown"
    assert lineage.tried == (str(base("abcd").reference),)


def test_the_shared_bottom_layer_alone_proves_nothing() -> None:
    assert prove(image("a"), (base("abcd"), base("abce", tag="3.12"))).base is None


def test_recompressed_layers_are_proven_by_diff_ids() -> None:
    lineage = prove(image("abcdx", salt="recompressed"), (base("abcd"),))

    assert (lineage.verdict, lineage.by) == ("proven", "diff-ids")


def test_a_base_of_another_platform_proves_nothing() -> None:
    assert prove(image("abcdx", platform=ARM64), (base("abcd"),)).base is None


def test_of_equal_bases_the_first_given_wins() -> None:
    current, sibling = base("abcd"), base("abcd", tag="3.13.2026.11.20.14")

    assert prove(image("abcdx"), (current, sibling)).base == current


def test_a_base_of_no_more_than_the_shared_bottom_layer_proves_nothing() -> None:
    bottom = base("a", tag="al2023")

    assert prove(image("axy"), (bottom, base("abcd"))).base is None
    assert prove(image("axy"), (bottom,)).base == bottom


def test_diff_ids_count_where_they_reach_further_than_layers() -> None:
    """The layers above the operating system's base were compressed again."""
    system, python = base("ab", tag="al2023", runtime="provided.al2023"), base("abcd")
    mixed = image("abcdx", salt="recompressed")
    layers = (*image("ab").manifest.layers, *mixed.manifest.layers[2:])

    lineage = prove(replace(mixed, manifest=replace(mixed.manifest, layers=layers)), (system, python))

    assert (lineage.base, lineage.by) == (python, "diff-ids")


def test_other_bases_with_the_same_layers_are_told() -> None:
    current, old = base("abcd"), replace(base("abcd", tag="3.13.2026.11.20.14"), digest=Digest.of(b"other config"))

    lineage = prove(image("abcdx"), (current, old, current, base("ab", tag="al2023")))

    assert (lineage.base, lineage.siblings) == (current, (old,))


def test_an_image_that_is_the_base_itself_is_told() -> None:
    copied = image("abcd")
    itself = replace(base("abcd"), digest=copied.digest)

    assert prove(copied, (itself,)).is_base
    assert not prove(copied, (base("abcd"),)).is_base


def test_an_image_without_layers_is_unknown() -> None:
    assert prove(image(""), (base("ab"),)).base is None


def test_a_base_without_layers_proves_nothing() -> None:
    assert prove(image("ab"), (base(""),)).base is None


names = st.text("abc", max_size=5)


@given(names, names)
def test_an_image_stands_on_a_base_exactly_if_it_begins_with_it(have: str, want: str) -> None:
    assert stands_on(image(have), base(want)) == (want != "" and have.startswith(want))


@given(names, st.lists(names, max_size=6))
def test_a_proven_base_lies_whole_at_the_bottom_and_no_longer_one_does(have: str, wants: list[str]) -> None:
    known = [base(want) for want in wants]

    lineage = prove(image(have), known)

    if lineage.base:
        assert lineage.base.layers == image(have).layer_digests[: lineage.matched]
        assert all(not stands_on(image(have), other) for other in known if len(other.layers) > lineage.matched)


@given(names, st.lists(names, max_size=4), st.lists(names, max_size=4))
def test_more_known_bases_never_make_a_proof_shorter_nor_false(have: str, wants: list[str], more: list[str]) -> None:
    """Only a base of a single layer can be doubted, where another turns out to share it."""
    few = prove(image(have), [base(want) for want in wants])
    many = prove(image(have), [base(want) for want in (*wants, *more)])

    assert many.matched >= few.matched or (few.matched == 1 and many.base is None)
    assert many.base is None or stands_on(image(have), many.base)
