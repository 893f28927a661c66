"""References in other files than Dockerfiles: found where they are meant, edited where they stand."""

import pytest

from bot.core.carriers import repoint_file, same_but_for_bases, scan_file
from bot.core.digest import Digest
from bot.core.dockerfile import Literal, Repoint, Unresolvable
from bot.core.errors import DockerfileError

PY = "public.ecr.aws/lambda/python:3.12"
OLD, NEW = Digest.of(b"old"), Digest.of(b"new")
CDK = "import * as cdk from 'aws-cdk-lib';\n"
SAM = "Transform: AWS::Serverless-2016-10-31\n"


def found(path: str, text: str) -> list[tuple[int, str]]:
    scan = scan_file(path, text.encode())
    assert scan.skipped == ()
    assert all((use.use.kind, use.use.final) == ("literal", True) for use in scan.uses)
    return [(use.use.line, use.use.raw) for use in scan.uses]


@pytest.mark.parametrize(
    ("path", "text", "uses"),
    [
        ("compose.yaml", f"services:\n  a:\n    image: {PY}\n", [(3, PY)]),
        ("compose.yaml", f"services:\n  a: &x\n    image: '{PY}'\n  b: *x\n", [(3, PY)]),
        ("compose.yaml", f"services:\n  a:\n    image: {PY}\n    build: .\n", []),
        ("compose.yaml", f"services: {{a: {{build: {{args: [B={PY}], tags: [{PY}]}}}}}}\n", [(1, PY)]),
        ("compose.yaml", f"a:\n  dockerfile_inline: |\n  image: {PY}\n", [(3, PY)]),
        ("compose.yaml", f"# {PY}\nservices:\n  a:\n    image: x # {PY}\n", []),
        ("compose.yaml", f"services:\n  a:\n    command: docker run {PY} x\n", [(3, PY)]),
        ("compose.yaml", f"services:\n  a:\n    labels:\n      about: made of {PY} by hand\n", []),
        ("compose.yaml", f"services:\r\n  a:\r\n    image: {PY}\r\n", [(3, PY)]),
        ("compose.yaml", f"\ufeffa: 1\n---\nservices: {{a: {{image: {PY}}}}}\n", [(3, PY)]),
        ("compose.yaml", "services:\n  a:\n    image: src/lambda/python\n    volumes: [./lambda/python:/x]\n", []),
        (
            "compose.yaml",
            (f"services:\n  a:\n    build:\n      dockerfile_inline: |\n        ARG V=3.12\n\n"
            f"        FROM {PY[:-4]}$V AS x\n        COPY --from={PY} a b\n"),
            [(7, f"{PY[:-4]}$V"), (8, PY)],
        ),
        ("template.yaml", f"{SAM}Resources:\n  F:\n    Metadata:\n     DockerBuildArgs:\n      B: {PY}\n", [(6, PY)]),
        ("template.yaml", f"{SAM}Resources:\n  F:\n    Metadata:\n      DockerTag: {PY}\n", []),
        ("template.yaml", f"{SAM}A: !Sub '{PY}'\nB: !Ref X\n", [(2, PY)]),
        ("serverless.yml", f"provider:\n  ecr:\n    images:\n      a: {{uri: {PY}}}\n", [(4, PY)]),
        ("buildspec.yml", f'phases:\n  build:\n    commands:\n    - docker pull {PY}\n    - X "{PY} it"\n', [(4, PY)]),
        (
            ".github/workflows/a.yml",
            (f"jobs:\n  a:\n    container: {PY}\n    steps:\n      - name: on {PY}\n        run: |\n"
             f"          # docker pull {PY}\n          docker build -t {PY} --build-arg B={PY} .\n"
             f"          docker push {PY}\n"),
            [(3, PY), (8, PY)],
        ),
        (
            ".github/workflows/a.yml",
            (f"jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n"
             f"          tags: {PY}\n          build-args: |\n            A={PY}\n            B=x\n"),
            [(8, PY)],
        ),
        ("docker-bake.hcl", f'target "a" {{\n  args = {{ B = "{PY}" }}\n  tags = ["{PY}"]\n}}\n', [(2, PY)]),
        ("docker-bake.hcl", f'target "a" {{\n  contexts = {{ b = "docker-image://{PY}" }}\n}}\n', [(2, PY)]),
        ("docker-bake.hcl", f'x = "${{lookup(m, "{PY}")}}"\n# "{PY}"\ny = "{PY}"\n', [(3, PY)]),
        ("docker-bake.hcl", f'target "a" {{\n  dockerfile-inline = <<-E\n    FROM {PY}\n  E\n}}\n', [(3, PY)]),
        ("docker-bake.json", f'{{"target": {{"a": {{"args": {{"B": "{PY}"}}, "tags": ["{PY}"]}}}}}}', [(1, PY)]),
        ("main.tf", f'variable "v" {{\n  default = "{PY}" // was "{PY}"\n}}\n/* "{PY}" */\n', [(2, PY)]),
        ("main.tf", f'locals {{\n  a = var.x ? "{PY}" : null\n  b = [for s in ["{PY}"] : s]\n}}\n', [(2, PY), (3, PY)]),
        ("main.tf", f'x = "a {PY}"\ny = "\\"{PY}\\""\n', []),
        ("a.ts", f"{CDK}// '{PY}'\nconst a = \"{PY}\", b = `{PY}`; /* '{PY}' */\n", [(3, PY), (3, PY)]),
        ("a.ts", f"{CDK}const re = /[\"']/; x('{PY}');\n", [(2, PY)]),
        ("a.py", f"import aws_cdk\n# '{PY}'\n\"\"\"{PY}\n\"\"\"\na = '{PY}' if f\"{PY}\" else x\n", [(5, PY), (5, PY)]),
        ("Makefile", f"BASE ?= {PY} # {PY}\nx:\n\tdocker build --build-arg B={PY} -t {PY} .\n", [(1, PY), (3, PY)]),
        ("a.sh", f"B='{PY}'\necho \"the {PY}\"; docker run \"{PY}\"&&x\n", [(1, PY), (2, PY)]),
        ("a.sh", f"docker tag {PY} {PY}\n", [(1, PY)]),
        ("a.sh", f"cat > D <<E\nFROM {PY}\nE\ncat <<X\ndocker pull {PY}\nX\n", [(2, PY)]),
        ("a.sh", f"cat <<-'E' <<F\n\tFROM {PY}\n\tE\nFROM {PY} AS x\nF\n", [(2, PY), (4, PY)]),
        ("a.sh", f"docker build --tag={PY} \\\n  --build-arg=B={PY} .\n", [(2, PY)]),
    ],
)  # fmt: skip
def test_references_are_found_where_they_are_meant(path: str, text: str, uses: list[tuple[int, str]]) -> None:
    assert found(path, text) == uses


