"""Smoke tests on a real engine in a network of its own, with AWS's own runtime interface client in the containers."""

import gc
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.builder.docker_engine import Login
from bot.adapters.builder.smoke import DockerSmoke
from bot.adapters.builder.sources import TreeEntry
from bot.core.errors import BuildError
from bot.core.reference import Reference
from bot.ports.smoke import Trial
from tests.lab.dockerd import DockerEngine, docker_engine
from tests.lab.images import AMD64
from tests.lab.lambda_root import CHANGES, lambda_root
from tests.lab.own_network import own_network
from tests.lab.registry import LOGIN, docker_registry

COMMIT = "c0ffee" + "0" * 34
GOOD = """\
import json, os, socket
def handler(event, context):
    assert context.get_remaining_time_in_millis() > 1000
    assert context.invoked_function_arn.endswith(":" + os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    with open("/tmp/x", "w") as file:
        file.write(json.dumps(event))
    return {"got": event, "region": os.environ["AWS_REGION"]}
"""
LOCKED = """\
import os
def handler(event, context):
    assert os.getuid() != 0
    for forbidden in (lambda: open("/var/task/x", "w"), lambda: os.setuid(0), lambda: os.mkdir("/etc/x")):
        try:
            forbidden()
        except OSError:
            continue
        raise RuntimeError("that was possible")
"""
ALONE = """\
import socket
def handler(event, context):
    for address in (("1.1.1.1", 53), ("127.0.0.1", %d)):
        try:
            socket.create_connection(address, 1)
        except OSError:
            continue
        raise RuntimeError(f"{address} can be reached")
"""


@dataclass(slots=True)
class Files:
    """The files of a source repository at any commit."""

    files: dict[str, bytes] = field(default_factory=dict)

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        raise AssertionError((repository, commit))

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        assert (repository, commit) == ("acme/orders", COMMIT)
        return {path: self.files[path] for path in paths if path in self.files}


@dataclass(frozen=True, slots=True)
class Kitchen:
    """An engine in a network of its own, and a registry that wants a login, in which a base lies."""

    engine: DockerEngine
    host: str

    def bake(self, name: str, handler: str, command: str = "app.handler") -> Reference:
        """Build and push an image with one file, and forget it in the engine."""
        place = f"{self.host}/functions/{name}"
        dockerfile = f'FROM {self.host}/lambda/python:lab\nCOPY app.py /var/task/\nCMD ["{command}"]\n'
        with closing(self.engine.client()) as client:
            login = dict(zip(("username", "password"), LOGIN, strict=True))
            client.images.build(
                fileobj=context({"Dockerfile": dockerfile, "app.py": handler}),
                custom_context=True,
                tag=f"{place}:1",
                rm=True,
            )
            events = list(client.api.push(place, "1", stream=True, decode=True, auth_config=login))
            client.images.remove(f"{place}:1")
        (digest,) = [event["aux"]["Digest"] for event in events if "aux" in event]
        return Reference.parse(f"{place}@{digest}")

    def left(self) -> tuple[list[str], list[str], set[str]]:
        """What is there of containers, networks and functions' images."""
        with closing(self.engine.client()) as client:
            containers = [str(container.name) for container in client.containers.list(all=True)]
            networks = [str(network.name) for network in client.networks.list() if network.name not in ("host", "none")]
            names = {name for image in client.images.list() for name in image.attrs["RepoDigests"] or []}
        return containers, networks, {name for name in names if "/functions/" in name}


