"""Builds that run elsewhere, at CodeBuild and in a workflow: started once, followed, believed where the image is."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from ruamel.yaml import YAML

from bot.adapters.builder.codebuild import CodeBuild
from bot.adapters.builder.elsewhere import LOOK, UNLISTED, ElsewhereBuilder
from bot.adapters.forge.github import FixedToken, GitHub, GitHubForge, Sender, Site
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.errors import BuildError, ForgeError
from bot.core.image import REVISION_LABEL
from bot.ports.builder import Building, BuildOrder, Built
from bot.ports.jobs import Jobs
from tests.adapters.builder.ordering import COMMIT, an_order, push
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.registry import LabRegistry, docker_registry

REPOSITORY = "acme/orders"
INPUTS = ("image", "commit", "dockerfile", "context", "target", "platform", "base", "build_args", "labels")
WORKFLOW = f"""\
name: Build
run-name: ${{{{ inputs.image }}}}
on: {{workflow_dispatch: {{inputs: {{{", ".join(f"{name}: {{}}" for name in INPUTS)}}}}}}}
jobs: {{}}
"""


class Place(Protocol):
    """Where jobs run, as a test sees it."""

    def started(self) -> list[dict[str, str]]:
        """The facts of all jobs that were started, by their short names."""
        ...

    def end(self, *, well: bool) -> None:
        """End the job that was started last."""
        ...


@dataclass(frozen=True, slots=True)
class InCodeBuild:
    """The stub's CodeBuild."""

    aws: AwsStub

    def started(self) -> list[dict[str, str]]:
        return [
            {name.removeprefix("REFROM_").lower(): value for name, value in build.variables.items()}
            for build in self.aws.codebuild.builds
        ]

    def end(self, *, well: bool) -> None:
        self.aws.codebuild.finish("SUCCEEDED" if well else "FAILED", "step 1", "no space left on device")


@dataclass(frozen=True, slots=True)
class InGitHub:
    """The fake's Actions."""

    fake: FakeGitHub

    def started(self) -> list[dict[str, str]]:
        return [{"repository": str(one["repository"]), **one["inputs"]} for one in self.fake.dispatches]  # type: ignore[dict-item]

    def end(self, *, well: bool) -> None:
        self.fake.end_run(REPOSITORY, "success" if well else "failure")


@dataclass(frozen=True, slots=True)
class Bench:
    """A builder over one kind of jobs, and all that a test acts with."""

    jobs: Jobs
    place: Place
    running: LabRegistry
    registry: HttpRegistry
    clock: WoundClock

    @property
    def builder(self) -> ElsewhereBuilder:
        """A builder as a new process has it."""
        return ElsewhereBuilder(self.jobs, self.registry, self.clock)

    def order(self, name: str, **changes: object) -> BuildOrder:
        return an_order(self.running, name, **changes)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def transport() -> Iterator[Transport]:
    with closing(Transport(WoundClock())) as transport:
        yield transport


@pytest.fixture
def aws(running: LabRegistry, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    with AwsStub(running.url, clock=WoundClock()) as stub:
        stub.codebuild.projects.add("images")
        yield stub


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path) as fake:
        fake.create_repository(REPOSITORY, {".github/workflows/build.yml": WORKFLOW.encode()})
        yield fake


def codebuild(aws: AwsStub, project: str = "images") -> CodeBuild:
    return CodeBuild(project, REGION, endpoint_url=aws.url)


def workflow(fake: FakeGitHub, transport: Transport, file: str = "build.yml") -> Jobs:
    github = GitHub(Sender(transport, Site.of(fake.url), WoundClock()), FixedToken(fake.token()))
    return GitHubForge(github, [REPOSITORY]).jobs(file)


@pytest.fixture(params=["codebuild", "github-actions"])
def bench(request: pytest.FixtureRequest, running: LabRegistry, transport: Transport) -> Bench:
    registry = HttpRegistry(transport)
    if request.param == "codebuild":
        aws: AwsStub = request.getfixturevalue("aws")
        return Bench(codebuild(aws), InCodeBuild(aws), running, registry, WoundClock())
    fake: FakeGitHub = request.getfixturevalue("fake")
    return Bench(workflow(fake, transport), InGitHub(fake), running, registry, WoundClock())


