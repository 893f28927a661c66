"""What other files make of a Dockerfile that they build with other arguments or another target."""

import pytest

from bot.core.carriers import Context, SourceFile, scan_files

DOCKERFILE = "ARG V=3.12\nFROM public.ecr.aws/lambda/python:$V AS one\nFROM public.ecr.aws/lambda/nodejs:22 AS two\n"


def contexts(path: str, text: str, dockerfile: str) -> list[tuple[Context, ...]]:
    files = [SourceFile(path=path, content=text.encode()), SourceFile(path=dockerfile, content=DOCKERFILE.encode())]
    (uses,) = [scan.uses for name, scan in scan_files(files) if name == dockerfile]
    return [use.contexts for use in uses]


@pytest.mark.parametrize(
    ("path", "text", "dockerfile"),
    [
        (
            "x/compose.yaml",
            "services: {a: {build: {context: app, target: one, args: {V: '3.13'}}}}",
            "x/app/Dockerfile",
        ),
        (
            "compose.yaml",
            "services: {a: {build: {context: ., dockerfile: d/Dockerfile.x, target: one, args: [V=3.13]}}}",
            "d/Dockerfile.x",
        ),
        (
            "compose.yaml",
            "x: &b {context: app, target: one}\nservices: {a: {build: {<<: *b, args: {V: '3.13'}}}}",
            "app/Dockerfile",
        ),
        (
            "template.yaml",
            ("Transform: AWS::Serverless-2016-10-31\nResources: {F: {Metadata: {DockerContext: app,"
             " DockerBuildTarget: one, DockerBuildArgs: {V: '3.13'}}}}"),
            "app/Dockerfile",
        ),
        (
            ".github/workflows/ci.yml",
            ("jobs: {a: {steps: [{uses: docker/build-push-action@v6,"
            " with: {context: app, target: one, build-args: V=3.13}}]}}"),
            "app/Dockerfile",
        ),
        (
            ".github/workflows/ci.yml",
            ("jobs: {a: {steps: [{uses: docker/build-push-action@v6,"
            " with: {file: app/Dockerfile, target: one, build-args: V=3.13}}]}}"),
            "app/Dockerfile",
        ),
        (
            "docker-bake.hcl",
            ('variable "V" { default = "3.13" }\ntarget "base" { context = "app" }\n'
            'target "a" {\n  inherits = ["base"]\n  target = "one"\n  args = { V = V }\n}\n'),
            "app/Dockerfile",
        ),
        (
            "docker-bake.json",
            '{"target": {"a": {"context": "app", "target": "one", "args": {"V": "3.13"}}}}',
            "app/Dockerfile",
        ),
    ],
    ids=["compose", "compose-file", "compose-merge", "sam", "workflow", "workflow-file", "bake", "bake-json"],
)  # fmt: skip
def test_a_build_gives_each_use_a_context(path: str, text: str, dockerfile: str) -> None:
    first, second = contexts(path, text, dockerfile)

    args = (("V", "3.13"),)
    assert first == (
        Context(source=path, args=args, target="one", resolved="public.ecr.aws/lambda/python:3.13", final=True),
    )
    assert [context.final for context in second] == [False]


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("compose.yaml", "services: {a: {build: {context: app, args: {V: '${V:-3.13}'}}}}", "3.13"),
        ("compose.yaml", "services: {a: {build: {context: app, args: {V: '${V}'}}}}", None),
        (
            "template.yaml",
            (
                "Transform: AWS::Serverless-2016-10-31\n"
                "Resources: {F: {Metadata: {DockerContext: app, DockerBuildArgs: {V: !Ref V}}}}"
            ),
            None,
        ),
        (
            ".github/workflows/ci.yml",
            "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {context: app, build-args: 'V=${{ x }}'}}]}}",
            None,
        ),
        ("docker-bake.hcl", 'target "a" {\n  context = "app"\n  args = { V = other.thing }\n}\n', None),
    ],
)
def test_an_argument_that_is_put_in_is_given_but_not_known(path: str, text: str, value: str | None) -> None:
    """The default of the Dockerfile does not count there."""
    first, _ = contexts(path, text, "app/Dockerfile")

    assert [(context.args, context.resolved) for context in first] == [
        ((("V", value),), f"public.ecr.aws/lambda/python:{value}" if value else None)
    ]


