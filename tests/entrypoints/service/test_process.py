"""`refrom serve` as a process: it works until a signal ends it, in whatever it is then."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.stage import Stage
from tests.entrypoints.conftest import Refrom
from tests.lab.web import Answer, Asked, serve

COMMAND = (sys.executable, "-I", "-c", "from bot.entrypoints.cli import entry; entry()", "serve")
INTERRUPTED = 130
PATIENCE = 30


@dataclass(slots=True)
class Service:
    """A running `refrom serve`; its log is read up to what a test waits for."""

    process: "subprocess.Popen[str]"
    lines: list[dict[str, Any]] = field(default_factory=list)

    def until(self, event: str) -> dict[str, Any]:
        """Read the log up to an event."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"the log ends without {event!r}: {self.lines}")

    def get(self, path: str) -> tuple[int, str]:
        (serving,) = [line for line in self.lines if line["event"] == "serving"]
        connection = HTTPConnection(serving["pages"].split("/")[2], timeout=PATIENCE)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def end(self, *signals: signal.Signals) -> int:
        """Send signals, and return the exit code."""
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def service(config: Path, *options: str) -> Iterator[Service]:
    command = [*COMMAND, "--config", str(config), "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Service(process)
        finally:
            process.kill()


@dataclass(slots=True)
class Stuck:
    """A registry that answers nothing until it is let go."""

    asked: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Answer:  # noqa: ARG002 - a server is told what it is asked
        self.asked.set()
        self.free.wait(PATIENCE)
        return Answer(status=404)


@dataclass(frozen=True, slots=True)
class Scene:
    """A service that watches two streams of a registry that does not answer."""

    registry: Stuck
    log: list[Asked]
    config: Path


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    registry = Stuck()
    with serve(registry.answer) as web:
        config = tmp_path / "refrom.yaml"
        config.write_text(
            "version: 1\n"
            f'registries: {{public.ecr.aws: {{url: "{web.url}"}}}}\n'
            "runtimes: {watch: [python3.13, nodejs22.x]}\n"
        )
        yield Scene(registry, web.log, config)
        registry.free.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_two_cycles_ends_the_wait(fleet: Stage, number: signal.Signals) -> None:
    with service(fleet.settings) as running:
        running.until("waiting")

        code = running.end(number)

        running.until("stopped")
        assert code == DONE
        assert [line["result"] for line in running.lines if line["event"] == "cycle ended"] == ["done"]


def test_the_pages_answer_while_a_cycle_runs(scene: Scene) -> None:
    with service(scene.config) as running:
        running.until("cycle started")
        assert scene.registry.asked.wait(PATIENCE)

        status, health = running.get("/healthz")
        metrics, page = running.get("/metrics")[1], running.get("/")[1]

        assert (status, json.loads(health)["last"]) == (200, None)
        assert "refrom_cycle_running 1.0\n" in metrics
        assert 'refrom_http_requests_total{host="127.0.0.1:' in metrics
        assert "A cycle runs since" in page


def test_a_signal_in_a_cycle_lets_the_tick_end_and_starts_no_other(scene: Scene) -> None:
    with service(scene.config) as running:
        running.until("cycle started")
        assert scene.registry.asked.wait(PATIENCE)
        running.process.send_signal(signal.SIGTERM)
        scene.registry.free.set()

        ended = running.until("cycle ended")

        assert running.process.wait(PATIENCE) == DONE
        assert ended["result"] == "stopped"
        assert [(line["event"], line["subject"]) for line in running.lines if "subject" in line] == [
            ("watch", "python3.13")
        ]
        assert all("/lambda/python/" in asked.path for asked in scene.log)


def test_a_tick_that_outlasts_the_grace_is_cut_off(scene: Scene) -> None:
    with service(scene.config, "--grace", "0.2") as running:
        running.until("cycle started")
        assert scene.registry.asked.wait(PATIENCE)

        code = running.end(signal.SIGTERM)

        assert code == INTERRUPTED
        running.until("cut off")


def test_a_second_signal_ends_at_once(scene: Scene) -> None:
    with service(scene.config, "--grace", "3600") as running:
        running.until("cycle started")
        assert scene.registry.asked.wait(PATIENCE)

        code = running.end(signal.SIGTERM, signal.SIGINT)

        assert code == INTERRUPTED
        running.until("cut off")


def test_only_the_main_thread_takes_signals(scene: Scene) -> None:
    """Two at once: the system gives the second to any thread that takes it, and the main thread sleeps on."""
    with service(scene.config) as running:
        running.until("cycle started")
        assert scene.registry.asked.wait(PATIENCE)
        running.get("/healthz")  # answered by a thread of the pages' pool

        tasks = Path(f"/proc/{running.process.pid}/task")
        takers = {task.name for task in tasks.iterdir() if not _blocked(task) & {signal.SIGTERM, signal.SIGINT}}

        assert len(list(tasks.iterdir())) > 2
        assert takers == {str(running.process.pid)}


def _blocked(task: Path) -> set[int]:
    status = (task / "status").read_text()
    mask = int(status.split("SigBlk:")[1].split()[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(("--listen", "nowhere"), "--listen: 'nowhere' is no address to listen on", id="no address"),
        pytest.param(("--listen", "192.0.2.1:8080"), "name another address", id="not ours"),
        pytest.param(("--every", "often"), "--every: is no duration; write a number with d, h or m", id="no duration"),
        pytest.param(("--every", "0m"), "--every: is less than 1m", id="all the time"),
        pytest.param(("--grace", "0"), "Invalid value for '--grace'", id="no grace"),
        pytest.param(("--config", "."), ".: ", id="settings that are a folder"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_done(
    refrom: Refrom, fleet: Stage, options: tuple[str, ...], message: str
) -> None:
    ran = refrom("serve", "--config", fleet.settings, *options)

    assert (ran.code, ran.out) == (USAGE, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("name", ["refrom.yaml", "refrom.holds.yaml"])
def test_a_faulty_file_refuses_to_start(refrom: Refrom, fleet: Stage, name: str) -> None:
    (fleet.folder / name).write_text("version: 1\nnonsense: 1\n")

    ran = refrom("serve", "--config", fleet.settings, "--listen", "127.0.0.1:0")

    assert (ran.code, ran.out) == (USAGE, "")
    assert f"{fleet.folder / name}:2: nonsense: is no key here" in ran.err


def test_a_store_that_cannot_be_written_is_told_with_the_cure(refrom: Refrom, fleet: Stage) -> None:
    text = fleet.settings.read_text()
    fleet.settings.write_text(f"{text}store: /proc/refrom/refrom.db\n")

    ran = refrom("serve", "--config", fleet.settings, "--listen", "127.0.0.1:0")

    assert ran.code == ATTENTION
    assert "name a path in a writable folder in the settings" in ran.err


def test_the_environment_says_where_to_listen(refrom: Refrom, fleet: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFROM_LISTEN", "nowhere at all")

    assert "--listen: 'nowhere at all' is no address" in refrom("serve", "--config", fleet.settings).err


def test_the_probe_asks_where_the_environment_says() -> None:
    environment = {**os.environ, "REFROM_LISTEN": "127.0.0.1:1"}
    command = [sys.executable, "-I", "-m", "bot.entrypoints.service.probe"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "127.0.0.1:1 does not answer (ConnectionRefusedError)\n")