def name_of(bench: Bench) -> str:
    return type(bench.place).__name__.lower()


def test_a_job_is_started_followed_and_its_image_taken_from_the_registry(bench: Bench) -> None:
    order = bench.order(f"{name_of(bench)}-whole")

    first = bench.builder.build(order)
    during = bench.builder.build(order)
    digest = push(bench.registry, order)
    bench.place.end(well=True)
    built = bench.builder.build(order)

    assert isinstance(first, Building)
    assert isinstance(during, Building)
    assert (first.look, during.look) == (LOOK, LOOK)
    assert during.why.endswith(f" builds {order.destination}")
    assert isinstance(built, Built)
    assert built.digest == digest
    assert len(bench.place.started()) == 1


def test_a_job_is_told_all_that_the_order_says(bench: Bench) -> None:
    order = bench.order(f"{name_of(bench)}-facts", target="runtime")

    bench.builder.build(order)

    assert bench.place.started() == [
        {
            "image": str(order.destination),
            "repository": REPOSITORY,
            "commit": COMMIT,
            "dockerfile": "app/Dockerfile",
            "context": "app",
            "target": "runtime",
            "platform": "linux/amd64",
            "base": "public.ecr.aws/lambda/python:3.13",
            "build_args": "APP_ENV=production\nX=a=b c",
            "labels": "\n".join(f"{name}={value}" for name, value in order.labels.items()),
        }
    ]


def test_another_process_finds_the_job_and_starts_no_second_one(bench: Bench) -> None:
    order = bench.order(f"{name_of(bench)}-killed")
    bench.builder.build(order)

    answers = [bench.builder.build(order) for _ in range(3)]

    assert all(isinstance(answer, Building) for answer in answers)
    assert len(bench.place.started()) == 1


def test_other_orders_are_other_jobs(bench: Bench) -> None:
    orders = [bench.order(f"{name_of(bench)}-{number}") for number in range(3)]

    for order in orders:
        bench.builder.build(order)
    bench.place.end(well=False)

    assert [job["image"] for job in bench.place.started()] == [str(order.destination) for order in orders]
    assert isinstance(bench.builder.build(orders[0]), Building)
    with pytest.raises(BuildError):
        bench.builder.build(orders[2])


def test_a_job_that_failed_is_told_and_not_started_again(bench: Bench) -> None:
    order = bench.order(f"{name_of(bench)}-failed")
    bench.builder.build(order)
    bench.place.end(well=False)

    for _ in range(2):
        with pytest.raises(BuildError, match=rf"failed to build {order.destination}; see its log, and run it again"):
            bench.builder.build(order)

    assert len(bench.place.started()) == 1


@pytest.mark.parametrize("labels", [None, {}, {REVISION_LABEL: "other"}], ids=["nothing", "unlabelled", "other commit"])
def test_a_job_that_succeeded_is_not_believed_without_its_image(bench: Bench, labels: dict[str, str] | None) -> None:
    order = bench.order(f"{name_of(bench)}-liar{len(labels) if labels is not None else 'x'}")
    bench.builder.build(order)
    if labels is not None:
        push(bench.registry, order, labels)
    bench.place.end(well=True)

    with pytest.raises(BuildError, match="let the job push that tag with all the labels that it is given"):
        bench.builder.build(order)


def test_an_image_that_is_there_starts_no_job(bench: Bench) -> None:
    order = bench.order(f"{name_of(bench)}-there")
    digest = push(bench.registry, order)

    built = bench.builder.build(order)

    assert isinstance(built, Built)
    assert (built.digest, bench.place.started()) == (digest, [])


def test_what_has_several_lines_is_refused_before_anything_starts(bench: Bench) -> None:
    order = bench.order(f"{name_of(bench)}-lines", build_args={"X": "a\nLABEL=b"})

    with pytest.raises(BuildError, match="X has several lines, which this builder cannot be told"):
        bench.builder.build(order)

    assert not bench.place.started()


