"""Builds on a real Docker Engine, pushed to a real registry and read back from it."""

import gc
import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.builder.docker_engine import DockerBuilder, Login
from bot.core.errors import BuildError, RegistryError
from bot.core.gate import check_image
from bot.core.image import BASE_DIGEST_LABEL, REVISION_LABEL, Image, ImageConfig
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder
from tests.adapters.builder.conftest import Lab
from tests.lab.images import AMD64
from tests.lab.registry import LOGIN, immutable_tags

COMMIT = "c0ffee" + "0" * 34
SIMPLE = 'FROM {base}\nCOPY app.py /var/task/\nCMD ["app.handler"]\n'


class Checkouts:
    """Source repositories of one commit each, and how often one was taken."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder / "checkout"
        self.taken = 0
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    @contextmanager
    def take(self, repository: str, commit: str) -> Iterator[Path]:
        assert (repository, commit[:6]) == ("acme/orders", "c0ffee")
        self.taken += 1
        yield self.folder


def an_order(lab: Lab, name: str, **changes: object) -> BuildOrder:
    order = BuildOrder(
        repository="acme/orders",
        commit=COMMIT,
        dockerfile="Dockerfile",
        context=".",
        platform=AMD64,
        base=lab.base,
        destination=Reference.parse(f"{lab.host}/functions/{name}:refrom-1"),
        labels={BASE_DIGEST_LABEL: "sha256:" + "1" * 64, REVISION_LABEL: COMMIT},
    )
    return replace(order, **changes)  # type: ignore[arg-type]  # each test names fields of BuildOrder


def a_builder(lab: Lab, checkouts: Checkouts, login: Login | None = None) -> DockerBuilder:
    return DockerBuilder(
        checkout=checkouts.take,
        credentials=lambda host: login if host == lab.host else None,
        registry=lab.registry,
        host=lab.engine.host,
        network="host",
    )


def read(lab: Lab, order: BuildOrder) -> Image:
    return lab.registry.image(order.destination, order.platform)


def variables(config: ImageConfig) -> dict[str, str]:
    return dict(line.split("=", 1) for line in config.env)


def test_builds_pushes_and_reads_back(lab: Lab, tmp_path: Path) -> None:
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=lab.base), "app.py": "def handler(): ..."})
    order = an_order(lab, "simple")

    built = a_builder(lab, checkouts).build(order)

    image = read(lab, order)
    assert image.digest == built.digest
    assert order.labels.items() <= image.config.labels.items()
    assert image.layer_digests[:-1] == lab.registry.image(order.base, AMD64).layer_digests
    assert check_image(image.manifest, image.config, AMD64) == ()
    assert "COPY app.py" in built.log
    assert str(order.destination) not in lab.engine.images()


def test_a_secret_reaches_the_build_and_stands_nowhere_in_the_image(lab: Lab, tmp_path: Path) -> None:
    """Not in a layer, not in the history, not in the output, not on a command line."""
    dockerfile = f"""\
FROM {lab.base}
RUN --mount=type=secret,id=npm-token wc -c < /run/secrets/npm-token > /length
CMD ["app.handler"]
"""
    order = an_order(lab, "secret")
    builder = replace(
        a_builder(lab, Checkouts(tmp_path, {"Dockerfile": dockerfile})), secrets={"npm-token": "s3cret-9"}
    )

    built = builder.build(order)

    image = read(lab, order)
    with lab.registry.blob(order.destination, image.manifest.layers[-1]) as stream:
        unpacked = io.BytesIO(gzip.decompress(stream.read()))
    with tarfile.open(fileobj=unpacked) as files:
        assert [m.name for m in files.getmembers() if "secrets/" in m.name] == []
        length = files.extractfile("length")
        assert length is not None
        assert length.read().strip() == b"8"
    assert "s3cret-9" not in f"{built.log}{image.config.document}{builder!r}"


def test_arguments_stage_context_and_network_reach_the_build(lab: Lab, tmp_path: Path) -> None:
    dockerfile = f"""\
