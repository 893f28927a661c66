"""Made base images have the shape of Lambda's, and real tools take them for images."""

import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.contents import LayerReader
from bot.adapters.registry import HttpRegistry, LayoutRegistry
from bot.adapters.transport import Transport
from bot.core.change import PackageChange, Significance
from bot.core.digest import Digest
from bot.core.filesystem import FileSystem, stack
from bot.core.gate import check_image
from bot.core.image import Image, Index
from bot.core.layer import Kind, Language, Package
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.entrypoints.demo.images import BaseSpec, publish_base, publish_function
from bot.steps.judge import judge
from tests.lab.clock import WoundClock
from tests.lab.dockerd import docker_engine
from tests.lab.need import need
from tests.lab.registry import docker_registry
from tests.lab.rpm import query

AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
NAME = Reference.parse("public.ecr.aws/lambda/python")
FUNCTION = Reference.parse("registry.example/orders:v1")
OPENSSL = "1:3.0.8-1.amzn2023.0.24"


def packages(openssl: str = OPENSSL) -> dict[Platform, tuple[Package, ...]]:
    return {
        platform: (Package("glibc", arch, "2.34-196.amzn2023.0.1"), Package("openssl-libs", arch, openssl))
        for platform, arch in ((AMD64, "x86_64"), (ARM64, "aarch64"))
    }


SPEC = BaseSpec(
    name="python",
    tag="3.13",
    platforms=(AMD64, ARM64),
    packages=packages(),
    language=Language("python", "3.13.9"),
    created=datetime(2026, 11, 20, 14, 2, tzinfo=UTC),
)


@pytest.fixture
def registry(tmp_path: Path) -> LayoutRegistry:
    return LayoutRegistry(tmp_path / "layouts")


def files(registry: LayoutRegistry, reference: Reference, image: Image) -> FileSystem:
    """Lay the layers of an image on top of each other, as read back."""
    reader = LayerReader(registry)
    return stack([reader.layer(reference, layer) for layer in image.manifest.layers])


def put_function(registry: LayoutRegistry, base: Digest, platform: Platform = AMD64) -> Image:
    """Publish a function on a base and read it back."""
    app = {"var/task/app.py": b"def handler(event, context): ...\n"}
    labels = {"org.opencontainers.image.revision": "c0ffee"}
    publish_function(registry, registry, NAME.with_digest(base), platform, app, FUNCTION, labels)
    return registry.image(FUNCTION)


def test_the_index_stands_under_the_moving_and_the_dated_tag_with_every_platform(registry: LayoutRegistry) -> None:
    digest = publish_base(registry, NAME, SPEC)

    moving, dated = (registry.manifest(NAME.with_tag(tag)) for tag in ("3.13", "3.13.2026.11.20.14"))
    assert isinstance(moving, Index)
    assert moving.digest == dated.digest == digest
    assert set(moving.images) == {AMD64, ARM64}


def test_a_base_is_configured_as_lambda_configures_it(registry: LayoutRegistry) -> None:
    digest = publish_base(registry, NAME, SPEC)

    config = registry.image(NAME.with_digest(digest), ARM64).config

    assert [line.partition("=")[0] for line in config.env] == [
        "LANG", "TZ", "PATH", "LD_LIBRARY_PATH", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    ]  # fmt: skip
    assert (config.entrypoint, config.cmd, config.working_dir) == (("/lambda-entrypoint.sh",), (), "/var/task")
    assert (config.created, config.platform, len(config.diff_ids)) == (SPEC.created, ARM64, 6)
    layers = [step for step in config.document["history"] if not step.get("empty_layer")]
    assert len(layers) == 6


@pytest.mark.parametrize("platform", [AMD64, ARM64], ids=str)
def test_what_the_specification_says_is_read_back(registry: LayoutRegistry, platform: Platform) -> None:
    digest = publish_base(registry, NAME, SPEC)
    reference = NAME.with_digest(digest)

    found = files(registry, reference, registry.image(reference, platform))

    assert (found.packages, found.language, found.unread) == (packages()[platform], SPEC.language, ())
    assert found.entries["lambda-entrypoint.sh"].mode == 0o755
    assert found.entries["var/task"].kind is Kind.DIRECTORY
    assert found.entries["var/lang/bin/python3"].content == "python3.13"


@pytest.mark.parametrize(
    "language",
    [
        Language("node", "22.21.1"),
        Language("java", "21.0.9"),
        Language("ruby", "3.4.5"),
        Language("dotnet", "8.0.10"),
    ],
    ids=lambda language: language.name,
)
def test_every_language_is_told_by_its_own_files(registry: LayoutRegistry, language: Language) -> None:
    digest = publish_base(registry, NAME, replace(SPEC, language=language))
    reference = NAME.with_digest(digest)

    assert files(registry, reference, registry.image(reference, AMD64)).language == language


def test_an_unknown_language_is_refused(registry: LayoutRegistry) -> None:
    with pytest.raises(ValueError, match="'cobol' has no base image"):
        publish_base(registry, NAME, replace(SPEC, language=Language("cobol", "85")))


def test_a_base_without_language_has_four_layers_and_no_runtime(registry: LayoutRegistry) -> None:
    digest = publish_base(registry, NAME, replace(SPEC, language=None))
    image = registry.image(NAME.with_digest(digest), AMD64)

    found = files(registry, NAME.with_digest(digest), image)

    assert len(image.manifest.layers) == 4
    assert found.language is None
    assert "var/runtime/bootstrap" not in found.entries


