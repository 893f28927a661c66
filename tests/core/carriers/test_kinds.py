"""Which files are read at all, and as what."""

import pytest

from bot.core.carriers import is_candidate, may_name_base, reading_id, scan_file
from bot.core.carriers.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Dockerfile", Kind.DOCKERFILE),
        ("a/b c/dockerfile", Kind.DOCKERFILE),
        (".hidden/Containerfile", Kind.DOCKERFILE),
        ("Dockerfile.arm64", Kind.DOCKERFILE),
        ("x/Dockerfile-py311", Kind.DOCKERFILE),
        ("app.Dockerfile", Kind.DOCKERFILE),
        ("compose.yaml", Kind.COMPOSE),
        ("x/docker-compose.override.yml", Kind.COMPOSE),
        ("template.yaml", Kind.SAM),
        ("infra/api.yml", Kind.SAM),
        ("serverless.yml", Kind.SERVERLESS),
        ("serverless.prod.yaml", Kind.SERVERLESS),
        (".github/workflows/ci.yml", Kind.WORKFLOW),
        ("x/.github/workflows/ci.yaml", Kind.WORKFLOW),
        ("buildspec.yml", Kind.BUILDSPEC),
        ("docker-bake.hcl", Kind.BAKE),
        ("x/docker-bake.override.json", Kind.BAKE),
        ("main.tf", Kind.TERRAFORM),
        ("prod.tfvars", Kind.TERRAFORM),
        ("lib/stack.ts", Kind.CDK),
        ("app.py", Kind.CDK),
        ("Makefile", Kind.MAKEFILE),
        ("x/rules.mk", Kind.MAKEFILE),
        ("run.sh", Kind.SHELL),
        (".dockerignore", None),
        ("Dockerfile.dockerignore", None),
        ("README.md", None),
        ("expected.json", None),
        ("Dockerfiles", None),
        ("dockerfile/readme", None),
        ("main.rs", None),
    ],
)
def test_a_path_tells_the_kind(path: str, kind: Kind | None) -> None:
    assert kind_of(path) == kind
    assert is_candidate(path) == (kind is not None)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("k8s.yaml", "image: public.ecr.aws/lambda/python:3.12\n"),
        ("tool.py", "IMAGE = 'public.ecr.aws/lambda/python:3.12'\n"),
        ("tool.ts", "const image = 'public.ecr.aws/lambda/python:3.12';\n"),
        ("compose.yaml", "services: {a: {image: python}}\n"),
        ("README.md", "FROM public.ecr.aws/lambda/python:3.12\n"),
    ],
)
def test_files_without_a_telling_word_are_passed_over(path: str, content: str) -> None:
    scan = scan_file(path, content.encode())

    assert (scan.uses, scan.skipped, scan.builds) == ((), (), ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"FROM a\n# caf\xe9\n", "not UTF-8 (byte 12)"),
        (b"FROM a\n" + b"#\n" * 5_000_001, "larger than 10000000 bytes"),
    ],
    ids=["latin-1", "large"],
)
def test_bytes_that_are_no_text_are_told(content: bytes, reason: str) -> None:
    scan = scan_file("Dockerfile", content)

    assert scan.uses == ()
    assert reason in scan.skipped[0].reason


@pytest.mark.parametrize(
    ("path", "content", "mirrors", "may"),
    [
        ("Dockerfile", b"FROM x", [], True),
        ("app.py", b"import os", [], False),
        ("app.py", b"import aws_cdk # lambda", [], True),
        ("ci.yaml", b"image: registry.example/bases/python", [], False),
        ("run.sh", b"docker pull registry.example/bases/python", [], False),
        ("run.sh", b"docker pull registry.example/bases/python", ["registry.example/bases"], True),
        ("README.md", b"lambda", [], False),
    ],
)
def test_bytes_tell_whether_reading_may_find_a_base(path: str, content: bytes, mirrors: list[str], may: bool) -> None:
    assert may_name_base(path, content, mirrors=mirrors) is may


def test_another_choice_of_mirrors_is_another_reading() -> None:
    assert reading_id() == reading_id([])
    assert reading_id(["a.example/x", "b.example/y"]) == reading_id(["b.example/y", "a.example/x"])
    assert len({reading_id(), reading_id(["a.example/x"]), reading_id(["b.example/y"])}) == 3
