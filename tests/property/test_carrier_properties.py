"""Whatever stands in a file of any kind: reading it ends without an error, and an edit proves itself or is refused."""

import random

import pytest

from bot.core.carriers import repoint_file, scan_file
from bot.core.digest import Digest
from bot.core.dockerfile import Repoint
from bot.core.errors import DockerfileError

NEW = Digest.of(b"new")
PY = "public.ecr.aws/lambda/python:3.12"
FILES = {
    "compose.yaml": f"""services:
  a: &x
    image: "{PY}"
    build: {{context: app, target: one, args: [V=3.12, B={PY}]}}
  b:
    <<: *x
    build:
      dockerfile_inline: |
        ARG V=3.12
        FROM public.ecr.aws/lambda/python:$V AS one
""",
    "template.yaml": f"Transform: AWS::Serverless-2016-10-31\nA: !Sub '{PY}'\nB: {{DockerBuildArgs: {{V: !Ref X}}}}\n",
    ".github/workflows/a.yml": f"jobs:\n a:\n  container: {PY}\n  steps:\n  - run: |\n     docker build -f a {PY}\n",
    "docker-bake.hcl": f'target "a" {{\n  args = {{ B = "{PY}" }}\n  dockerfile-inline = <<E\nFROM {PY}\nE\n}}\n',
    "main.tf": f'locals {{\n  a = var.x ? "{PY}" : "${{b}}"\n  c = ["{PY}"] # x\n}}\n',
    "a.ts": f"import 'aws-cdk-lib';\nconst r = /[\"']/, a = '{PY}', b = `{PY}`; // x\n",
    "a.py": f'import aws_cdk\na = \'{PY}\'\nb = f"{PY}" # x\n"""y"""\n',
    "Makefile": f"B = {PY}\ni:\n\tdocker build --build-arg B={PY} --target one .\n",
    "a.sh": f"cat > D <<E\nFROM {PY}\nE\ndocker run '{PY}'\n",
    "Dockerfile": f"ARG V=3.12\nFROM {PY} AS a\nFROM {PY[:-4]}$V\nCOPY --from={PY} a b\n",
}
PIECES = (
    '"', "'", "`", "{", "}", "${", "$(", "[", "]", "<<E\n", "\n", "\r\n", "\t", "#", "//", "/*", "*/", "|\n", ">\n",
    ": ", "- ", "&a ", "*a", "!Ref ", "\\", "\ufeff", PY, f"@{Digest.of(b'old')}", "FROM ", "ARG V=3\n", "\0", "\u2028",
    "%{", "<<: ", "--- \n", "docker build ", "é",
)  # fmt: skip


def damaged(text: str, dice: random.Random) -> str:
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(text) + 1)
        match dice.randrange(3):
            case 0:
                text = text[:at] + dice.choice(PIECES) * dice.choice((1, 1, 3, 50)) + text[at:]
            case 1:
                text = text[:at] + text[at + dice.randint(1, 20) :]
            case _:
                copied = dice.randrange(len(text) + 1)
                text = text[:at] + text[copied : copied + 40] + text[at:]
    return text


@pytest.mark.parametrize("path", FILES)
def test_a_damaged_file_is_read_and_an_edit_of_it_proves_itself_or_is_refused(path: str) -> None:
    dice = random.Random(path)  # noqa: S311 - not for secrets
    edited = 0
    for _ in range(400):
        content = damaged(FILES[path], dice).encode()
        uses = [located.use for located in scan_file(path, content).uses]
        changes = [Repoint(use=use, tag=None, digest=NEW) for use in uses if use.lambda_image and not use.cannot_edit]
        try:
            after = repoint_file(path, content, changes) if changes else content
            assert repoint_file(path, after, changes) == after if changes else True
        except DockerfileError:
            continue
        edited += after != content
        assert f"@{NEW}@".encode() not in after

    assert edited > 10