def context(files: Mapping[str, str]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    buffer.seek(0)
    return buffer


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    root = lambda_root()
    with (
        own_network(),
        docker_engine(tmp_path_factory.mktemp("engine")) as engine,
        docker_registry(tmp_path_factory.mktemp("registry"), login=True) as registry,
    ):
        with closing(engine.client()) as client, root.open("rb") as content:
            client.api.import_image_from_data(content, f"{registry.host}/lambda/python", "lab", changes=list(CHANGES))
        yield Kitchen(engine, registry.host)


def smoke(kitchen: Kitchen, login: Login | None = LOGIN, **files: bytes) -> DockerSmoke:
    return DockerSmoke(
        sources=Files({f"events/{name}.json": content for name, content in files.items()}),
        credentials=lambda host: login if host == kitchen.host else None,
        host=kitchen.engine.host,
    )


def trial(image: Reference, *events: str, seconds: int = 60) -> Trial:
    return Trial(
        image=image,
        platform=AMD64,
        repository="acme/orders",
        commit=COMMIT,
        events=tuple(f"events/{name}.json" for name in events),
        timeout=timedelta(seconds=seconds),
    )


def test_a_good_image_starts_and_answers_its_events_and_nothing_is_left(kitchen: Kitchen) -> None:
    image = kitchen.bake("good", GOOD)
    files = {"a": b'{"a": 1}', "b": json.dumps({"text": "\N{SNOWMAN}" * 100_000}).encode()}

    smoke(kitchen, a=files["a"], b=files["b"]).run(trial(image, "a", "b"))

    assert kitchen.left() == ([], [], set())


def test_without_events_the_init_alone_counts(kitchen: Kitchen) -> None:
    smoke(kitchen).run(trial(kitchen.bake("bad-handler", "def handler(event, context):\n    raise RuntimeError()\n")))


@pytest.mark.parametrize(
    ("handler", "command", "said"),
    [
        pytest.param(GOOD, "app.missing", "its init failed with Runtime.HandlerNotFound", id="no such handler"),
        pytest.param(GOOD, "gone.handler", "its init failed with Runtime.ImportModuleError", id="no such module"),
        pytest.param("raise ValueError('no table')", "app.handler", "ValueError: no table", id="init raises"),
        pytest.param("import os; os._exit(7)", "app.handler", "ended with exit code 7 in its init", id="init dies"),
        pytest.param("import time; time.sleep(99)", "app.handler", "its init took longer than 3 s", id="init hangs"),
        pytest.param(
            "import time\ndef handler(event, context):\n    time.sleep(99)",
            "app.handler",
            "event events/a.json took longer than 3 s",
            id="hangs",
        ),
        pytest.param(
            "def handler(event, context):\n    print('looking'); raise KeyError('id')",
            "app.handler",
            "event events/a.json was answered with KeyError: 'id'",
            id="answers an error",
        ),
        pytest.param(
            "import os\ndef handler(event, context):\n    os._exit(9)",
            "app.handler",
            "ended with exit code 9 in event events/a.json",
            id="dies",
        ),
        pytest.param(
            "x = bytearray(3 << 30)\ndef handler(event, context): ...", "app.handler", "its init", id="takes 3 GiB"
        ),
    ],
)
def test_a_bad_image_is_refused_with_its_own_words_and_nothing_is_left(
    kitchen: Kitchen, handler: str, command: str, said: str
) -> None:
    image = kitchen.bake("bad", handler, command)
    seconds = 3 if "took longer" in said else 60

    with pytest.raises(BuildError, match=f"{image.digest} does not pass the smoke test: .*") as refused:
        smoke(kitchen, a=b"{}").run(trial(image, "a", seconds=seconds))

    assert said in str(refused.value)
    assert ("looking" in refused.value.log) is ("looking" in handler)
    assert kitchen.left() == ([], [], set())


def test_a_container_has_no_rights_and_can_write_tmp_alone(kitchen: Kitchen) -> None:
    smoke(kitchen, a=b"{}").run(trial(kitchen.bake("locked", LOCKED), "a"))


def test_a_container_reaches_nothing_but_the_runtime_api(kitchen: Kitchen) -> None:
    image = kitchen.bake("alone", ALONE % int(kitchen.host.rpartition(":")[2]))

    smoke(kitchen, a=b"{}").run(trial(image, "a"))


def test_an_event_that_the_repository_lacks_is_said_before_anything_starts(kitchen: Kitchen) -> None:
    nowhere = Reference.parse(f"{kitchen.host}/functions/none@sha256:" + "1" * 64)

    with pytest.raises(BuildError, match=r"the event events/b\.json is not in acme/orders at c0ffee0"):
        smoke(kitchen, a=b"{}").run(trial(nowhere, "a", "b"))


@pytest.mark.parametrize("login", [None, ("lab", "wrong")], ids=["no login", "a wrong one"])
def test_an_image_that_cannot_be_pulled_is_said(kitchen: Kitchen, login: Login | None) -> None:
    image = kitchen.bake("closed", GOOD)

    with pytest.raises(BuildError, match=f"the Docker Engine could not start {image}"):
        smoke(kitchen, login).run(trial(image))

    assert kitchen.left() == ([], [], set())


def test_an_image_that_was_there_stays(kitchen: Kitchen) -> None:
    image = kitchen.bake("kept", GOOD)
    with closing(kitchen.engine.client()) as client:
        client.images.pull(str(image), auth_config=dict(zip(("username", "password"), LOGIN, strict=True)))

        smoke(kitchen).run(trial(image))

        assert kitchen.left()[2] == {str(image)}
        client.images.remove(str(image))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's own socket, which it could not connect
def test_no_engine_is_an_error_with_the_cure(tmp_path: Path) -> None:
    absent = DockerSmoke(sources=Files(), credentials=lambda _: None, host=f"unix://{tmp_path}/absent")

    with pytest.raises(BuildError, match="no Docker Engine answers") as fault:
        absent.run(trial(Reference.parse("registry.example/orders@sha256:" + "1" * 64)))

    del fault
    gc.collect()