class Unlisted:
    """Jobs that are listed late."""

    def __init__(self) -> None:
        self.started = 0
        self.fault: BuildError | None = None

    def find(self, order: BuildOrder) -> None:
        del order

    def start(self, order: BuildOrder) -> str:
        if self.fault:
            raise self.fault
        self.started += 1
        return f"job {self.started} of {order.repository}"


def test_what_was_started_a_moment_ago_may_not_be_listed_yet(bench: Bench) -> None:
    jobs, order = Unlisted(), bench.order("late")
    builder = ElsewhereBuilder(jobs, bench.registry, bench.clock)

    answers = [builder.build(order), builder.build(order)]
    bench.clock.wait_until(bench.clock.now() + UNLISTED + timedelta(seconds=1))
    answers.append(builder.build(order))

    assert [answer.why for answer in answers if isinstance(answer, Building)] == [
        f"job 1 of acme/orders is to build {order.destination}",
        f"the job that builds {order.destination} is not listed yet",
        f"job 2 of acme/orders is to build {order.destination}",
    ]


def test_what_could_not_be_started_is_tried_again(bench: Bench) -> None:
    jobs, order = Unlisted(), bench.order("refused")
    builder = ElsewhereBuilder(jobs, bench.registry, bench.clock)
    jobs.fault = BuildError("no; yes")
    with pytest.raises(BuildError):
        builder.build(order)
    jobs.fault = None

    builder.build(order)

    assert jobs.started == 1


class TestCodeBuild:
    def test_the_end_of_the_log_is_told(self, aws: AwsStub, running: LabRegistry, transport: Transport) -> None:
        builder, order = (
            ElsewhereBuilder(codebuild(aws), HttpRegistry(transport), WoundClock()),
            an_order(running, "log"),
        )
        builder.build(order)
        aws.codebuild.finish("TIMED_OUT", *(f"line {number}" for number in range(80)))

        with pytest.raises(BuildError, match=r"CodeBuild images:00000001-.* \(TIMED_OUT\) failed") as caught:
            builder.build(order)

        assert caught.value.log.splitlines() == [f"line {number}" for number in range(30, 80)]

    def test_a_log_that_cannot_be_read_is_named(self, aws: AwsStub, running: LabRegistry) -> None:
        jobs, order = codebuild(aws), an_order(running, "closed")
        jobs.start(order)
        aws.codebuild.finish("FAILED")
        aws.fail_next("GetLogEvents", "AccessDeniedException", "no")

        job = jobs.find(order)

        assert job is not None
        assert job.log.startswith("its log cannot be read (An error occurred (AccessDeniedException)")
        assert job.log.endswith("https://console.invalid/00000001-0000-0000-0000-000000000000")

    def test_the_same_order_at_the_same_moment_is_one_build(self, aws: AwsStub, running: LabRegistry) -> None:
        order = an_order(running, "twice")

        names = {codebuild(aws).start(order) for _ in range(2)}

        assert len(names) == len(aws.codebuild.builds) == 1
        assert aws.codebuild.builds[0].source == COMMIT

    def test_the_latest_build_of_an_order_counts(self, aws: AwsStub, running: LabRegistry) -> None:
        jobs, order = codebuild(aws), an_order(running, "again")
        jobs.start(order)
        first = aws.codebuild.finish("FAILED")
        retried = type(first)(
            id="images:00000002-0000-0000-0000-000000000000",
            source=first.source,
            token="another",  # noqa: S106 - an idempotency token is no secret
            variables=first.variables,
            started=first.started + timedelta(minutes=9),
        )
        aws.codebuild.builds.append(retried)

        job = jobs.find(order)

        assert job is not None
        assert job.where == f"CodeBuild {retried.id}"

    @pytest.mark.parametrize(
        ("code", "cure"),
        [
            ("AccessDeniedException", "allow codebuild:StartBuild, codebuild:ListBuildsForProject and"),
            ("AccountLimitExceededException", "wait until fewer builds run, or raise the account's limit"),
            ("InvalidInputException", "look the code up in the CodeBuild API reference"),
        ],
    )
    def test_what_aws_refuses_is_told_with_its_cure(
        self, aws: AwsStub, running: LabRegistry, code: str, cure: str
    ) -> None:
        aws.fail_next("StartBuild", code, "no")

        with pytest.raises(BuildError, match=rf"CodeBuild project images in {REGION}: no \({code}\); {cure}"):
            codebuild(aws).start(an_order(running, "denied"))

    def test_a_project_that_is_not_there_is_told(self, aws: AwsStub, running: LabRegistry) -> None:
        with pytest.raises(
            BuildError, match=r"Project cannot be found.*; correct project or region under deploy.builder"
        ):
            codebuild(aws, "ghost").find(an_order(running, "ghost"))

    def test_an_aws_that_does_not_answer_may_answer_later(self, running: LabRegistry, aws: AwsStub) -> None:
        nowhere = CodeBuild("images", REGION, endpoint_url="http://127.0.0.1:9")
        del aws  # its credentials are needed

        with pytest.raises(BuildError, match="AWS cannot be asked") as caught:
            nowhere.find(an_order(running, "silent"))

        assert caught.value.retryable


