"""Unsafe constructions as a real engine builds them: what a Dockerfile's RUN leaves behind is refused by path."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.forge.nothing import NoForge
from bot.core.digest import Digest
from bot.core.dockerfile import same_but_for_bases
from bot.core.errors import RebaseRefused
from bot.core.image import REVISION_LABEL
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder
from tests.adapters.builder.conftest import Lab
from tests.adapters.builder.test_docker_engine import COMMIT, Checkouts, a_builder, an_order
from tests.conftest import Figure

BASE = {
    "etc/motd": b"welcome",
    "usr/lib/libz.so": b"z",
    "srv/app/x": b"",
    "var/lang/include/python3.13/patchlevel.h": b'#define PY_VERSION              "3.13.9"\n',
}
OLD, NEW = {**BASE, "usr/lib/libssl.so.3": b"3.0.8"}, {**BASE, "usr/lib/libssl.so.3": b"3.0.9"}
UNSAFE = {
    "RUN rm /etc/motd": "/etc/motd of the base is deleted",
    "RUN rm -r /srv": "/srv of the base is deleted",
    "RUN rm -r /srv/app && mkdir /srv/app": "/srv/app of the base is hidden",
    "RUN rm -r /srv/app && ln -s /opt /srv/app": "/srv/app replaces a directory of the base",
    "RUN rm -r /srv/app && touch /srv/app": "/srv/app replaces a directory of the base",
    "RUN echo mine >> /usr/lib/libssl.so.3": "/usr/lib/libssl.so.3 is in the function's layers and differs",
    "RUN chmod 700 /usr/lib/libssl.so.3": "/usr/lib/libssl.so.3 is in the function's layers and differs",
    "RUN mkdir /opt && ln /usr/lib/libssl.so.3 /opt/ssl": "/usr/lib/libssl.so.3 is in the function's layers",
    "RUN mkdir -p /var/lib/rpm && touch /var/lib/rpm/rpmdb.sqlite": "/var/lib/rpm/rpmdb.sqlite is a package database",
    "RUN touch /etc/ld.so.cache": "/etc/ld.so.cache lists the libraries of the base",
    "RUN rm /etc/motd && mknod /etc/motd c 1 3": "/etc/motd is a device or a pipe over a path of the base",
    "COPY app.py /usr/lib/libssl.so.3": "/usr/lib/libssl.so.3 is in the function's layers and differs",
}
SAFE = ("COPY app.py /var/task/", "RUN mkdir -p /opt/x && echo 1 > /opt/x/y", "RUN echo more > /usr/lib/mine.so")


@pytest.fixture(scope="module")
def bases(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Reference, Reference]:
    """The old and the new base, by digest."""
    found = []
    for tag, files in (("old", OLD), ("new", NEW)):
        name = Reference(lab.host, "lambda/unsafe", tag)
        lab.engine.push_base(str(name), tmp_path_factory.mktemp(tag), files=files)
        found.append(name.with_digest(lab.registry.manifest(name).digest))
    return found[0], found[1]


def deployed(lab: Lab, folder: Path, base: Reference, instruction: str) -> BuildOrder:
    """Build an image with one instruction on the old base; return the order that moves it to another one."""
    dockerfile = f'FROM {base}\n{instruction}\nCMD ["app.handler"]\n'
    checkouts = Checkouts(folder, {"Dockerfile": dockerfile, "app.py": ""})
    name = f"unsafe-{Digest.of(instruction.encode()).short}"
    order = an_order(lab, name, base=base, labels={REVISION_LABEL: COMMIT})
    built = a_builder(lab, checkouts).build(order)
    image = order.destination.with_tag(None).with_digest(built.digest)
    return replace(order, deployed=image, deployed_base=base, destination=order.destination.with_tag("refrom-2"))


def rebase(lab: Lab, order: BuildOrder) -> None:
    RebaseBuilder(
        registry=lab.registry,
        writer=lab.registry,
        contents=LayerReader(lab.registry),
        sources=NoForge(),
        same_but_for_bases=same_but_for_bases,
    ).build(order)


@pytest.mark.parametrize(("instruction", "said"), UNSAFE.items(), ids=UNSAFE)
def test_what_an_engine_built_unsafely_is_refused_by_path(
    lab: Lab, bases: tuple[Reference, Reference], tmp_path: Path, figure: Figure, instruction: str, said: str
) -> None:
    order = deployed(lab, tmp_path, bases[0], instruction)

    with pytest.raises(RebaseRefused) as refused:
        rebase(lab, replace(order, base=bases[1]))

    told = said if said in refused.value.reason else refused.value.reason
    figure(f"unsafe to rebase as an engine builds it, refused with its path: {instruction}", told, said)


@pytest.mark.parametrize("instruction", SAFE)
def test_what_an_engine_built_beside_the_base_is_rebased(
    lab: Lab, bases: tuple[Reference, Reference], tmp_path: Path, instruction: str
) -> None:
    order = replace(deployed(lab, tmp_path, bases[0], instruction), base=bases[1])

    rebase(lab, order)

    image = lab.registry.image(order.destination)
    assert image.layer_digests[:-1] == lab.registry.image(bases[1]).layer_digests