@pytest.mark.parametrize(
    ("path", "text", "resolved", "reason"),
    [
        ("compose.yaml", "services: {a: {image: 'public.ecr.aws/lambda/python:${V:-3.12}'}}\n", PY, ""),
        ("compose.yaml", "services: {a: {image: 'public.ecr.aws/lambda/python:${V}'}}\n", None, "V is not known here"),
        (
            ".github/workflows/a.yml", "env: {B: 'public.ecr.aws/lambda/python:${{ matrix.v }}'}\n", None,
            "it comes from ${{ matrix.v }}",
        ),
        ("a.ts", f"{CDK}`public.ecr.aws/lambda/python:${{props.v}}`\n", None, "it comes from ${props.v}"),
        ("a.py", "import aws_cdk\nf'public.ecr.aws/lambda/python:{v}'\n", None, "it comes from {v}"),
        ("main.tf", 'a = "public.ecr.aws/lambda/python:${var.v}"\n', None, "it comes from ${var.v}"),
        ("Makefile", "B = public.ecr.aws/lambda/python:$(V)\n", None, "it comes from $(V)"),
        ("a.sh", "docker run public.ecr.aws/lambda/python:$V\n", None, "V is not known here"),
        ("a.sh", "docker run public.ecr.aws/lambda/$L:3.12\n", None, "a part of the reference is put in"),
        ("a.sh", "docker run public.ecr.aws/lambda/python:3.12-$A\n", None, "a part of the reference is put in"),
    ],
)  # fmt: skip
def test_what_is_put_in_is_not_known(path: str, text: str, resolved: str | None, reason: str) -> None:
    (located,) = scan_file(path, text.encode()).uses

    assert located.use.resolved == resolved
    assert reason in located.use.cannot_edit
    assert isinstance(located.use.edit, Unresolvable if reason and "part" not in reason else Literal)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("compose.yaml", f"a: {{image: {PY}}} # x\r\n", f"a: {{image: {PY}@{NEW}}} # x\r\n"),
        ("compose.yaml", f'a: "{PY}@{OLD}"\n', f'a: "{PY}@{NEW}"\n'),
        ("compose.yaml", "a: 'public.ecr.aws/lambda/go:${V:-1}'\n", f"a: 'public.ecr.aws/lambda/go:${{V:-1@{NEW}}}'\n"),
        (
            "compose.yaml",
            f"a:\n  dockerfile_inline: |\n    ARG V=3.12\n    FROM {PY[:-4]}$V\n",
            f"a:\n  dockerfile_inline: |\n    ARG V=3.12@{NEW}\n    FROM {PY[:-4]}$V\n",
        ),
        ("docker-bake.hcl", f'a = "docker-image://{PY}"', f'a = "docker-image://{PY}@{NEW}"'),
        ("main.tf", f'\ufeffa = "{PY}"\n', f'\ufeffa = "{PY}@{NEW}"\n'),
        ("a.ts", f"{CDK}é('{PY}')", f"{CDK}é('{PY}@{NEW}')"),
        ("Makefile", f"B={PY}\n", f"B={PY}@{NEW}\n"),
        ("a.sh", f"cat <<E\nFROM {PY} AS x\nE\nx={PY}\n", f"cat <<E\nFROM {PY}@{NEW} AS x\nE\nx={PY}@{NEW}\n"),
        ("Dockerfile", f"FROM {PY}\n", f"FROM {PY}@{NEW}\n"),
    ],
)
def test_an_edit_changes_the_reference_alone(path: str, before: str, after: str) -> None:
    changes = [Repoint(use=each.use, tag=None, digest=NEW) for each in scan_file(path, before.encode()).uses]

    edited = repoint_file(path, before.encode(), changes)

    assert edited.decode() == after
    assert repoint_file(path, edited, changes) == edited
    assert same_but_for_bases(path, before.encode(), edited)
    assert not same_but_for_bases(path, before.encode(), edited + b" ")


