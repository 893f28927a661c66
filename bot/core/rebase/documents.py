"""The image config and manifest of a rebased image (OCI image-spec, config.md and manifest.md).

The config is merged three-way: what the function set stays, what it took from the old base becomes the new base's.
Deterministic: the same images give the same bytes, so that a rebase done twice is one image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from bot.core.errors import RebaseRefused
from bot.core.image import DOCKER_MANIFEST, OCI_MANIFEST, Descriptor, ImageConfig, to_json

_T = TypeVar("_T")
_KEPT: Final = ("author", "architecture", "variant", "os", "os.version", "os.features")
"""Top-level fields that say the same after a swap; builders' own fields would not."""
_SETTINGS: Final = (
    "User",
    "ExposedPorts",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "StopSignal",
    "Healthcheck",
    "Shell",
)
_OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
_LAYER_TYPES: Final = {
    OCI_MANIFEST: {_DOCKER_LAYER: _OCI_LAYER, f"{_DOCKER_LAYER}.gzip": f"{_OCI_LAYER}+gzip"},
    DOCKER_MANIFEST: {_OCI_LAYER: _DOCKER_LAYER, f"{_OCI_LAYER}+gzip": f"{_DOCKER_LAYER}.gzip"},
}


def rebased_config(image: ImageConfig, old: ImageConfig, new: ImageConfig, labels: Mapping[str, str]) -> bytes:
    """Write the config of `image` for its own layers on `new` instead of `old`, with further labels.

    Raises `RebaseRefused` where function and base both changed a setting: its value may derive from the base's.
    """
    document = {key: image.document[key] for key in _KEPT if key in image.document}
    created = new.document.get("created") or image.document.get("created")
    if created:
        document["created"] = created
    document["config"] = _merge_container(image, old, new, labels)
    diff_ids = (*new.diff_ids, *image.diff_ids[len(old.diff_ids) :])
    document["rootfs"] = {"type": "layers", "diff_ids": [str(each) for each in diff_ids]}
    history = [*_history(new), *_history(image)[len(_history(old)) :]]
    # The history is optional, but where there is one it has to tell of every layer.
    if sum(1 for step in history if not step.get("empty_layer")) == len(diff_ids):
        document["history"] = history
    return to_json(document)


def rebased_manifest(media_type: str, config: Descriptor, layers: Sequence[Descriptor]) -> bytes:
    """Write a manifest of one media type; layers get that family's name for their format, their bytes are the same."""
    names = _LAYER_TYPES[media_type]
    renamed = [replace(layer, media_type=names.get(layer.media_type, layer.media_type)) for layer in layers]
    return to_json(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": _pointer(config),
            "layers": [_pointer(layer) for layer in renamed],
        }
    )


def _merge_container(
    image: ImageConfig, old: ImageConfig, new: ImageConfig, labels: Mapping[str, str]
) -> dict[str, Any]:
    own, before, after = (config.document.get("config") or {} for config in (image, old, new))
    settings = {
        key: _merge(key, own.get(key) or None, before.get(key) or None, after.get(key) or None) for key in _SETTINGS
    }
    if _sets_entrypoint(own, before) and own.get("Cmd") == before.get("Cmd"):
        settings["Cmd"] = own.get("Cmd")  # ENTRYPOINT in a Dockerfile drops the CMD of whatever base
    settings["OnBuild"] = _triggers(own, before, after)
    settings["Env"] = [f"{name}={value}" for name, value in _merge_env(image, old, new).items()]
    settings["Labels"] = {**_merge_labels(image, old, new), **labels}
    return {key: value for key, value in settings.items() if value}


def _sets_entrypoint(own: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return (own.get("Entrypoint") or None) != (before.get("Entrypoint") or None)


def _triggers(own: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> object:
    """Triggers of a base are run by a build and not handed on, so those that change need a build."""
    if (before.get("OnBuild") or None) != (after.get("OnBuild") or None):
        raise RebaseRefused("the base changed its ONBUILD triggers, which only a build runs")
    return own.get("OnBuild")


def _merge_env(image: ImageConfig, old: ImageConfig, new: ImageConfig) -> dict[str, str]:
    own, before, after = (dict(_pair(line) for line in config.env) for config in (image, old, new))
    merged = {
        name: _merge(f"ENV {name}", own.get(name), before.get(name), after.get(name)) for name in {**after, **own}
    }
    return {name: value for name, value in merged.items() if value is not None}


def _merge_labels(image: ImageConfig, old: ImageConfig, new: ImageConfig) -> dict[str, str]:
    """A label is data that derives from nothing, so the function's wins."""
    own = {name: value for name, value in image.labels.items() if old.labels.get(name) != value}
    return {**new.labels, **own}


def _merge(what: str, own: _T | None, old: _T | None, new: _T | None) -> _T | None:
    """Choose between three values of one setting; None where it is not set."""
    if own == old:
        return new
    if new in (old, own):
        return own
    raise RebaseRefused(f"the function and the base both changed {what} of the image")


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _history(config: ImageConfig) -> list[dict[str, Any]]:
    steps = config.document.get("history")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _pointer(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}
