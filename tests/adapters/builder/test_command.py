"""A command of one's own: it gets the order, runs in the commit's files, and tells a digest that the registry has."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.builder.command import CommandBuilder
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.errors import BuildError, RegistryError
from tests.adapters.builder.ordering import an_order, push
from tests.lab.clock import WoundClock
from tests.lab.registry import LabRegistry, docker_registry

SHOW = "import json, os, pathlib; pathlib.Path('seen.json').write_text(json.dumps(dict(os.environ)))"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def registry() -> Iterator[HttpRegistry]:
    with closing(Transport(WoundClock())) as transport:
        yield HttpRegistry(transport)


class Bench:
    """A builder whose checkout is a folder, and a digest that is in the registry already, under another tag."""

    def __init__(self, folder: Path, running: LabRegistry, registry: HttpRegistry) -> None:
        self.folder, self.running, self.registry = folder, running, registry
        self.order = an_order(running, folder.name.lower().replace("_", "-")[:60].strip("-"))
        self.digest = push(registry, an_order(running, "x", destination=self.order.destination.with_tag("pushed")))

    def builder(
        self, *command: str, timeout: timedelta = timedelta(minutes=1), passed: tuple[str, ...] = ()
    ) -> CommandBuilder:
        return CommandBuilder(
            command=command, checkout=self.checkout, registry=self.registry, timeout=timeout, passed=passed
        )

    def python(self, program: str, **more: object) -> CommandBuilder:
        return self.builder(sys.executable, "-I", "-c", program, **more)  # type: ignore[arg-type] # options of builder

    @contextmanager
    def checkout(self, repository: str, commit: str) -> Iterator[Path]:
        assert (repository, commit) == (self.order.repository, self.order.commit)
        yield self.folder


@pytest.fixture
def bench(tmp_path: Path, running: LabRegistry, registry: HttpRegistry) -> Bench:
    return Bench(tmp_path, running, registry)


def test_the_digest_is_the_last_line_alone_or_at_the_end_of_a_reference(bench: Bench) -> None:
    alone = bench.python(f"print('step 1'); print('{bench.digest}'); print()").build(bench.order)
    reference = bench.python(f"print('pushed registry.example/orders@{bench.digest}')").build(bench.order)

    assert (alone.digest, reference.digest) == (bench.digest, bench.digest)
    assert alone.log.startswith("step 1\n")


def test_a_digest_in_the_file_counts_before_the_output(bench: Bench) -> None:
    program = f"import os; open(os.environ['REFROM_DIGEST_FILE'], 'w').write('{bench.digest}\\n'); print('done')"

    assert bench.python(program).build(bench.order).digest == bench.digest


def test_it_runs_in_the_checkout_with_the_order_and_little_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("AWS_PROFILE", "builds")

    bench.python(f"{SHOW}; print('{bench.digest}')", passed=("AWS_PROFILE", "NOT_SET")).build(bench.order)

    seen = json.loads((bench.folder / "seen.json").read_text())
    assert {name: seen[name] for name in seen if name.startswith("REFROM_") and name != "REFROM_DIGEST_FILE"} == {
        f"REFROM_{name.upper()}": value for name, value in bench.order.facts.items()
    }
    assert seen["AWS_PROFILE"] == "builds"
    assert "GITHUB_TOKEN" not in seen
    assert "NOT_SET" not in seen


def test_no_shell_reads_the_arguments(bench: Bench) -> None:
    program = f"import sys; open('argument', 'w').write(sys.argv[1]); print('{bench.digest}')"

    bench.builder(sys.executable, "-I", "-c", program, "$(touch broken); `id`").build(bench.order)

    assert (bench.folder / "argument").read_text() == "$(touch broken); `id`"
    assert not (bench.folder / "broken").exists()


def test_an_order_that_was_done_before_runs_nothing(bench: Bench) -> None:
    digest = push(bench.registry, bench.order)

    assert bench.builder("/nowhere/at/all").build(bench.order).digest == digest


@pytest.mark.parametrize(
    ("program", "message"),
    [
        pytest.param(
            "print('no space'); raise SystemExit(3)", "ended with 3 for app/Dockerfile of acme/ord", id="code"
        ),
        pytest.param("import os; os.kill(os.getpid(), 9)", "was ended by signal 9 for app/Dockerfile", id="signal"),
        pytest.param("print('pushed')", "told no digest but 'pushed'; let it write the digest", id="no digest"),
        pytest.param("pass", "told no digest but ''; let it write the digest", id="nothing"),
        pytest.param("print('sha256:123')", "told no digest but 'sha256:123'", id="half a digest"),
    ],
)
def test_what_went_wrong_is_told_with_the_output(bench: Bench, program: str, message: str) -> None:
    with pytest.raises(BuildError, match=message) as caught:
        bench.python(program).build(bench.order)

    assert caught.value.log.strip() in program


def test_a_digest_that_the_registry_does_not_have_is_not_believed(bench: Bench) -> None:
    with pytest.raises(RegistryError, match="functions/"):
        bench.python(f"print('{Digest.of(b'nothing')}')").build(bench.order)


def test_a_command_that_is_not_there_is_told(bench: Bench) -> None:
    with pytest.raises(BuildError, match=r"/nowhere/at/all does not start .No such file or directory."):
        bench.builder("/nowhere/at/all").build(bench.order)


def test_a_command_that_takes_too_long_is_stopped_with_all_that_it_started(bench: Bench) -> None:
    """Its output ends only once nobody can write to it any more, so this would hang if a child were left."""
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"

    with pytest.raises(BuildError, match="was stopped after 1 s; make the build shorter"):
        bench.python(program, timeout=timedelta(seconds=1)).build(bench.order)
