"""The first settings are read back as what they were written from, however the names in them are made."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.policy import Policy
from bot.settings import load_settings
from bot.settings.starter import SCHEMA_FILE, starter
from bot.settings.values import DockerBuilder, GitHubForge, LambdaDeployer, LocalForge, Settings

ENVIRON = {"GITHUB_TOKEN": "t0ken"}
GITHUB = GitHubForge(url="https://git.acme.example/api/v3", include=("acme/orders",))


def read(folder: Path, text: str) -> Settings:
    path = folder / "refrom.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, ENVIRON)


def test_the_settings_name_the_forge_and_keep_every_default(tmp_path: Path) -> None:
    settings = read(tmp_path, starter(GITHUB, ["python3.13"], ["Dockerfile"]))

    assert settings.forge == GitHubForge(url=GITHUB.url, include=GITHUB.include, token="t0ken")  # noqa: S106
    assert (settings.policy, settings.overrides, settings.watch) == (Policy(), (), ())
    assert (settings.builder, settings.deployer, settings.targets) == (None, None, ())


def test_an_owner_whose_users_are_managed_has_an_underscore(tmp_path: Path) -> None:
    forge = GitHubForge(url=GITHUB.url, include=("ada_acme/my.Site-2_x",))

    assert read(tmp_path, starter(forge, [], [])).forge == replace(forge, token="t0ken")  # noqa: S106


def test_the_first_line_leads_editors_to_the_schema() -> None:
    first = starter(GITHUB, [], []).splitlines()[0]

    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE}"


def test_what_is_commented_out_is_valid_once_it_is_not(tmp_path: Path) -> None:
    head, mark, tail = starter(GITHUB, [], ["app/Dockerfile", "b/Dockerfile"]).partition("# registries:\n")
    uncommented = "\n".join(line.removeprefix("# ") for line in (mark + tail).splitlines())

    settings = read(tmp_path, f"{head}{uncommented}\n")

    assert (settings.builder, settings.deployer) == (DockerBuilder(), LambdaDeployer(region="eu-west-1"))
    (target,) = settings.targets
    assert (target.function, target.repository, target.dockerfile) == ("orders", "acme/orders", "app/Dockerfile")
    assert target.destination
    assert settings.registries[target.destination.registry].ecr_region == "eu-west-1"


def test_a_name_that_no_function_may_have_is_replaced_in_the_placeholder() -> None:
    text = starter(GitHubForge(url=GITHUB.url, include=("acme/My.Orders_2",)), [], [])

    assert "function: my-orders-2\n" in text
    assert "eu-west-1.amazonaws.com/my-orders-2\n" in text


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a\u2028b", "a\udcffb", "a\ufeffb"])
def test_a_dockerfile_whose_name_yaml_cannot_hold_is_passed_over(name: str) -> None:
    text = starter(GITHUB, [], [f"{name}/Dockerfile"])

    assert 'dockerfile: "Dockerfile"' in text


@given(
    root=st.text(st.characters(exclude_categories=["Cs"]).filter(str.isprintable), min_size=1).map("/srv/{}".format),
    dockerfile=st.text(min_size=1),
)
def test_no_name_gets_out_of_its_quotes(tmp_path_factory: pytest.TempPathFactory, root: str, dockerfile: str) -> None:
    """Neither in what is read nor in what is commented out."""
    folder = tmp_path_factory.mktemp("settings")
    text = starter(LocalForge(root=Path(root), include=("acme/orders",)), [], [dockerfile])

    settings = read(folder, text)

    assert settings.forge == LocalForge(root=Path(root), include=("acme/orders",))
    assert settings.targets == ()
    (shown,) = [line for line in text.split("\n") if "dockerfile: " in line]
    assert json.loads(shown.partition("dockerfile: ")[2]) in (dockerfile, "Dockerfile")
    assert len(text.splitlines()) == len(starter(LocalForge(root=Path("/srv"), include=("a/b",)), [], []).splitlines())