FROM {lab.base} AS wanted
ARG VERSION
ENV VERSION=$VERSION
COPY app.py /
RUN echo "$VERSION" > /version
CMD ["app.handler"]
FROM wanted AS other
ENV VERSION=other
"""
    checkouts = Checkouts(tmp_path, {"fn/docker/Dockerfile": dockerfile, "fn/src/app.py": ""})
    order = an_order(
        lab,
        "rich",
        dockerfile="fn/docker/Dockerfile",
        context="fn/src",
        target="wanted",
        build_args={"VERSION": "1=2 $HOME --x"},
    )

    a_builder(lab, checkouts).build(order)

    assert variables(read(lab, order).config)["VERSION"] == "1=2 $HOME --x"


def test_the_base_is_pulled_even_if_the_engine_has_an_older_one(lab: Lab, tmp_path: Path) -> None:
    base = Reference.parse(f"{lab.host}/lambda/moving:3.13")
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=base), "app.py": ""})
    lab.engine.push_base(str(base), tmp_path, changes=("ENV BASE=old",))
    lab.engine.pull(str(base))
    lab.engine.push_base(str(base.with_tag("next")), tmp_path, changes=("ENV BASE=new",))
    moved = lab.registry.manifest(base.with_tag("next"))
    lab.registry.put_manifest(base, moved.media_type, moved.raw)
    order = an_order(lab, "moving", base=base)

    a_builder(lab, checkouts).build(order)

    assert variables(read(lab, order).config)["BASE"] == "new"


def test_an_image_on_another_base_than_ordered_is_not_pushed(lab: Lab, tmp_path: Path) -> None:
    """Its labels would say the ordered base, and a later try would take it for done."""
    other = Reference.parse(f"{lab.host}/lambda/python:other")
    lab.engine.push_base(str(other), tmp_path, files={"etc/release": b"other"})
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=other), "app.py": ""})
    order = an_order(lab, "elsewhere")

    with pytest.raises(BuildError, match=f"does not build on {lab.base}; build again if its tag moved") as fault:
        a_builder(lab, checkouts).build(order)

    assert fault.value.retryable
    with pytest.raises(RegistryError, match="elsewhere"):
        read(lab, order)


def test_an_order_that_was_done_before_is_recognised_by_its_labels(lab: Lab, tmp_path: Path) -> None:
    """A crash between the push and the update of the function repeats nothing."""
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=lab.base), "app.py": ""})
    order, builder = an_order(lab, "again"), a_builder(lab, checkouts)
    first = builder.build(order)

    second = builder.build(order)

    assert second.digest == first.digest
    assert checkouts.taken == 1


@pytest.mark.parametrize("label", [BASE_DIGEST_LABEL, REVISION_LABEL])
def test_an_image_of_another_order_under_the_tag_is_built_anew(lab: Lab, tmp_path: Path, label: str) -> None:
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=lab.base), "app.py": ""})
    order, builder = an_order(lab, "other"), a_builder(lab, checkouts)
    builder.build(order)

    builder.build(replace(order, labels={**order.labels, label: "another"}))

    assert checkouts.taken == 2
    assert read(lab, order).config.labels[label] == "another"


def test_a_failed_build_names_the_command_and_shows_the_end_of_its_output(lab: Lab, tmp_path: Path) -> None:
    checkouts = Checkouts(tmp_path, {"Dockerfile": f"FROM {lab.base}\nRUN echo a clue && exit 7\n"})

    with pytest.raises(BuildError, match="docker could not build Dockerfile of acme/orders at c0ffee") as fault:
        a_builder(lab, checkouts).build(an_order(lab, "failing"))

    assert "a clue" in fault.value.log
    assert "exit code: 7" in fault.value.log
    assert len(fault.value.log) <= 64 * 1024


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"dockerfile": "../outside"}, "leaves the files of acme/orders", id="dots"),
        pytest.param({"dockerfile": "/etc/passwd"}, "leaves the files of acme/orders", id="absolute"),
        pytest.param({"dockerfile": "link"}, "leaves the files of acme/orders", id="symlinked Dockerfile"),
        pytest.param({"context": "folder"}, "leaves the files of acme/orders", id="symlinked context"),
        pytest.param({"dockerfile": "absent"}, "absent is no file in acme/orders at c0ffee", id="absent"),
        pytest.param({"dockerfile": "."}, "is no file in acme/orders", id="a folder as Dockerfile"),
        pytest.param({"context": "Dockerfile"}, "Dockerfile is no folder in acme/orders", id="a file as context"),
        pytest.param(
            {"dockerfile": "loop"},
            "loop'? (of acme/orders cannot be followed|is no file in acme/orders)",
            id="a loop of links",
        ),
    ],
)
def test_dockerfile_and_context_stay_inside_the_checkout(
    lab: Lab, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    checkouts = Checkouts(tmp_path, {"Dockerfile": f"FROM {lab.base}\n"})
    (tmp_path / "outside").write_text(f"FROM {lab.base}\n")
    (checkouts.folder / "loop").symlink_to("loop")
    (checkouts.folder / "link").symlink_to("../outside")
    (checkouts.folder / "folder").symlink_to(tmp_path)

    with pytest.raises(BuildError, match=said):
        a_builder(lab, checkouts).build(an_order(lab, "escaping", **changes))


def test_a_registry_with_a_login_is_pulled_from_and_pushed_to(closed_lab: Lab, tmp_path: Path) -> None:
    lab = closed_lab
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=lab.base), "app.py": ""})
    order = an_order(lab, "closed")

    built = a_builder(lab, checkouts, LOGIN).build(order)

    assert read(lab, order).digest == built.digest
    assert LOGIN[1] not in built.log


def test_each_registry_that_the_dockerfile_names_gets_its_own_login(lab: Lab, closed_lab: Lab, tmp_path: Path) -> None:
    dockerfile = (
        f"FROM {closed_lab.base} AS tools\n{SIMPLE.format(base=lab.base)}COPY --from=tools /bin/busybox /tool\n"
    )
    checkouts = Checkouts(tmp_path, {"Dockerfile": dockerfile, "app.py": ""})
    builder = replace(a_builder(lab, checkouts), credentials={closed_lab.host: LOGIN}.get)

    built = builder.build(an_order(lab, "mixed"))

    assert "COPY --from=tools" in built.log


@pytest.mark.parametrize("login", [("lab", "wrong-s3cret"), None], ids=["wrong", "none"])
def test_a_refused_login_is_named_without_its_password(
    lab: Lab, closed_lab: Lab, tmp_path: Path, login: Login | None
) -> None:
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=lab.base), "app.py": ""})
    order = an_order(closed_lab, "refused", base=lab.base)

    with pytest.raises(BuildError, match=f"{order.destination} was not pushed: .*credentials may push") as fault:
        a_builder(closed_lab, checkouts, login).build(order)

    assert "wrong-s3cret" not in f"{fault.value!r} {fault.value.log}"
    assert str(order.destination) not in closed_lab.engine.images()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's own socket, which it could not connect
def test_an_engine_that_does_not_answer_is_named_with_the_cure(lab: Lab, tmp_path: Path) -> None:
    checkouts = Checkouts(tmp_path, {})
    builder = replace(a_builder(lab, checkouts), host=f"unix://{tmp_path}/none.sock")

    with pytest.raises(
        BuildError, match=rf"no Docker Engine answers at unix://{tmp_path}/none.sock; start it"
    ) as fault:
        builder.build(an_order(lab, "unreachable"))

    assert fault.value.retryable
    assert checkouts.taken == 0
    del fault
    gc.collect()


def test_an_immutable_tag_that_names_another_image_is_explained(lab: Lab, tmp_path: Path) -> None:
    checkouts = Checkouts(tmp_path, {"Dockerfile": SIMPLE.format(base=lab.base), "app.py": ""})
    with immutable_tags(lab.running) as web:
        order = an_order(lab, "immutable", destination=Reference.parse(f"{web.host}/functions/immutable:refrom-1"))
        a_builder(lab, checkouts).build(order)
        there = lab.registry.manifest(order.destination).digest

        with pytest.raises(BuildError, match=rf"refrom-1 names {there} already .* give deploy.tag another form"):
            a_builder(lab, checkouts).build(replace(order, labels={**order.labels, REVISION_LABEL: "1" * 40}))

        assert lab.registry.manifest(order.destination).digest == there
        assert str(order.destination) not in lab.engine.images()
