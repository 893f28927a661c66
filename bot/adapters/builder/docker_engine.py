"""The Docker builder: runs a Dockerfile on a Docker Engine and pushes the image (Docker Engine API 1.41 and later).

The `docker` command builds with BuildKit (see `docker_command`); the SDK looks, tags, pushes and cleans up.
The base is always pulled. A tag may have moved since the order was given, so the image's layers are compared with the
ordered base before it is pushed: what has the labels of an order must not stand on anything else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import DockerException, ImageNotFound, StreamParseError
from urllib3.exceptions import HTTPError

from bot.adapters.builder.docker_command import docker_environment, find_docker, log_in, run
from bot.adapters.builder.pushed import already_pushed, barred
from bot.core.digest import Digest
from bot.core.dockerfile import read_uses
from bot.core.errors import BuildError
from bot.core.image import Image
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder, Built
from bot.ports.registry import Registry

Login = tuple[str, str]
"""User name and password."""

_PATIENCE: Final = 300
"""Seconds of silence from the daemon; it says nothing while it compresses a layer."""
_LARGEST_DOCKERFILE: Final = 1 << 20
"""Bytes that are searched for registries."""
_FAULTS: Final = (DockerException, StreamParseError, HTTPError, OSError)
"""What the SDK lets through; errors of requests are OSErrors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerBuilder:
    """Builds on a Docker Engine; keeps the promise of the port `Builder`.

    `checkout` gives the files of a commit of a source repository, `credentials` the login for a registry host.
    `host` is the daemon's address, from DOCKER_HOST where it is None; `network` is what RUN instructions see.
    `secrets` are what RUN --mount=type=secret mounts, by id; they stand in no layer and on no command line.
    """

    checkout: Callable[[str, str], AbstractContextManager[Path]]
    credentials: Callable[[str], Login | None]
    registry: Registry
    host: str | None = None
    network: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def build(self, order: BuildOrder) -> Built:
        """Build, push and read back; an order that was done before is not done again.

        Raises `BuildError` with the end of the output; an error of the registry or the checkout passes through.
        """
        done = already_pushed(self.registry, order)
        if done:
            return Built(digest=done, log=f"{order.destination} is already there")
        base = self.registry.image(order.base, order.platform)
        with docker_environment(self.host) as environment, closing(connect(environment)) as engine:
            image, log = self._build(order, environment)
            _check_base(engine, image, order, base)
            digest = self._publish(engine, image, order.destination)
        manifest = self.registry.manifest(order.destination.with_tag(None).with_digest(digest))
        return Built(digest=manifest.digest, log=log)

    def _build(self, order: BuildOrder, environment: Mapping[str, str]) -> tuple[str, str]:
        """Return the id of the image, and the end of the output."""
        result = Path(environment["DOCKER_CONFIG"], "image-id")
        with self.checkout(order.repository, order.commit) as folder:
            dockerfile = _inside(folder, order.dockerfile, "file", order)
            context = _inside(folder, order.context, "folder", order)
            log_in(environment, self._logins(order, dockerfile))
            command = find_docker(environment)
            secrets = _written(self.secrets, result.parent)
            options = (*_options(order, dockerfile, result, self.network), *secrets)
            code, log = run((command, "build", *options, str(context)), environment)
        if code != 0:
            what = f"{order.dockerfile} of {order.repository} at {order.commit[:12]}"
            raise BuildError(f"{command} could not build {what}; the end of its output says why", log=log)
        return result.read_text().strip(), log

    def _publish(self, engine: docker.DockerClient, image: str, destination: Reference) -> Digest:
        try:
            return _publish(engine, image, destination, self.credentials(destination.registry))
        except BuildError as fault:
            raise barred(self.registry, destination, fault) from fault

    def _logins(self, order: BuildOrder, dockerfile: Path) -> dict[str, Login]:
        """Look up a login for each registry that the build pulls from; those of the settings alone have one."""
        with dockerfile.open("rb") as file:
            text = file.read(_LARGEST_DOCKERFILE).decode(errors="replace")
        uses = read_uses(text, build_args=order.build_args, target=order.target).uses
        hosts = {order.base.registry, *(use.reference.registry for use in uses if use.reference)}
        return {host: login for host in sorted(hosts) if (login := self.credentials(host)) is not None}


def _options(order: BuildOrder, dockerfile: Path, result: Path, network: str | None) -> Iterator[str]:
    yield from ("--pull", "--progress=plain", f"--platform={order.platform}")
    yield from (f"--iidfile={result}", f"--file={dockerfile}")
    if network:
        yield f"--network={network}"
    if order.target:
        yield f"--target={order.target}"
    yield from _pairs("--build-arg", order.build_args)
    yield from _pairs("--label", order.labels)


def _written(secrets: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Put secrets into files of a folder that only we can read, and name these."""
    for number, (name, secret) in enumerate(secrets.items()):
        file = folder / f"secret{number}"
        file.touch(mode=0o600)
        file.write_text(secret, encoding="utf-8")
        yield f"--secret=id={name},src={file}"


def _pairs(option: str, values: Mapping[str, str]) -> Iterator[str]:
    return (f"{option}={name}={value}" for name, value in values.items())


def _inside(folder: Path, path: str, what: str, order: BuildOrder) -> Path:
    """Resolve a file or folder of the checkout, refusing what a symbolic link or `..` would lead out of it."""
    root = folder.resolve()
    try:
        found = (root / path).resolve()
    except (OSError, RuntimeError, ValueError) as fault:  # a loop of links, a name that no file can have
        raise BuildError(f"{path!r} of {order.repository} cannot be followed ({fault}); name another {what}") from fault
    if not found.is_relative_to(root):
        raise BuildError(f"{path} leaves the files of {order.repository}; name a {what} of the source repository")
    if not (found.is_dir() if what == "folder" else found.is_file()):
        raise BuildError(
            f"{path} is no {what} in {order.repository} at {order.commit[:12]}; correct the target's settings"
        )
    return found


def connect(environment: Mapping[str, str]) -> docker.DockerClient:
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
