"""The teams' own pipelines: started once for a commit and a base, found again by a new process, read to their end."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.builder.elsewhere import UNLISTED
from bot.adapters.builder.pipelines import RecordingPipelines, Runs, TeamPipelines
from bot.adapters.deployer.codepipeline import CodePipelineRuns
from bot.adapters.forge.github import FixedToken, GitHub, GitHubForge, Sender, Site
from bot.adapters.transport import Transport
from bot.core.errors import BuildError, DeployError
from bot.core.pipeline import CodePipeline, Pipeline, PipelineOrder, WorkflowPipeline
from bot.core.reference import Reference
from bot.ports.jobs import Job, JobState
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock
from tests.lab.github.fake import FakeGitHub, github_fake

REPOSITORY = "acme/orders"
BASE = Reference.parse(f"public.ecr.aws/lambda/python:3.13@sha256:{'b' * 64}")
ORDER = PipelineOrder(repository=REPOSITORY, function="orders", commit="c" * 40, base=BASE)
OTHERS = (replace(ORDER, commit="d" * 40), replace(ORDER, function="later"), replace(ORDER, base=BASE.with_tag("3.12")))
NAMES = ("refrom", "function", "commit", "base")
WORKFLOW = f"""\
name: Deploy
run-name: ${{{{ inputs.refrom }}}}
on: {{workflow_dispatch: {{inputs: {{{", ".join(f"{name}: {{}}" for name in NAMES)}}}}}}}
jobs: {{}}
"""
DEPLOY, RELEASE = WorkflowPipeline("deploy.yml"), CodePipeline("release", REGION)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path) as fake:
        silent = WORKFLOW.replace("run-name: ${{ inputs.refrom }}\n", "")
        files = {"deploy": WORKFLOW, "silent": silent}
        fake.create_repository(
            REPOSITORY, {f".github/workflows/{name}.yml": text.encode() for name, text in files.items()}
        )
        yield fake


@pytest.fixture
def aws() -> Iterator[AwsStub]:
    with AwsStub("http://127.0.0.1:9", clock=WoundClock()) as stub:
        stub.codepipeline.pipelines = {"release": NAMES, "old": ()}
        yield stub


def workflow(fake: FakeGitHub, transport: Transport, file: str = "deploy.yml") -> Runs:
    github = GitHub(Sender(transport, Site.of(fake.url), WoundClock()), FixedToken(fake.token()))
    return GitHubForge(github, [REPOSITORY]).pipeline(file)


def codepipeline(aws: AwsStub, pipeline: CodePipeline = RELEASE) -> Runs:
    return CodePipelineRuns(pipeline, lambda _, region: aws.client("codepipeline", region))


@pytest.fixture
def transport() -> Iterator[Transport]:
    with closing(Transport(WoundClock())) as transport:
        yield transport


def state(runs: Runs, order: PipelineOrder = ORDER) -> JobState | None:
    job = runs.find(order)
    return job.state if job else None


def test_a_workflow_is_started_followed_and_found_again(fake: FakeGitHub, transport: Transport) -> None:
    runs = workflow(fake, transport)
    assert state(runs) is None

    runs.start(ORDER)

    assert [one["inputs"] for one in fake.dispatches] == [dict(ORDER.facts)]
    again = workflow(fake, transport)
    assert [state(again, order) for order in (ORDER, *OTHERS[:2])] == [JobState.RUNNING, None, None]
    fake.end_run(REPOSITORY, "success")
    assert state(again) is JobState.SUCCEEDED


def test_a_workflow_that_does_not_say_what_it_is_for_is_refused(fake: FakeGitHub, transport: Transport) -> None:
    runs = workflow(fake, transport, "silent.yml")
    runs.start(ORDER)

    with pytest.raises(BuildError, match=r"let the workflow begin with run-name: \$\{\{ inputs.refrom \}\}"):
        runs.find(ORDER)


def test_a_codepipeline_is_started_followed_and_found_again_among_others(aws: AwsStub) -> None:
    runs = codepipeline(aws)
    aws.codepipeline.push("release")
    assert state(runs) is None

    names = {runs.start(ORDER) for _ in range(2)}

    assert len(names) == 1, "the same token is the same execution"
    assert aws.codepipeline.executions[-1].variables == ORDER.facts
    aws.codepipeline.push("release")
    again = codepipeline(aws)
    assert [state(again, order) for order in (ORDER, *OTHERS[:2])] == [JobState.RUNNING, None, None]
    aws.codepipeline.executions[1].status = "Succeeded"
    before = len(aws.requests)
    assert state(again) is JobState.SUCCEEDED
    assert [request.operation for request in aws.requests[before:]] == ["ListPipelineExecutions"]


@pytest.mark.parametrize("status", ["Failed", "Stopped", "Superseded", "Cancelled"])
def test_an_execution_that_did_not_succeed_failed_and_says_how(aws: AwsStub, status: str) -> None:
    runs = codepipeline(aws)
    runs.start(ORDER)
    aws.codepipeline.end(status)

    job = runs.find(ORDER)

    assert job is not None
    assert (job.state, job.where.endswith(f"({status})")) == (JobState.FAILED, True)


@pytest.mark.parametrize(
    ("pipeline", "cure"),
    [
        (CodePipeline("gone", REGION), "create the pipeline, or correct the target's pipeline"),
        (CodePipeline("old", REGION), "declare the variables refrom, function, commit and base"),
    ],
)
def test_a_pipeline_that_cannot_be_told_is_an_error_with_the_cure(
    aws: AwsStub, pipeline: CodePipeline, cure: str
) -> None:
    with pytest.raises(DeployError, match=cure):
        codepipeline(aws, pipeline).start(ORDER)


class Unlisted:
    """Runs that are never listed."""

    def find(self, order: PipelineOrder) -> Job | None:
        del order
        return None

    def start(self, order: PipelineOrder) -> str:
        return f"a run of {order.name}"


def test_what_was_just_started_is_there_before_it_is_listed() -> None:
    clock, asked = WoundClock(), list[Pipeline]()

    def runs_of(pipeline: Pipeline) -> Runs:
        asked.append(pipeline)
        return Unlisted()

    pipelines = TeamPipelines(runs_of, clock)
    where = pipelines.start(DEPLOY, ORDER)

    assert pipelines.find(DEPLOY, ORDER) == Job(state=JobState.RUNNING, where=where)
    assert [pipelines.find(DEPLOY, order) for order in OTHERS] == [None, None, None]
    clock.wait_until(clock.now() + UNLISTED + timedelta(seconds=1))
    assert pipelines.find(DEPLOY, ORDER) is None
    assert set(asked) == {DEPLOY}


def test_a_dry_run_starts_none() -> None:
    inner = TeamPipelines(lambda _: Unlisted(), WoundClock())
    pipelines = RecordingPipelines(inner)

    assert pipelines.start(RELEASE, ORDER) == f"CodePipeline release in {REGION} (dry run)"
    assert pipelines.find(RELEASE, ORDER) is None