class TestWorkflow:
    def test_the_workflow_of_the_page_takes_what_an_order_says(self, running: LabRegistry) -> None:
        page = (Path(__file__).parents[3] / "docs/how-to/build-elsewhere.md").read_text()
        block = next(block for block in page.split("```yaml\n") if block.startswith("# .github/workflows"))
        described = YAML(typ="safe").load(block.partition("```")[0])

        inputs = described["on"]["workflow_dispatch"]["inputs"]

        assert inputs.keys() == an_order(running, "page").facts.keys() - {"repository"}
        assert described["run-name"] == "${{ inputs.image }}"

    def test_it_is_started_on_the_default_branch(
        self, fake: FakeGitHub, running: LabRegistry, transport: Transport
    ) -> None:
        assert workflow(fake, transport).start(an_order(running, "main")) == "build.yml of acme/orders"

        assert [one["ref"] for one in fake.dispatches] == ["main"]

    def test_a_run_that_does_not_say_what_it_builds_is_told_with_the_cure(
        self, tmp_path: Path, running: LabRegistry, transport: Transport
    ) -> None:
        unnamed = "".join(line for line in WORKFLOW.splitlines(keepends=True) if not line.startswith("run-name"))
        with github_fake(tmp_path / "unnamed") as fake:
            fake.create_repository(REPOSITORY, {".github/workflows/build.yml": unnamed.encode()})
            jobs, order = workflow(fake, transport), an_order(running, "unnamed")
            jobs.start(order)

            with pytest.raises(BuildError, match=r"let the workflow begin with run-name: \$\{\{ inputs.image \}\}"):
                jobs.find(order)

    def test_a_run_that_was_cancelled_failed_and_says_where(
        self, fake: FakeGitHub, running: LabRegistry, transport: Transport
    ) -> None:
        jobs, order = workflow(fake, transport), an_order(running, "cancelled")
        jobs.start(order)
        fake.end_run(REPOSITORY, "cancelled")

        job = jobs.find(order)

        assert job is not None
        assert job.where.endswith("/acme/orders/actions/runs/1 (cancelled)")

    def test_the_latest_run_of_an_order_counts(
        self, fake: FakeGitHub, running: LabRegistry, transport: Transport
    ) -> None:
        jobs, order = workflow(fake, transport), an_order(running, "rerun")
        jobs.start(order)
        fake.end_run(REPOSITORY, "failure")
        jobs.start(order)

        job = jobs.find(order)

        assert job is not None
        assert job.where.endswith("/runs/2")

    def test_a_workflow_that_is_not_there_is_told(
        self, fake: FakeGitHub, running: LabRegistry, transport: Transport
    ) -> None:
        with pytest.raises(ForgeError, match="acme/orders"):
            workflow(fake, transport, "ghost.yml").find(an_order(running, "ghost"))