def test_the_same_specification_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (publish_base(LayoutRegistry(tmp_path / name), NAME, SPEC) for name in ("one", "other"))

    assert one == other


def test_languages_share_the_layer_of_the_operating_system(registry: LayoutRegistry) -> None:
    digests = [publish_base(registry, NAME, replace(SPEC, language=each)) for each in (SPEC.language, None)]

    images = [registry.image(NAME.with_digest(digest), AMD64) for digest in digests]

    assert images[0].layer_digests[0] == images[1].layer_digests[0]
    assert images[0].layer_digests[2:] != images[1].layer_digests[2:]


@pytest.mark.parametrize(
    ("after", "significance"),
    [
        pytest.param(replace(SPEC, created=datetime(2026, 11, 21, tzinfo=UTC)), Significance.NONE, id="times"),
        pytest.param(replace(SPEC, extra={"opt/a": b"a"}), Significance.FILES, id="a file"),
        pytest.param(replace(SPEC, packages=packages("1:3.0.8-2")), Significance.PACKAGES, id="a package"),
        pytest.param(replace(SPEC, language=Language("python", "3.13.11")), Significance.LANGUAGE, id="the language"),
    ],
)
def test_a_move_is_as_significant_as_what_was_moved(
    registry: LayoutRegistry, after: BaseSpec, significance: Significance
) -> None:
    old, new = (NAME.with_digest(publish_base(registry, NAME, spec)) for spec in (SPEC, after))

    change = judge(old, new, registry, LayerReader(registry))

    assert old != new
    assert change.significance is significance


def test_a_moved_package_is_named_on_each_platform(registry: LayoutRegistry) -> None:
    moved = replace(SPEC, packages=packages("1:3.0.8-2"))
    old, new = (NAME.with_digest(publish_base(registry, NAME, spec)) for spec in (SPEC, moved))

    change = judge(old, new, registry, LayerReader(registry))

    assert [each.packages for each in change.platforms] == [
        (PackageChange(name="openssl-libs", arch=arch, old=OPENSSL, new="1:3.0.8-2"),) for arch in ("x86_64", "aarch64")
    ]


def test_a_function_is_the_base_and_one_layer(registry: LayoutRegistry) -> None:
    base = publish_base(registry, NAME, SPEC)
    below = registry.image(NAME.with_digest(base), ARM64)

    image = put_function(registry, base, ARM64)

    assert image.layer_digests[:-1] == below.layer_digests
    assert image.config.diff_ids[:-1] == below.config.diff_ids
    assert (image.config.cmd, image.config.entrypoint) == (("app.handler",), below.config.entrypoint)
    assert image.config.labels == {"org.opencontainers.image.revision": "c0ffee"}
    assert files(registry, FUNCTION, image).entries["var/task/app.py"].kind is Kind.FILE


def test_lambda_would_take_the_function(registry: LayoutRegistry) -> None:
    image = put_function(registry, publish_base(registry, NAME, SPEC))

    assert check_image(image.manifest, image.config, AMD64) == ()


def test_rpm_reads_the_package_database_of_the_lowest_layer(registry: LayoutRegistry, tmp_path: Path) -> None:
    digest = publish_base(registry, NAME, SPEC)
    image = registry.image(NAME.with_digest(digest), ARM64)
    root = tmp_path / "root"
    root.mkdir()

    with registry.blob(NAME, image.manifest.layers[0]) as blob:
        subprocess.run([need("tar", "apt-get install tar"), "-xzC", str(root)], input=blob.read(), check=True)

    assert query(root) == packages()[ARM64]


def test_skopeo_copies_a_base_with_all_platforms(registry: LayoutRegistry, tmp_path: Path) -> None:
    digest = publish_base(registry, NAME, SPEC)
    source, copy = f"oci:{tmp_path}/layouts/lambda/python:3.13", f"oci:{tmp_path}/copy:3.13"

    skopeo = need("skopeo", "apt-get install skopeo")
    subprocess.run([skopeo, "--insecure-policy", "copy", "--all", source, copy], check=True, capture_output=True)

    assert str(digest) in (tmp_path / "copy" / "index.json").read_text()


def test_an_engine_starts_a_function_of_a_base_with_a_shell(tmp_path_factory: pytest.TempPathFactory) -> None:
    shell = Path(need("busybox", "apt-get install busybox-static")).read_bytes()
    spec = replace(SPEC, platforms=(AMD64,), extra={"bin/busybox": shell, "bin/sh": "busybox"})
    with (
        closing(Transport(WoundClock())) as transport,
        docker_registry(tmp_path_factory.mktemp("registry")) as running,
        docker_engine(tmp_path_factory.mktemp("engine")) as engine,
        closing(engine.client()) as client,
    ):
        registry = HttpRegistry(transport)
        base = Reference.parse(f"{running.host}/lambda/python")
        digest = publish_base(registry, base, spec)
        target = Reference.parse(f"{running.host}/orders:v1")
        publish_function(registry, registry, base.with_digest(digest), AMD64, {"var/task/app.py": b""}, target, {})

        output = client.containers.run(str(target), remove=True, network_mode="none")

    assert output == b"python starts app.handler\n"
