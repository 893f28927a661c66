"""Config and manifest after a swap: what the function set stays, what it took from the base moves on."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.errors import RebaseRefused
from bot.core.image import (
    DOCKER_MANIFEST,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Manifest,
    parse_config,
    parse_manifest,
)
from bot.core.rebase import rebased_config, rebased_manifest

OCI_LAYER, DOCKER_LAYER = "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"


def config(
    layers: str, container: Mapping[str, Any] | None = None, *, history: list[dict[str, Any]] | None = None, **more: Any
) -> ImageConfig:
    """Make a config with one layer for each letter."""
    document = {
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "config": container,
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(letter.encode())) for letter in layers]},
        **({"history": history} if history is not None else {}),
        **more,
    }
    return parse_config(json.dumps(document).encode())


def swap(own: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any], **labels: str) -> dict[str, Any]:
    document = json.loads(rebased_config(config("abx", own), config("ab", old), config("cde", new), labels))
    container: dict[str, Any] = document["config"]
    return container


def test_layers_of_the_new_base_come_first() -> None:
    document = rebased_config(config("abx"), config("ab"), config("cde"), {})

    assert parse_config(document).diff_ids == config("cdex").diff_ids
    assert parse_config(document).platform == config("").platform


@pytest.mark.parametrize(
    ("key", "own", "old", "new", "merged"),
    [
        pytest.param("WorkingDir", "/a", "/a", "/b", "/b", id="taken from the base"),
        pytest.param("WorkingDir", "/x", "/a", "/a", "/x", id="set by the function"),
        pytest.param("WorkingDir", "/b", "/a", "/b", "/b", id="both set the same"),
        pytest.param("Cmd", ["app.handler"], None, None, ["app.handler"], id="only the function has it"),
        pytest.param("Cmd", ["app.handler"], [], None, ["app.handler"], id="empty is absent"),
        pytest.param("Entrypoint", ["/old"], ["/old"], None, None, id="the base dropped it"),
        pytest.param("Entrypoint", None, ["/old"], ["/old"], None, id="the function dropped it"),
        pytest.param("User", None, None, "1000", "1000", id="the base added it"),
        pytest.param("Env", ["A=1", "B=2"], ["A=1"], ["A=3", "C=4"], ["A=3", "C=4", "B=2"], id="variables one by one"),
        pytest.param("Env", ["A=1", "B="], ["A=1", "B="], ["A=1"], ["A=1"], id="the base dropped an empty variable"),
        pytest.param("Env", ["A=x=y"], [], [], ["A=x=y"], id="a value with an equals sign"),
    ],
)
def test_settings_are_merged_three_way(key: str, own: Any, old: Any, new: Any, merged: Any) -> None:
    assert swap({key: own}, {key: old}, {key: new}).get(key) == merged


@pytest.mark.parametrize(
    ("key", "own", "old", "new", "named"),
    [
        pytest.param(
            "Env", ["PATH=/x:/a"], ["PATH=/a"], ["PATH=/b:/a"], "ENV PATH", id="a variable that extends the base's"
        ),
        pytest.param("WorkingDir", "/a/x", "/a", "/b", "WorkingDir", id="a relative WORKDIR"),
        pytest.param("Env", [], ["A=1"], ["A=2"], "ENV A", id="dropped here, changed there"),
    ],
)
def test_what_both_changed_is_refused_by_name_without_its_value(
    key: str, own: Any, old: Any, new: Any, named: str
) -> None:
    with pytest.raises(RebaseRefused, match=f"both changed {named} of the image; use a builder that runs") as fault:
        swap({key: own}, {key: old}, {key: new})

    assert "/a" not in str(fault.value)


@pytest.mark.parametrize(("old", "new"), [(["RUN old"], ["RUN new"]), (None, ["RUN new"]), (["RUN old"], None)])
def test_triggers_that_a_build_would_have_run_are_refused(old: list[str] | None, new: list[str] | None) -> None:
    with pytest.raises(RebaseRefused, match="the base changed its ONBUILD triggers"):
        swap({}, {"OnBuild": old}, {"OnBuild": new})


def test_triggers_of_the_base_are_not_handed_on() -> None:
    assert "OnBuild" not in swap({}, {"OnBuild": ["RUN x"]}, {"OnBuild": ["RUN x"]})


def test_a_function_that_sets_an_entry_point_takes_no_command_of_a_base() -> None:
    container = swap({"Entrypoint": ["/own"]}, {"Entrypoint": ["/e"]}, {"Entrypoint": ["/e"], "Cmd": ["theirs"]})

    assert (container["Entrypoint"], "Cmd" in container) == (["/own"], False)


def test_a_label_of_the_function_wins_and_the_orders_labels_win_over_all() -> None:
    own, old, new = {"who": "function", "v": "1", "rev": "old"}, {"v": "1"}, {"v": "2", "who": "base"}

    assert swap({"Labels": own}, {"Labels": old}, {"Labels": new}, rev="new")["Labels"] == {
        "v": "2",
        "who": "function",
        "rev": "new",
    }


def test_history_follows_the_layers() -> None:
    image = config(
        "abx", history=[{"created_by": "os"}, {"created_by": "lang"}, {"empty_layer": True}, {"created_by": "COPY"}]
    )
    old = config("ab", history=[{"created_by": "os"}, {"created_by": "lang"}, {"empty_layer": True}])
    new = config("cd", history=[{"created_by": "os 2"}, {"created_by": "lang 2"}])

    document = json.loads(rebased_config(image, old, new, {}))

    assert [step["created_by"] for step in document["history"]] == ["os 2", "lang 2", "COPY"]


def test_a_history_that_would_not_tell_of_every_layer_is_left_out() -> None:
    image, old = config("abx"), config("ab")

    document = json.loads(rebased_config(image, old, config("c", history=[{"created_by": "os"}]), {}))

    assert "history" not in document


def test_builders_own_fields_are_left_out_and_the_base_dates_the_image() -> None:
    fields: dict[str, Any] = {"created": "2026-01-01T00:00:00Z", "moby.buildkit.buildinfo.v1": "eyJ", "author": "me"}
    image = config("abx", **fields)

    document = json.loads(rebased_config(image, config("ab"), config("c", created="2026-11-20T14:02:11Z"), {}))

    assert document["created"] == "2026-11-20T14:02:11Z"
    assert document["author"] == "me"
    assert "moby.buildkit.buildinfo.v1" not in document


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        pytest.param(OCI_MANIFEST, f"{DOCKER_LAYER}.gzip", f"{OCI_LAYER}+gzip", id="docker base under an OCI image"),
        pytest.param(DOCKER_MANIFEST, f"{OCI_LAYER}+gzip", f"{DOCKER_LAYER}.gzip", id="OCI base under a docker image"),
        pytest.param(DOCKER_MANIFEST, OCI_LAYER, DOCKER_LAYER, id="uncompressed"),
        pytest.param(OCI_MANIFEST, f"{OCI_LAYER}+zstd", f"{OCI_LAYER}+zstd", id="a format of one family only"),
    ],
)
def test_a_manifest_speaks_of_its_layers_in_one_family(kind: str, given: str, expected: str) -> None:
    layer = Descriptor(media_type=given, digest=Digest.of(b"layer"), size=3)
    told = Descriptor(media_type="application/vnd.oci.image.config.v1+json", digest=Digest.of(b"config"), size=2)

    manifest = parse_manifest(rebased_manifest(kind, told, [layer]))

    assert isinstance(manifest, Manifest)
    assert (manifest.media_type, manifest.config, manifest.layers[0].media_type) == (kind, told, expected)
    assert manifest.layers[0].digest == layer.digest


ENV = st.dictionaries(st.sampled_from("ABC"), st.text("01", max_size=2)).map(
    lambda env: [f"{k}={v}" for k, v in env.items()]
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ENV, ENV)
def test_a_base_with_the_same_environment_changes_none(own: list[str], base: list[str]) -> None:
    swapped = swap({"Env": own}, {"Env": base}, {"Env": base})

    assert sorted(swapped.get("Env", [])) == sorted(own)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ENV, ENV)
def test_a_function_that_set_nothing_gets_the_new_base_whole(old: list[str], new: list[str]) -> None:
    assert swap({"Env": old}, {"Env": old}, {"Env": new}).get("Env", []) == new
