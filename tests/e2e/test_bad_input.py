"""Bad input over real servers: each gives one message with the thing and the cure, and stops nothing but itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from git import Repo

from bot.adapters.store.store import open_store
from bot.core.digest import Digest
from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.fleet import MOVES, SERVICES
from bot.entrypoints.demo.stage import push_source
from tests.e2e.scene import SCENE_SERVICES, UNDEPLOYED, Ran, Scene

PYTHON = {service.repository for service in SCENE_SERVICES if service.base == "python"}
JAVA = {service.repository for service in SCENE_SERVICES if service.base == "java"}
CLOSED_PORT = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda text: f"{text}runtimes: {{watch: [python9.9]}}\n",
            "runtimes.watch[0]: runtime 'python9.9' is unknown; did you mean python3.9?",
            id="unknown runtime",
        ),
        pytest.param(
            lambda text: text.replace("{file: password}", "{env: REFROM_NO_SUCH_VARIABLE}"),
            "the environment variable REFROM_NO_SUCH_VARIABLE is not set; set it",
            id="missing environment variable",
        ),
    ],
)
def test_a_fault_in_the_settings_ends_everything_before_it_starts(
    lab: Scene, change: Callable[[str], str], message: str
) -> None:
    lab.settings.write_text(change(lab.settings.read_text()))

    ran = refused_before_any_work(lab)

    (line,) = ran.err.splitlines()
    assert line.startswith(f"refrom: {lab.settings}:")
    assert line.endswith(message)


def test_all_faults_of_the_settings_are_told_at_once(lab: Scene) -> None:
    text = lab.settings.read_text()
    for good, bad in (
        ("{file: password}", "{env: REFROM_NO_SUCH_VARIABLE}"),
        ("update_on: packages", "update_on: never"),
        ("alias: live", "alais: live"),
        ("kind: docker", "kind: dokcer"),
    ):
        text = text.replace(good, bad, 1)
    lab.settings.write_text(f"{text}runtimes: {{watch: [python9.9]}}\n")

    ran = refused_before_any_work(lab)

    lines = ran.err.removeprefix("refrom: ").splitlines()
    assert len(lines) == 5
    assert all(line.startswith(f"{lab.settings}:") for line in lines)
    for thing, line in zip(("VARIABLE", "update_on", "builder", "alais", "python9.9"), lines, strict=True):
        assert thing in line


def test_a_runtime_that_nobody_knows_cannot_be_watched(lab: Scene) -> None:
    ran = lab.refrom("watch", "python3.13", "python9.9", "--config", str(lab.settings), "--format", "json")

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == "refrom: runtime 'python9.9' is unknown; did you mean python3.9?\n"
    assert lab.front.asked() == []


def test_bad_repositories_stop_no_other(lab: Scene) -> None:
    """One without its default branch, an empty one, a Dockerfile that does not parse, an unknown runtime."""
    Repo.init(lab.folder / "repositories" / "acme" / "empty.git", bare=True, mkdir=True).close()
    push(lab, "lost", "FROM public.ecr.aws/lambda/python:3.13\n")
    with Repo(lab.folder / "repositories" / "acme" / "lost.git") as lost:
        lost.git.symbolic_ref("HEAD", "refs/heads/gone")
    push(lab, "broken", "FROM public.ecr.aws/lambda/python:3.13\nFROM\n")
    push(lab, "future", "FROM public.ecr.aws/lambda/python:3.99\n")
    lab.publish(MOVES, after=True)

    ran = lab.run()

    assert ran.code == ATTENTION
    assert failures(ran) == {
        ("survey", "acme/lost"): "its default branch 'gone' is not there; "
        "name one with git symbolic-ref HEAD refs/heads/BRANCH"
    }
    assert decided(ran, "acme/future") == [("skip", "runtime 'python3.99' is unknown; did you mean python3.9?")]
    assert [(s["repository"], s["path"], s["line"]) for s in ran.document["skipped"]] == [
        ("acme/broken", "Dockerfile", 2)
    ]
    assert lab.pull_requests().keys() == PYTHON | JAVA | {f"acme/{UNDEPLOYED}"}


def test_a_dockerfile_that_refrom_cannot_handle_is_no_failure(lab: Scene) -> None:
    push(lab, "broken", "FROM public.ecr.aws/lambda/python:3.13\nFROM\n")
    push(lab, "future", "FROM public.ecr.aws/lambda/python:3.99\n")

    assert lab.run().code == DONE


def test_a_registry_that_cannot_be_reached_fails_once_a_stream_and_closes_nothing(lab: Scene) -> None:
    settings = lab.settings.read_text()
    lab.publish(MOVES, after=True)
    lab.run()
    opened, ledger = lab.pull_requests(), history(lab)
    lab.settings.write_text(settings.replace(lab.front.host, CLOSED_PORT))

    ran = lab.run()

    assert ran.code == ATTENTION
    watched = {subject: message for (step, subject), message in failures(ran).items() if step == "watch"}
    assert watched.keys() == {"python3.13", "java21", "nodejs22.x", "ruby3.4"}
    assert watched["java21"] == (
        f"public.ecr.aws/lambda/java:21: GET http://{CLOSED_PORT}/v2/lambda/java/manifests/21 failed: "
        "Connection refused; check the network, the proxy and registries.public.ecr.aws.url"
    )
    assert {decision["decision"] for decision in ran.document["decisions"]} == {"skip"}
    assert (lab.pull_requests(), history(lab)) == (opened, ledger)


def test_the_audit_says_which_stream_cannot_be_read(lab: Scene) -> None:
    lab.settings.write_text(lab.settings.read_text().replace(lab.front.host, CLOSED_PORT))

    ran = lab.refrom("audit", "--config", str(lab.settings), "--format", "json")

    assert ran.code == ATTENTION
    assert {error["runtime"] for error in ran.document["errors"]} >= {"python3.13", "java21"}


def test_a_manifest_with_other_bytes_than_its_digest_is_used_nowhere(lab: Scene) -> None:
    lab.run()
    ledger = history(lab)
    moved = lab.publish(MOVES, after=True)
    lab.front.tamper("lambda/java/manifests")

    ran = lab.run()

    assert ran.code == ATTENTION
    told = failures(ran)[("watch", "java21")]
    assert "public.ecr.aws/lambda/java:21 should be" in told
    assert "they are not used" in told
    assert lab.pull_requests().keys() == PYTHON | {f"acme/{UNDEPLOYED}"}
    assert history(lab)["java21"] == ledger["java21"]
    assert moved["python"] in history(lab)["python3.13"]

    lab.front.tamper(None)
    assert lab.run().code == DONE
    assert lab.pull_requests().keys() == PYTHON | JAVA | {f"acme/{UNDEPLOYED}"}


def test_layers_with_other_bytes_than_their_digest_fail_once_and_close_nothing(lab: Scene) -> None:
    lab.publish(MOVES, after=True)
    lab.run()
    opened = lab.pull_requests()
    lab.forget()
    lab.front.tamper("lambda/java/blobs")

    ran = lab.run()

    assert ran.code == ATTENTION
    assert [subject for step, subject in failures(ran) if step in ("watch", "judge")] == ["java21"]
    assert lab.pull_requests() == opened


def test_images_that_want_a_login_are_told_as_such(lab: Scene) -> None:
    """Functions whose images cannot be read fail with the cure; a repository without a function goes on."""
    text = lab.settings.read_text()
    lab.settings.write_text("".join(line for line in text.splitlines(keepends=True) if "credentials:" not in line))

    ran = lab.run()

    cure = f"no credentials for {lab.images.host}; add registries.{lab.images.host}.credentials"
    assert ran.code == ATTENTION
    assert set(failures(ran).values()) == {cure}
    assert decided(ran, "acme/search") == [("skip", cure)]
    assert lab.pull_requests().keys() == {f"acme/{UNDEPLOYED}"}


def test_a_function_that_is_not_there_stops_no_other(lab: Scene) -> None:
    lab.settings.write_text(lab.settings.read_text().replace("function: search", "function: ghost"))
    lab.publish(MOVES, after=True)

    ran = lab.run()

    assert ran.code == ATTENTION
    ((subject, message),) = failures(ran).items()
    assert subject == ("redeploy", "ghost")
    assert message.startswith("function ghost in eu-west-1: Function not found")
    assert "check its name, version and Region" in message
    assert lab.pull_requests().keys() == PYTHON | {f"acme/{UNDEPLOYED}"}


def test_an_alias_that_is_not_there_stops_no_other_function(lab: Scene) -> None:
    lab.publish(MOVES, after=True)
    lab.run()
    lab.merge_all()
    billing = "repository: acme/billing\n      dockerfile: Dockerfile\n      alias: "
    lab.settings.write_text(lab.settings.read_text().replace(f"{billing}live", f"{billing}stable"))
    served = lab.image_of("orders")

    ran, audit = lab.run(), lab.refrom("audit", "--config", str(lab.settings), "--format", "json")

    missing = "billing has no alias stable; create it, or take it from the target"
    assert ran.code == ATTENTION
    assert failures(ran) == {("redeploy", "billing"): missing}
    assert lab.image_of("orders") != served
    assert audit.code == ATTENTION
    assert {f["function"]: f["reason"] for f in audit.document["functions"] if f["alias"] == "stable"} == {
        "billing": missing
    }


def refused_before_any_work(lab: Scene) -> Ran:
    """Run, and see that nothing was printed, asked or written."""
    before = sorted(lab.folder.rglob("*"))

    ran = lab.run()

    assert (ran.code, ran.out) == (USAGE, "")
    assert lab.front.asked() == []
    assert sorted(lab.folder.rglob("*")) == before
    return ran


def push(lab: Scene, name: str, dockerfile: str) -> None:
    push_source(lab.folder, replace(SERVICES[0], name=name, dockerfile=dockerfile))


def failures(ran: Ran) -> dict[tuple[str, str], str]:
    """The messages of what failed, by step and subject; each is told once."""
    failed: list[dict[str, Any]] = [o for o in ran.document["outcomes"] if o["result"] == "failed"]
    told = {(o["step"], o.get("repository") or o.get("runtime") or o["function"]): o["message"] for o in failed}
    assert len(told) == len(failed)
    return told


def decided(ran: Ran, repository: str) -> list[tuple[str, str]]:
    decisions = ran.document["decisions"]
    return [(d["decision"], d["reason"]) for d in decisions if d["repository"] == repository]


def history(lab: Scene) -> dict[str, list[Digest]]:
    """The digests that the ledger holds, by stream."""
    with open_store(lab.folder / ".refrom" / "refrom.db") as store:
        return {
            runtime: [seen.digest for seen in store.ledger.history(runtime)]
            for runtime in ("python3.13", "java21", "nodejs22.x", "ruby3.4")
        }
