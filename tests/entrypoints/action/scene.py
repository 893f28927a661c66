"""A checkout whose workflow uses the Action eight times, a GitHub on loopback, and traps for whoever imports there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from git import Actor, Repo

from bot.adapters.registry import LayoutRegistry
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import MOVES
from bot.entrypoints.demo.images import publish_base
from tests.lab.act import ACTION, Job, run_workflow
from tests.lab.github.fake import FakeGitHub

ORDERS: Final = "acme/orders"
SEALED: Final = "acme/sealed"
"""A repository where a workflow has `contents: read`, not write."""
TRAPS: Final = ("bot", "jwt", "pip", "refrom", "requests", "sitecustomize", "venv")
_TRAP: Final = "import os, pathlib\npathlib.Path(os.environ['TRAPS'], __name__).touch()\n"
_MAY: Final = {"contents": "write", "pull_requests": "write", "metadata": "read"}
_PYTHON: Final = MOVES[3]

WORKFLOW: Final = f"""\
on: workflow_dispatch
jobs:
  refrom:
    runs-on: ubuntu-latest
    env:
      PYTHONPATH: .:${{{{ github.workspace }}}}
    steps:
      - uses: actions/checkout@v4
      - run: TRAPS="$CONTROL" python3 -c 'import {", ".join(TRAPS)}'
      - {{id: nowhere, uses: {ACTION}, continue-on-error: true, with: {{config: nowhere.yaml}}}}
      - {{id: mistyped, uses: {ACTION}, continue-on-error: true, with: {{command: rnu, dry-run: maybe}}}}
      - {{id: expired, uses: {ACTION}, continue-on-error: true, with: {{token: "${{{{ secrets.EXPIRED }}}}"}}}}
      - id: sealed
        uses: {ACTION}
        continue-on-error: true
        with: {{config: settings/sealed.yaml, token: "${{{{ secrets.READER }}}}"}}
      - {{id: rehearsed, uses: {ACTION}, with: {{dry-run: "true"}}}}
      - {{id: opened, uses: {ACTION}}}
      - {{id: again, uses: {ACTION}}}
      - {{id: audited, uses: {ACTION}, with: {{command: audit}}}}
      - run: cp "$DOCUMENT" "$TOLD"
        env:
          DOCUMENT: ${{{{ steps.opened.outputs.document }}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What the job left, at the runner, in files and on GitHub."""

    job: Job
    folder: Path
    github: FakeGitHub
    secrets: tuple[str, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The document of the step that opens the pull request, as a later step finds it."""
        document: dict[str, Any] = json.loads((self.folder / "told" / "run.json").read_text())
        return document

    def trapped(self, where: str) -> list[str]:
        """The modules of the checkout that were imported: in `control` on purpose, in `traps` by the Action."""
        return sorted(path.name for path in (self.folder / where).iterdir())


def play(folder: Path, github: FakeGitHub) -> Ran:
    """Publish a base that moves, make the repositories and the checkout, and run its workflow."""
    bases = LayoutRegistry(folder / "registry")
    name = Reference("public.ecr.aws", f"lambda/{_PYTHON.before.name}")
    old = publish_base(bases, name, _PYTHON.before)
    assert _PYTHON.after
    publish_base(bases, name, _PYTHON.after)
    dockerfile = f'FROM {name.with_tag(_PYTHON.before.tag)}@{old}\nCMD ["app.handler"]\n'.encode()
    for repository in (ORDERS, SEALED):
        github.create_repository(repository, {"Dockerfile": dockerfile})
    expired = github.token("github-actions[bot]", _MAY)
    github.expire(expired)
    secrets = {"EXPIRED": expired, "READER": github.token("github-actions[bot]", {**_MAY, "contents": "read"})}
    own = github.token("github-actions[bot]", _MAY)
    variables = {}
    for where in ("control", "told", "traps"):
        (folder / where).mkdir()
        variables[where.upper()] = str(folder / where)
    job = run_workflow(_checkout(folder, github, dockerfile), folder, secrets=secrets, variables=variables, token=own)
    return Ran(job=job, folder=folder, github=github, secrets=(own, *secrets.values()))


def _checkout(folder: Path, github: FakeGitHub, dockerfile: bytes) -> Path:
    """A working tree of the user's repository: settings, workflow, traps."""
    checkout = folder / "checkout"
    for path, content in {
        "Dockerfile": dockerfile.decode(),
        "refrom.yaml": _settings(folder, github, ORDERS),
        "settings/sealed.yaml": _settings(folder, github, SEALED),
        ".github/workflows/refrom.yml": WORKFLOW,
        "bot/__init__.py": _TRAP,
        **{f"{trap}.py": _TRAP for trap in TRAPS if trap != "bot"},
    }.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(content, encoding="utf-8")
    with Repo.init(checkout, initial_branch="main") as repo:
        repo.git.add("--all")
        author = Actor("Ada", "ada@example.com")
        repo.index.commit("A service", author=author, committer=author)
    return checkout


def _settings(folder: Path, github: FakeGitHub, repository: str) -> str:
    return f"""\
version: 1
registries:
  public.ecr.aws: {{url: "oci:{folder / "registry"}"}}
advisories: {{feeds: {{}}}}
forges:
  - {{kind: github, url: "{github.url}", token: {{env: GITHUB_TOKEN}}, include: [{repository}]}}
"""
