"""The Docker builder: runs a Dockerfile on a Docker Engine and pushes the image (Docker Engine API 1.41 and later).

The `docker` command builds with BuildKit (see `docker_command`); the SDK looks, tags, pushes and cleans up.
The base is always pulled. A tag may have moved since the order was given, so the image's layers are compared with the
ordered base before it is pushed: what has the labels of an order must not stand on anything else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import DockerException, ImageNotFound, StreamParseError
from urllib3.exceptions import HTTPError

from bot.adapters.builder.docker_command import docker_environment, find_docker, run
from bot.adapters.builder.pushed import already_pushed
from bot.core.digest import Digest
from bot.core.errors import BuildError
from bot.core.image import Image
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder, Built
from bot.ports.registry import Registry

Login = tuple[str, str]
"""User name and password."""

_PATIENCE: Final = 300
"""Seconds of silence from the daemon; it says nothing while it compresses a layer."""
_FAULTS: Final = (DockerException, StreamParseError, HTTPError, OSError)
"""What the SDK lets through; errors of requests are OSErrors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerBuilder:
    """Builds on a Docker Engine; keeps the promise of the port `Builder`.

    `checkout` gives the files of a commit of a source repository, `credentials` the login for a registry host.
    `host` is the daemon's address, from DOCKER_HOST where it is None; `network` is what RUN instructions see.
    """

    checkout: Callable[[str, str], AbstractContextManager[Path]]
    credentials: Callable[[str], Login | None]
    registry: Registry
    host: str | None = None
    network: str | None = None

    def build(self, order: BuildOrder) -> Built:
        """Build, push and read back; an order that was done before is not done again.

        Raises `BuildError` with the end of the output; an error of the registry or the checkout passes through.
        """
        done = already_pushed(self.registry, order)
        if done:
            return Built(digest=done, log=f"{order.destination} is already there")
        base, logins = self.registry.image(order.base, order.platform), self._logins(order)
        with docker_environment(self.host, logins) as environment, closing(_connect(environment)) as engine:
            image, log = self._build(order, environment)
            _check_base(engine, image, order, base)
            digest = _publish(engine, image, order.destination, logins.get(order.destination.registry))
        manifest = self.registry.manifest(order.destination.with_tag(None).with_digest(digest))
        return Built(digest=manifest.digest, log=log)

    def _logins(self, order: BuildOrder) -> dict[str, Login]:
        hosts = (order.base.registry, order.destination.registry)
        return {host: login for host in hosts if (login := self.credentials(host)) is not None}

    def _build(self, order: BuildOrder, environment: Mapping[str, str]) -> tuple[str, str]:
        """Return the id of the image, and the end of the output."""
        command = find_docker(environment)
        result = Path(environment["DOCKER_CONFIG"], "image-id")
        with self.checkout(order.repository, order.commit) as folder:
            arguments = _arguments(order, folder, result, self.network)
            code, log = run((command, *arguments), environment)
        if code != 0:
            what = f"{order.dockerfile} of {order.repository} at {order.commit[:12]}"
            raise BuildError(f"{command} could not build {what}; the end of its output says why", log=log)
        return result.read_text().strip(), log


def _arguments(order: BuildOrder, folder: Path, result: Path, network: str | None) -> Iterator[str]:
    yield from ("build", "--pull", "--progress=plain", f"--platform={order.platform}", f"--iidfile={result}")
    yield f"--file={_inside(folder, order.dockerfile, order)}"
    if network:
        yield f"--network={network}"
    if order.target:
        yield f"--target={order.target}"
    yield from _pairs("--build-arg", order.build_args)
    yield from _pairs("--label", order.labels)
    yield str(_inside(folder, order.context, order))


def _pairs(option: str, values: Mapping[str, str]) -> Iterator[str]:
    return (f"{option}={name}={value}" for name, value in values.items())


def _inside(folder: Path, path: str, order: BuildOrder) -> Path:
    """Resolve a path of the checkout, refusing what a symbolic link or `..` would lead out of it."""
    root = folder.resolve()
    found = (root / path).resolve()
    if not found.is_relative_to(root):
        raise BuildError(f"{path} leaves the files of {order.repository}; name a path inside the source repository")
    if not found.exists():
        raise BuildError(f"{path} is not in {order.repository} at {order.commit[:12]}; correct the target's settings")
    return found


def _connect(environment: Mapping[str, str]) -> docker.DockerClient:
    """Connect to the daemon that the command will use too."""
    try:
        return docker.from_env(environment=dict(environment), timeout=_PATIENCE)
    except _FAULTS as fault:
        raise BuildError(
            f"no Docker Engine answers at {environment['DOCKER_HOST']}; start it, or correct the builder's host",
            retryable=True,
        ) from fault


def _check_base(engine: docker.DockerClient, image: str, order: BuildOrder, base: Image) -> None:
    try:
        layers = tuple(str(layer) for layer in engine.images.get(image).attrs["RootFS"]["Layers"])
    except _FAULTS as fault:
        raise BuildError(f"the Docker Engine lost the image that it built ({str(fault)[:300]}); see its log") from fault
    expected = tuple(str(diff_id) for diff_id in base.config.diff_ids)
    if layers[: len(expected)] != expected:
        raise BuildError(
            f"{order.dockerfile} of {order.repository} at {order.commit[:12]} does not build on {order.base}; "
            "build again if its tag moved meanwhile, else name it in the FROM of the last stage",
            retryable=True,
        )


def _publish(engine: docker.DockerClient, image: str, destination: Reference, login: Login | None) -> Digest:
    """Push an image; its name here is taken away again, and the image with it if nothing else needs it."""
    try:
        engine.images.get(image).tag(destination.name, destination.tag)
        try:
            return _push(engine, destination, login)
        finally:
            _remove(engine, str(destination))
    except _FAULTS as fault:
        raise BuildError(f"the Docker Engine could not push {destination}: {str(fault)[:300]}; see its log") from fault


def _remove(engine: docker.DockerClient, name: str) -> None:
    try:
        engine.images.remove(name)
    except ImageNotFound:
        return  # somebody else was tidy


def _push(engine: docker.DockerClient, destination: Reference, login: Login | None) -> Digest:
    """Push and return the digest that the registry stored.

    An empty login is given on purpose where there is none: the SDK would look for one in the user's own files.
    """
    authority = dict(zip(("username", "password"), login, strict=True)) if login else {}
    events = engine.api.push(destination.name, destination.tag, stream=True, auth_config=authority, decode=True)
    return _pushed_digest(events, destination)


def _pushed_digest(events: Iterable[dict[str, Any]], destination: Reference) -> Digest:
    """Read the events to their end, also after an error: only then the connection is free again."""
    digest = fault = None
    for event in events:
        fault = event.get("error") or fault
        if isinstance(event.get("aux"), dict):
            digest = event["aux"].get("Digest") or digest
    if fault:
        raise BuildError(
            f"{destination} was not pushed: {str(fault)[:300]}; check that the registry answers, "
            "the repository exists and the credentials may push"
        )
    if not digest:
        raise BuildError(f"{destination} was pushed, but the Docker Engine named no digest; update the Docker Engine")
    return Digest.parse(str(digest))
