"""From what functions show to what they are built from: the first rule that fits, and every gap told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.mapping import (
    ByImage,
    ByLabel,
    ByTag,
    Candidate,
    FunctionMap,
    GapKind,
    MappingRule,
    Origin,
    map_functions,
    strangers,
)
from bot.core.reference import Reference
from bot.core.target import Target

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
IMAGE = Reference("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "team/orders", None, Digest.of(b"orders"))
SOURCE = "org.opencontainers.image.source"


def candidate(name: str = "orders", **more: object) -> Candidate:
    parts: dict[str, object] = {"names": (ARN.replace("orders", name), name), "image": IMAGE, **more}
    return Candidate(**parts)  # type: ignore[arg-type] # the parts of a test


def mapped(one: Candidate, *rules: MappingRule) -> FunctionMap:
    return map_functions([one], rules)


def origins(found: FunctionMap) -> list[tuple[str, str, str]]:
    return [(one.target.repository, one.target.dockerfile, one.by) for one in found.mapped]


def gaps(found: FunctionMap) -> list[tuple[GapKind, str]]:
    return [(gap.kind, gap.why) for gap in found.gaps]


def test_tags_tell_all_that_a_target_needs() -> None:
    parts = {"repository": "acme/orders", "dockerfile": "api/Dockerfile", "context": "api", "stage": "run"}
    tags = {f"refrom:{name}": value for name, value in {**parts, "alias": "live"}.items()}

    found = mapped(candidate(tags={**tags, "team": "shop"}), ByTag())

    assert found.targets == (
        Target(
            function=ARN,
            repository="acme/orders",
            dockerfile="api/Dockerfile",
            context="api",
            stage="run",
            alias="live",
            destination=Reference(IMAGE.registry, IMAGE.repository),
        ),
    )
    assert not found.gaps


def test_what_a_tag_leaves_out_the_rule_says() -> None:
    found = mapped(
        candidate(tags={"refrom:repository": "acme/orders"}), ByTag(dockerfile="app.Dockerfile", alias="live")
    )

    assert [(t.dockerfile, t.context, t.alias) for t in found.targets] == [("app.Dockerfile", ".", "live")]


@pytest.mark.parametrize(
    ("source", "repository"),
    [
        pytest.param("https://github.com/acme/orders", "acme/orders", id="address"),
        pytest.param("https://github.com/acme/orders.git", "acme/orders", id="to clone"),
        pytest.param("https://GitHub.com/acme/orders/", "acme/orders", id="host in capitals"),
        pytest.param("git@github.com:acme/orders.git", "acme/orders", id="ssh"),
        pytest.param("ssh://git@github.com:22/acme/orders", "acme/orders", id="ssh with a port"),
        pytest.param("https://gitlab.com/acme/orders", None, id="another forge"),
        pytest.param("acme/orders", None, id="no address"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_source_that_a_label_names_counts_if_it_is_on_the_forge(source: str, repository: str | None) -> None:
    found = mapped(candidate(labels={SOURCE: source}), ByLabel(host="github.com"))

    assert [target.repository for target in found.targets] == ([repository] if repository else [])


def test_labels_that_our_builders_write_go_before_the_source() -> None:
    labels = {SOURCE: "https://github.com/acme/fork", "refrom.repository": "acme/orders", "refrom.dockerfile": "a/D"}

    assert origins(mapped(candidate(labels=labels), ByLabel())) == [("acme/orders", "a/D", "label")]


@pytest.mark.parametrize(
    ("rule", "origin"),
    [
        pytest.param(ByImage(image="team/orders", repository="acme/shop"), ("acme/shop", "Dockerfile"), id="exactly"),
        pytest.param(
            ByImage(image="team/*", repository="acme/*", dockerfile="*/Dockerfile"),
            ("acme/orders", "orders/Dockerfile"),
            id="star",
        ),
        pytest.param(ByImage(image="*/orders", repository="acme/*"), ("acme/team", "Dockerfile"), id="star in front"),
        pytest.param(ByImage(image="*", repository="acme/*"), None, id="a star is no slash"),
        pytest.param(ByImage(image="team/orders*", repository="acme/*"), None, id="a star is not nothing"),
        pytest.param(ByImage(image="team.orders", repository="acme/x"), None, id="no pattern but the star"),
    ],
)
def test_the_name_of_the_image_tells_its_source(rule: ByImage, origin: tuple[str, str] | None) -> None:
    found = mapped(candidate(), rule)

    assert origins(found) == ([(*origin, "image")] if origin else [])


def test_of_two_rules_the_first_wins_and_what_the_other_says_is_told() -> None:
    one = candidate(tags={"refrom:repository": "acme/orders"}, labels={SOURCE: "https://h.example/acme/fork"})

    found = mapped(one, ByTag(), ByLabel(), ByImage(image="team/*", repository="acme/shop"))

    assert origins(found) == [("acme/orders", "Dockerfile", "tag")]
    why = "its tag says acme/orders, its label says acme/fork, its image says Dockerfile of acme/shop"
    assert gaps(found) == [(GapKind.AMBIGUOUS, f"{why}; the first is taken; make them agree")]


def test_rules_that_say_the_same_do_not_disagree_where_one_leaves_the_file_out() -> None:
    tags = {"refrom:repository": "acme/orders", "refrom:dockerfile": "api/Dockerfile"}
    one = candidate(tags=tags, labels={SOURCE: "https://github.com/acme/orders"})

    found = mapped(one, ByTag(), ByLabel())

    assert (origins(found), gaps(found)) == ([("acme/orders", "api/Dockerfile", "tag")], [])


def test_a_function_that_no_rule_fits_is_a_gap() -> None:
    found = mapped(candidate(), ByTag(), ByLabel())

    assert (found.mapped, [gap.kind for gap in found.gaps]) == ((), [GapKind.UNMAPPED])
    assert found.gaps[0].why.endswith("tag it with refrom:repository, or name it under deploy.targets")


def test_what_a_rule_cannot_read_keeps_the_rules_below_it_from_guessing() -> None:
    one = candidate(unread={"tags": "its tags cannot be read (denied); allow lambda:ListTags"})
    below = ByImage(image="team/*", repository="acme/*")

    found, above = mapped(one, ByTag(), below), mapped(one, below, ByTag())

    assert (found.mapped, gaps(found)) == ((), [(GapKind.UNREADABLE, one.unread["tags"])])
    assert (origins(above), gaps(above)) == ([("acme/orders", "Dockerfile", "image")], [])


def test_without_an_image_there_is_no_target_whatever_the_tags_say() -> None:
    one = candidate(image=None, tags={"refrom:repository": "acme/orders"}, unread={"image": "the image is gone"})

    assert gaps(mapped(one, ByTag())) == [(GapKind.UNREADABLE, "the image is gone")]


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        pytest.param({"repository": "orders"}, "names the source repository 'orders'; write OWNER/NAME", id="no owner"),
        pytest.param({"repository": "a/../c"}, "names the source repository 'a/../c'; write OWNER/NAME", id="dots"),
        pytest.param({"repository": "a b/c"}, "names the source repository 'a b/c'; write OWNER/NAME", id="blank"),
        pytest.param(
            {"repository": "a/b", "dockerfile": "../D"}, "names '../D', which is no path in a/b; write one", id="out"
        ),
        pytest.param(
            {"repository": "a/b", "context": "/etc"}, "names '/etc', which is no path in a/b; write one", id="absolute"
        ),
        pytest.param(
            {"repository": "a/b", "dockerfile": ""}, "names '', which is no path in a/b; write one", id="empty"
        ),
    ],
)
def test_tags_that_anybody_may_write_lead_nowhere_else(tags: dict[str, str], why: str) -> None:
    one = candidate(tags={f"refrom:{name}": value for name, value in tags.items()})

    found = mapped(one, ByTag(), ByImage(image="team/*", repository="acme/*"))

    assert (found.mapped, [gap.kind for gap in found.gaps]) == ((), [GapKind.UNREADABLE])
    assert found.gaps[0].why.startswith(f"its tag {why}")


def test_what_the_settings_declare_no_rule_maps_again() -> None:
    declared = Target(function="orders", repository="acme/x", dockerfile="D", destination=IMAGE)
    by_arn = Target(function=ARN, repository="acme/x", dockerfile="D", destination=IMAGE)
    rules = [ByImage(image="team/*", repository="acme/*")]

    assert map_functions([candidate()], rules, [declared]) == FunctionMap()
    assert map_functions([candidate()], rules, [by_arn]) == FunctionMap()


def test_targets_of_a_repository_that_no_forge_has_are_told() -> None:
    targets = mapped(candidate(), ByImage(image="team/*", repository="acme/*")).targets

    assert list(strangers(targets, {"acme/orders"})) == []
    (gap,) = strangers(targets, {"acme/shop"})
    assert (gap.function, gap.kind) == (ARN, GapKind.STRANGE)
    assert gap.why == "its source repository acme/orders is in no forge of the settings; name it there"


_TEXT = st.text(max_size=12) | st.sampled_from(["acme/orders", "https://github.com/acme/orders", "..", "a/../b", "/"])


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    st.dictionaries(st.sampled_from([f"refrom:{part}" for part in ("repository", "dockerfile", "context")]), _TEXT),
    st.dictionaries(st.sampled_from([SOURCE, "refrom.repository", "refrom.dockerfile"]), _TEXT),
    st.permutations([ByTag(), ByLabel(), ByImage(image="team/*", repository="acme/*")]),
)
def test_whatever_a_function_shows_it_is_mapped_or_a_gap_and_no_path_leads_out(
    tags: dict[str, str], labels: dict[str, str], rules: list[MappingRule]
) -> None:
    found = mapped(candidate(tags=tags, labels=labels), *rules)

    assert found.mapped or found.gaps
    for target in found.targets:
        origin = Origin(repository=target.repository, dockerfile=target.dockerfile, context=target.context)
        assert not origin.fault