RUN = "docker build --target one --build-arg V=3.13 -t x"


@pytest.mark.parametrize(
    ("path", "text", "dockerfile"),
    [
        ("x/Makefile", f"image:\n\t@{RUN} \\\n\t  -f app/Dockerfile .\n", "x/app/Dockerfile"),
        ("Makefile", f"image:\n\tDOCKER_BUILDKIT=1 {RUN} --pull app && docker push x\n", "app/Dockerfile"),
        ("Makefile", "i:\n\tdocker buildx build --load --build-arg=V=3.13 --target=one app\n", "app/Dockerfile"),
        ("buildspec.yml", f"phases: {{build: {{commands: ['{RUN} app']}}}}\n", "app/Dockerfile"),
        (
            ".github/workflows/a.yml",
            f"jobs: {{a: {{steps: [{{run: '{RUN} --file app/Dockerfile .'}}]}}}}",
            "app/Dockerfile",
        ),
        (
            ".github/workflows/a.yml",
            f"jobs:\n  a:\n    steps:\n      - run: |\n          true\n          {RUN} app # x\n",
            "app/Dockerfile",
        ),
    ],
    ids=["make-file", "make-context", "buildx", "buildspec", "workflow", "workflow-block"],
)
def test_a_build_command_gives_each_use_a_context(path: str, text: str, dockerfile: str) -> None:
    first, _ = contexts(path, text, dockerfile)

    assert [(context.args, context.target, context.resolved) for context in first] == [
        ((("V", "3.13"),), "one", "public.ecr.aws/lambda/python:3.13")
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Makefile", f"i:\n\tcd app && {RUN} .\n"),
        ("Makefile", f"i:\n\t{RUN} - < app/Dockerfile\n"),
        ("Makefile", f"i:\n\t{RUN} $(DIR)\n"),
        ("Makefile", "i:\n\tdocker build -t x app\n"),
        ("Makefile", "i:\n\tdocker\n\tdocker run build --target one app\n"),
        ("build.sh", f"{RUN} app\n"),
    ],
    ids=["cd", "pipe", "variable", "plain", "no-build", "script"],
)
def test_a_command_whose_folder_is_not_known_or_that_says_nothing_gives_none(path: str, text: str) -> None:
    assert contexts(path, text, "app/Dockerfile") == [(), ()]


def test_serverless_builds_without_a_target() -> None:
    text = "provider: {ecr: {images: {a: {path: app, file: Dockerfile, buildArgs: {V: '3.13'}}}}}"

    first, _ = contexts("serverless.yml", text, "app/Dockerfile")

    assert [context.resolved for context in first] == ["public.ecr.aws/lambda/python:3.13"]


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {build: app}}",
        "services: {a: {build: {context: app}}}",
        "services: {a: {build: {context: '${DIR}', args: {V: '3.13'}}}}",
        "services: {a: {build: {context: 'https://example.com/app.git', args: {V: '3.13'}}}}",
        "services: {a: {build: {context: ../other, args: {V: '3.13'}}}}",
        "services: {a: {build: {context: app, target: missing}}}",
        "services: [build]",
    ],
)
def test_a_plain_build_or_one_that_is_not_known_gives_none(text: str) -> None:
    assert contexts("compose.yaml", text, "app/Dockerfile") == [(), ()]


def test_the_plain_build_stays_what_resolved_says() -> None:
    files = [
        SourceFile(path="b/compose.yaml", content=b"services: {a: {build: {args: {V: '3.13'}}}}"),
        SourceFile(path="b/Dockerfile", content=DOCKERFILE.encode()),
        SourceFile(path="a", fault="it cannot be read: no"),
    ]

    scans = dict(scan_files(files))

    assert list(scans) == ["a", "b/Dockerfile", "b/compose.yaml"]
    assert scans["b/Dockerfile"].uses[0].use.resolved == "public.ecr.aws/lambda/python:3.12"
    assert scans["a"].skipped[0].reason == "it cannot be read: no"
