"""Smoke tests on a Docker Engine: an image's container between its start and its first answers.

It runs as Lambda runs it: as an unprivileged user, without capabilities, on a file system that only /tmp of can be
written, with bounded memory and processes. Its network is one of its own without a way out; at its gateway, which is an
address of the engine's host, our Runtime API listens.
"""

import queue
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from urllib3.exceptions import HTTPError

from bot.adapters.builder.docker_command import docker_environment
from bot.adapters.builder.docker_engine import Login, connect
from bot.adapters.builder.runtime_api import Event, Report, RuntimeApi, Step, runtime_api
from bot.adapters.builder.sources import Sources
from bot.core.errors import BuildError
from bot.ports.smoke import Trial

_MEMORY: Final = 1024
"""MiB."""
_HARDENED: Final[Mapping[str, Any]] = {
    "read_only": True,
    "tmpfs": {"/tmp": "exec,mode=1777,size=512m"},  # noqa: S108 - in the container
    "user": "993:990",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 1024,
    "mem_limit": f"{_MEMORY}m",
    "memswap_limit": f"{_MEMORY}m",
}
"""User and number of processes as Lambda has them (UNVERIFIED; what matters is that the user owns nothing)."""
_REGION: Final = "us-east-1"
"""Some Region, without which the AWS SDKs make no client; nothing of it is reached."""
_LABELS: Final = {"refrom": "smoke"}
_GLANCE: Final = 0.1
"""Seconds between two looks whether the container still runs."""
_LOG_END: Final = 200
"""Lines of output that are kept."""
_FAULTS: Final = (DockerException, HTTPError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSmoke:
    """Starts images on a Docker Engine; keeps the promise of the port `Smoke`."""

    sources: Sources
    credentials: Callable[[str], Login | None]
    host: str | None = None

    def run(self, trial: Trial) -> None:
        """Start the image, wait for its init, give it the events, and remove container, network and image."""
        events = self._events(trial)
        try:
            with docker_environment(self.host) as environment, closing(connect(environment)) as engine:
                self._run(engine, trial, events)
        except _FAULTS as fault:
            raise BuildError(
                f"the Docker Engine could not start {trial.image}: {str(fault)[:300]}; "
                "see its log, or take deploy.smoke out"
            ) from fault

    def _run(self, engine: docker.DockerClient, trial: Trial, events: Mapping[str, bytes]) -> None:
        login = self.credentials(trial.image.registry)
        with (
            _pulled(engine, trial, login) as image,
            _network(engine) as (network, gateway),
            runtime_api(gateway) as api,
            _container(engine, image, network, _variables(trial, api)) as container,
        ):
            run = _Run(trial=trial, container=container, api=api)
            run.expect(Step.WAITS, "its init")
            for path, content in events.items():
                api.events.put(Event(content, _arn(trial), trial.timeout.total_seconds()))
                run.expect(Step.ANSWERED, f"event {path}")

    def _events(self, trial: Trial) -> Mapping[str, bytes]:
        found = self.sources.read(trial.repository, trial.commit, trial.events) if trial.events else {}
        for path in trial.events:
            if path not in found:
                where = f"{trial.repository} at {trial.commit[:12]}"
                raise BuildError(f"the event {path} is not in {where}; commit it, or correct smoke.events")
        return {path: found[path] for path in trial.events}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One container that is being tried."""

    trial: Trial
    container: Container
    api: RuntimeApi

    def expect(self, step: Step, what: str) -> None:
        """Wait until the runtime does what it should; say what it did instead."""
        deadline = time.monotonic() + self.trial.timeout.total_seconds()
        while time.monotonic() < deadline:
            report = self._next_report()
            if report is None:
                self._require_running(what)
            elif report.step is step:
                return
            elif report.step is Step.INIT_FAILED:
                raise self._failure(f"its init failed with {report.reason}")
            elif report.step is Step.FAILED:
                raise self._failure(f"{what} was answered with {report.reason}")
        raise self._failure(f"{what} took longer than {self.trial.timeout.total_seconds():.0f} s")

    def _next_report(self) -> Report | None:
        with suppress(queue.Empty):
            return self.api.reports.get(timeout=_GLANCE)
        return None

    def _require_running(self, what: str) -> None:
        self.container.reload()
        if self.container.status != "running" and self.api.reports.empty():
            code = self.container.attrs["State"]["ExitCode"]
            raise self._failure(f"it ended with exit code {code} in {what}")

    def _failure(self, what: str) -> BuildError:
        """Say what was wrong; the engine has all output once the container has ended, so that is ended first."""
        with suppress(APIError):  # refused where it ended by itself
            self.container.kill()
        self.container.wait()
        log = self.container.logs(tail=_LOG_END).decode(errors="replace")
        return BuildError(f"{self.trial.image} does not pass the smoke test: {what}; its output says more", log=log)


@contextmanager
def _pulled(engine: docker.DockerClient, trial: Trial, login: Login | None) -> Iterator[str]:
    """Have an image in the engine; one that was not there before is removed again.

    An empty login is given on purpose where there is none: the SDK would look for one in the user's own files.
    """
    name = f"{trial.image.name}@{trial.image.digest}"
    was_there = _holds(engine, name)
    if not was_there:
        authority = dict(zip(("username", "password"), login, strict=True)) if login else {}
        engine.images.pull(name, platform=str(trial.platform), auth_config=authority)
    try:
        yield name
    finally:
        if not was_there:
            with suppress(ImageNotFound):
                engine.images.remove(name)


def _holds(engine: docker.DockerClient, name: str) -> bool:
    try:
        engine.images.get(name)
    except ImageNotFound:
        return False
    return True


@contextmanager
def _network(engine: docker.DockerClient) -> Iterator[tuple[str, str]]:
    """Make a network without a way out, and give its name and the address of its gateway."""
    network = engine.networks.create(f"refrom-smoke-{uuid4().hex[:12]}", driver="bridge", internal=True, labels=_LABELS)
    try:
        network.reload()
        gateway = next(each["Gateway"] for each in network.attrs["IPAM"]["Config"] if "Gateway" in each)
        yield str(network.name), gateway.partition("/")[0]
    finally:
        with suppress(NotFound):
            network.remove()


@contextmanager
def _container(
    engine: docker.DockerClient, image: str, network: str, variables: Mapping[str, str]
) -> Iterator[Container]:
    container = engine.containers.create(
        image, environment=dict(variables), network=network, labels=_LABELS, **_HARDENED
    )
    try:
        container.start()
        yield container
    finally:
        with suppress(NotFound):
            container.remove(force=True, v=True)


def _variables(trial: Trial, api: RuntimeApi) -> Mapping[str, str]:
    """What Lambda tells every runtime, as far as it needs no account (developer guide, "Defined runtime variables")."""
    return {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": _function(trial),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(_MEMORY),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
    }


def _arn(trial: Trial) -> str:
    return f"arn:aws:lambda:{_REGION}:000000000000:function:{_function(trial)}"


def _function(trial: Trial) -> str:
    """A name for the function: the last part of its image's repository."""
    return trial.image.repository.rpartition("/")[2]