@pytest.mark.parametrize("mirror", ["registry.example/bases", "docker.io/acme/bases", "docker.io/acme/bases/"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("compose.yaml", "a: {image: MIRROR/python:3.12}\n"),
        ("main.tf", 'a = "MIRROR/python:3.12"\n'),
        ("a.sh", "docker run MIRROR/python:3.12\n"),
    ],
)
def test_a_mirror_of_the_settings_is_found_and_edited_in_every_kind(path: str, text: str, mirror: str) -> None:
    """Nothing in the file says `lambda`; Docker Hub's name may be left out."""
    content = text.replace("MIRROR", mirror.rstrip("/").removeprefix("docker.io/")).encode()

    (located,) = scan_file(path, content, mirrors=[mirror]).uses

    assert located.use.lambda_image
    assert located.use.lambda_image.runtime == "python3.12"
    edited = repoint_file(path, content, [Repoint(use=located.use, tag=None, digest=NEW)], mirrors=[mirror])
    assert edited == content.replace(b"3.12", f"3.12@{NEW}".encode())
    assert scan_file(path, content).uses == ()


def test_files_of_no_kind_are_neither_edited_nor_compared() -> None:
    with pytest.raises(DockerfileError, match="of no kind that names base images"):
        repoint_file("README.md", b"", [])
    with pytest.raises(DockerfileError, match="not UTF-8"):
        repoint_file("Dockerfile", b"\xff", [])
    assert not same_but_for_bases("README.md", b"a", b"b")
    assert not same_but_for_bases("compose.yaml", b"a: [", b"a: b")
    assert same_but_for_bases("README.md", b"a", b"a")


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("compose.yaml", "a: lambda\nb: [\n", "it is no YAML"),
        ("compose.yaml", "a: lambda\n\tb: c\n", "it is no YAML"),
        ("compose.yaml", "lambda: \x01\n", "it is no YAML"),
        ("compose.yaml", "lambda: " + "[" * 20_000, "nested more than 100 deep"),
        ("compose.yaml", "lambda:\n" + "".join(f"{' ' * i}a:\n" for i in range(1, 200)), "nested more than 100 deep"),
        ("compose.yaml", "lambda: 1\n" + "a: b\n" * 250_000, "more than 1000000 characters"),
        ("main.tf", "lambda = " + "[" * 20_000, "nested more than 100 deep"),
        ("main.tf", "lambda " + "{ a " * 20_000, "nested more than 100 deep"),
        ("a.sh", "cat <<E\nFROM a b lambda\nE\n", "the Dockerfile here: FROM requires"),
    ],
    ids=["flow", "tab", "control", "deep-flow", "deep-block", "large", "deep-list", "deep-block-hcl", "dockerfile"],
)
def test_what_cannot_be_read_is_told(path: str, text: str, reason: str) -> None:
    (skipped,) = scan_file(path, text.encode()).skipped

    assert reason in skipped.reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sh", "lambda " + '"' * 200_001),
        ("a.sh", "lambda " + "<<E\n" * 50_000),
        ("a.sh", "lambda " + "$(" * 100_000),
        ("a.ts", f"{CDK}lambda " + "`\\" * 100_000),
        ("a.py", "aws_cdk lambda " + '"""' * 50_001),
        ("main.tf", 'lambda = "' + "${" * 100_000),
        ("main.tf", 'lambda = "' + '${"' * 100_000),
        ("main.tf", "lambda = <<E\n" * 2_000),
        ("Makefile", "lambda = " + "public.ecr.aws/lambda/" * 10_000),
    ],
    ids=["quotes", "heredocs", "substitutions", "templates", "triples", "braces", "strings", "hcl-heredocs", "word"],
)  # fmt: skip
def test_hostile_text_ends(path: str, text: str) -> None:
    assert scan_file(path, text.encode()).uses == ()
