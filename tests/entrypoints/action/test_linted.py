"""Workflows and action.yml as the linters of others see them; the workflows in the pages too, for they are copied."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Figure
from tests.lab.installed import beside_python

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs"


def fenced(page: Path) -> list[str]:
    """The YAML blocks of a page that are whole workflows."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if re.search("^jobs:", block, re.MULTILINE)]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the Action and of all workflows, ours and those in the pages."""
    folder = tmp_path_factory.mktemp("linted")
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (folder / ".git").mkdir()  # actionlint finds the local Action by it
    (folder / "action.yml").write_bytes((ROOT / "action.yml").read_bytes())
    for ours in (ROOT / ".github" / "workflows").glob("*.yml"):
        (workflows / ours.name).write_bytes(ours.read_bytes())
    for page in PAGES.rglob("*.md"):
        for number, block in enumerate(fenced(page)):
            (workflows / f"page-{page.stem}-{number}.yml").write_text(block, encoding="utf-8")
    return folder


def workflows_of(repository: Path) -> list[str]:
    return sorted(str(path) for path in (repository / ".github" / "workflows").iterdir())


def lint(folder: Path, program: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [beside_python(program), *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_there_are_workflows_to_lint(repository: Path) -> None:
    names = {Path(path).stem for path in workflows_of(repository)}

    assert {"ci", "refrom"} < names
    assert {
        f"page-{page}-0" for page in ("github-one-repository", "github-organisation", "audit-only", "build-elsewhere")
    } < names


def test_actionlint_finds_nothing(repository: Path, figure: Figure) -> None:
    code, said = lint(repository, "actionlint", "-no-color", *workflows_of(repository))

    figure("what actionlint says of the workflows", (code, said), (0, ""))


def test_their_schemas_hold(repository: Path, figure: Figure) -> None:
    workflows = lint(
        repository, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows_of(repository)
    )
    action = lint(repository, "check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")

    assert "ok" in workflows[1], workflows[1]
    figure("check-jsonschema on workflows and action.yml", (workflows[0], action[0]), (0, 0))


def test_zizmor_finds_nothing(repository: Path, figure: Figure) -> None:
    """A workflow that is against its schema is left out with a warning, so that none may be."""
    code, said = lint(repository, "zizmor", "--offline", "--no-progress", "--color=never", ".")

    assert "WARN" not in said, said
    assert "action.yml" in said
    figure("zizmor --offline on workflows and action.yml", (code, "No findings" in said), (0, True))


@pytest.mark.parametrize(
    ("program", "arguments", "before", "after"),
    [
        ("actionlint", ("-no-color", ".github/workflows/refrom.yml"), "dry-run: ${{ inputs", "dryrun: ${{ inputs"),
        (
            "check-jsonschema",
            ("--builtin-schema", "vendor.github-workflows", ".github/workflows/refrom.yml"),
            "timeout-minutes: 30",
            "timeout: 30",
        ),
        ("zizmor", ("--offline", "--no-progress", "."), 'cd "$RUNNER_TEMP"', 'cd "${{ inputs.config }}"'),
    ],
)
def test_each_of_them_finds_what_is_its_to_find(
    repository: Path, tmp_path: Path, program: str, arguments: tuple[str, ...], before: str, after: str
) -> None:
    subprocess.run(["cp", "-r", f"{repository}/.", str(tmp_path)], check=True)
    for path in (tmp_path / "action.yml", tmp_path / ".github" / "workflows" / "refrom.yml"):
        path.write_text(path.read_text().replace(before, after))

    code, said = lint(tmp_path, program, *arguments)

    assert code != 0, said
