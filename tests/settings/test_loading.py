"""Settings: everything the example holds is read, and every fault is reported at once with line and cure."""

import json
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.core.errors import SettingsError
from bot.core.mapping import ByImage, ByLabel, ByTag
from bot.core.modes import Mode, UpdateMode
from bot.core.policy import OnUnknown, Policy, Style, UpdateOn
from bot.core.slo import Agreement
from bot.core.target import SmokeTest
from bot.settings import load_catalogue, load_declarations, load_settings
from bot.settings.models import SettingsModel
from bot.settings.schema import own_schema_json, schema_json
from bot.settings.surroundings import Surroundings
from bot.settings.values import (
    AMAZON_FEEDS,
    Account,
    Builder,
    CodeBuildBuilder,
    CommandBuilder,
    DockerBuilder,
    GitHubForge,
    LambdaDeployer,
    LocalForge,
    RebaseBuilder,
    WorkflowBuilder,
)

CONFIG = Path(__file__).parents[2] / "config"
DIGEST = "sha256:" + "0" * 64


def faults(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    path = folder / "refrom.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ or {})
    return [fault.removeprefix(f"{path}:") for fault in caught.value.faults]


def test_the_example_is_read_whole() -> None:
    read = load_settings(CONFIG / "refrom.example.yaml", {"REGISTRY_PASSWORD": "s3cret", "GITHUB_TOKEN": "t0ken"})

    assert read.policy == Policy(
        update_on=UpdateOn.LANGUAGE,
        max_age=timedelta(days=30),
        soak=timedelta(hours=12),
        style=Style.DIGEST,
        on_unknown=OnUnknown.PIN,
        modes=(UpdateMode(mode=Mode.AUTO, said_by="policy"),),
    )
    until = date(2027, 1, 31)
    reason = "waits for the audit of the year"
    assert read.policy_for("acme/ledger", "Dockerfile", "python3.13").modes[1:] == (
        UpdateMode(mode=Mode.MANUAL, said_by="policy.overrides[2]", reason=reason, until=until),
    )
    day = timedelta(days=1)
    assert read.slo == Agreement(security_critical=3 * day, security_important=7 * day, any=30 * day)
    assert [target.function for target in read.targets] == ["orders"]
    assert str(read.targets[0].destination) == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"
    assert read.registries["registry.example.com"].password == "s3cret"  # noqa: S105 - made up
    assert read.forge == GitHubForge(
        url="https://api.github.com",
        include=("acme/*",),
        exclude=("acme/attic-*",),
        exclude_topics=("no-refrom",),
        token="t0ken",  # noqa: S106 - what stands in the file that the test wrote
    )
    assert "s3cret" not in repr(read)
    assert "t0ken" not in repr(read)


def test_a_forge_on_github_has_filters(tmp_path: Path) -> None:
    text = """\
version: 1
forges:
  - kind: github
    token: {env: TOKEN}
    include: [acme/*]
    exclude: ["*/attic-*"]
    topics: [lambda]
    exclude_topics: [no-refrom]
    forks: true
    archived: true
    visibility: [private, internal]
"""
    (tmp_path / "refrom.yaml").write_text(text)

    assert load_settings(tmp_path / "refrom.yaml", {"TOKEN": "t"}).forge == GitHubForge(
        url="https://api.github.com",
        include=("acme/*",),
        exclude=("*/attic-*",),
        topics=("lambda",),
        exclude_topics=("no-refrom",),
        forks=True,
        archived=True,
        visibility=("private", "internal"),
        token="t",  # noqa: S106 - made up
    )


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("exclude: ['']", "is no glob of 1 to 200 characters"),
        ("topics: [Lambda]", "is no topic of GitHub; write small letters, digits and hyphens"),
        ("exclude_topics: ['a b']", "is no topic of GitHub"),
        ("forks: 'no'", "input should be a valid boolean"),
        ("visibility: [secret]", "input should be 'public', 'private' or 'internal'"),
    ],
)
def test_what_is_no_filter_is_told(tmp_path: Path, key: str, told: str) -> None:
    path = tmp_path / "refrom.yaml"
    path.write_text(f"version: 1\nforges:\n- kind: github\n  token: {{env: T}}\n  include: [a/*]\n  {key}\n")

    with pytest.raises(SettingsError) as raised:
        load_settings(path, {"T": "t"})

    (fault,) = raised.value.faults
    assert fault.startswith(f"{path}:6: forges[0].{key.partition(':')[0]}")
    assert told in fault


def test_the_example_names_every_key() -> None:
    example = (CONFIG / "refrom.example.yaml").read_text()
    schema = json.loads(schema_json())
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}

    assert [
        key for key in sorted(keys) if f"{key}:" not in example and key not in ("endpoint_url", "state", "file")
    ] == []


def test_the_schema_in_config_is_the_one_of_the_models() -> None:
    assert (CONFIG / "refrom.schema.json").read_text() == schema_json(), "run make schema"
    assert (CONFIG / "refrom.own.schema.json").read_text() == own_schema_json(), "run make schema"


def test_the_example_follows_the_schema() -> None:
    document = YAML(typ="safe").load(CONFIG / "refrom.example.yaml")

    jsonschema.Draft202012Validator(json.loads(schema_json())).validate(document)


def test_every_key_is_in_the_reference() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/settings.md").read_text()
    keys = {key for part in SettingsModel.model_json_schema()["$defs"].values() for key in part.get("properties", {})}

    assert [key for key in sorted(keys | SettingsModel.model_fields.keys()) if f"`{key}`" not in page] == []


@pytest.mark.parametrize(("text", "share"), [("", 0.1), (", reserve: 0", 0), (", reserve: 0.25", 0.25)])
def test_a_tenth_of_the_quota_is_left_to_others_unless_told_otherwise(tmp_path: Path, text: str, share: float) -> None:
    entry = f"{{kind: github, include: [acme/orders], token: {{env: T}}{text}}}"
    (tmp_path / "refrom.yaml").write_text(f"version: 1\nforges: [{entry}]\n")

    forge = load_settings(tmp_path / "refrom.yaml", {"T": "t0ken"}).forge

    assert isinstance(forge, GitHubForge)
    assert forge.reserve == share


DISCOVER = """\
version: 1
forges: [{kind: github, url: %s, token: {env: TOKEN}, include: ["acme/*"]}]
deploy:
  deployer:
    kind: lambda
    region: eu-west-1
    accounts: [{regions: [eu-west-1]}, {role: "arn:aws:iam::210987654321:role/refrom", regions: [us-east-1]}]
  discover:
    - {by: label, alias: live}
    - {by: image, name: "team/*", repository: "acme/*", context: "*"}
    - {by: tag, dockerfile: app.Dockerfile}
"""


@pytest.mark.parametrize(
    ("url", "host"), [("https://api.github.com", "github.com"), ("https://git.example/api/v3", "git.example")]
)
def test_rules_and_accounts_stay_in_their_order(tmp_path: Path, url: str, host: str) -> None:
    (tmp_path / "refrom.yaml").write_text(DISCOVER % url)

    read = load_settings(tmp_path / "refrom.yaml", {"TOKEN": "x"})

    assert read.targets == ()
    assert read.discovery == (
        ByLabel(alias="live", host=host),
        ByImage(image="team/*", repository="acme/*", context="*"),
        ByTag(dockerfile="app.Dockerfile"),
    )
    assert isinstance(read.deployer, LambdaDeployer)
    role = "arn:aws:iam::210987654321:role/refrom"
    assert read.deployer.accounts == (
        Account(regions=("eu-west-1",)),
        Account(regions=("us-east-1",), role=role),
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param(
            "arn:aws:iam::210987654321:role/refrom",
            "arn:aws:iam::210987654321:user/x",
            "7: deploy.deployer.accounts[1].role: arn:aws:iam::210987654321:user/x is no role; "
            "write arn:aws:iam::ACCOUNT:role/NAME",
            id="no role",
        ),
        pytest.param(
            "{regions: [eu-west-1]},",
            "{regions: [eu-west-1], role: 'arn:aws:iam::210987654321:role/x'},",
            "7: deploy.deployer.accounts: names one account twice; put all its Regions under one entry",
            id="account twice",
        ),
        pytest.param(
            "regions: [us-east-1]", "regions: []", "7: deploy.deployer.accounts[1].regions: list should", id="nowhere"
        ),
        pytest.param(
            'name: "team/*"',
            'name: "*/*"',
            "10: deploy.discover[1].name: '*/*' has not one * at most; write one where the name varies",
            id="two stars",
        ),
        pytest.param(
            'name: "team/*"',
            "name: team/x",
            "10: deploy.discover[1]: has a * for which nothing in team/x stands; write one in name",
            id="a star for nothing",
        ),
        pytest.param("by: tag", "by: hope", "11: deploy.discover[2]: has a kind that refrom does not know", id="by"),
        pytest.param("by: tag, ", "", "11: deploy.discover[2]: has no kind; add it", id="no by"),
    ],
)
def test_rules_and_accounts_that_cannot_be_meant_are_faults(tmp_path: Path, old: str, new: str, fault: str) -> None:
    text = (DISCOVER % "https://api.github.com").replace(old, new)

    (found,) = faults(tmp_path, text, {"TOKEN": "x"})

    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("builder", "read"),
    [
        pytest.param(
            "{kind: docker, secrets: {npm: {env: TOKEN}}}", DockerBuilder(secrets={"npm": "s3cret"}), id="docker"
        ),
        pytest.param(
            "{kind: rebase, otherwise: {kind: docker, secrets: {npm: {env: TOKEN}}}}",
            RebaseBuilder(otherwise=DockerBuilder(secrets={"npm": "s3cret"})),
            id="rebase",
        ),
        pytest.param(
            "{kind: github-actions, workflow: build.yml}", WorkflowBuilder(workflow="build.yml"), id="github-actions"
        ),
        pytest.param(
            "{kind: codebuild, project: images, region: eu-west-1}",
            CodeBuildBuilder(project="images", region="eu-west-1"),
            id="codebuild",
        ),
        pytest.param(
            "{kind: command, run: [make, image], timeout: 30m, pass_env: [AWS_PROFILE]}",
            CommandBuilder(command=("make", "image"), timeout=timedelta(minutes=30), passed=("AWS_PROFILE",)),
            id="command",
        ),
    ],
)
def test_builders_are_read(tmp_path: Path, builder: str, read: Builder) -> None:
    path = tmp_path / "refrom.yaml"
    path.write_text(f"version: 1\ndeploy: {{builder: {builder}, deployer: {{kind: local, state: f.json}}}}\n")

    found = load_settings(path, {"TOKEN": "s3cret"})

    assert found.builder == read
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("builder", "fault"),
    [
        pytest.param("{kind: command, run: []}", "run: list should have at least 1 item", id="no command"),
        pytest.param("{kind: command, run: make image}", "run: is no list; write", id="a line for a shell"),
        pytest.param("{kind: command, run: [x], pass_env: [A=b]}", "pass_env[0]: 'A=b' is no name of", id="a value"),
        pytest.param(
            "{kind: docker, secrets: {'a,b': {env: TOKEN}}}", "secrets.\"a,b\": 'a,b' is no id of", id="an id"
        ),
        pytest.param("{kind: docker, secrets: {npm: s3cret}}", "secrets.npm: is never written here", id="a secret"),
        pytest.param("{kind: github-actions, workflow: a/b.yml}", "workflow: string should match", id="a path"),
    ],
)
def test_builders_that_cannot_be_meant_are_faults(tmp_path: Path, builder: str, fault: str) -> None:
    text = f"version: 1\ndeploy: {{builder: {builder}, deployer: {{kind: local, state: f.json}}}}\n"

    (found,) = faults(tmp_path, text, {"TOKEN": "s3cret"})

    assert found.startswith(f"2: deploy.builder.{fault}")


def test_relative_paths_start_at_the_settings(tmp_path: Path) -> None:
    (tmp_path / "refrom.yaml").write_text("version: 1\nforges: [{kind: local, root: repositories}]\n")

    read = load_settings(tmp_path / "refrom.yaml", {})

    assert isinstance(read.forge, LocalForge)
    assert (read.forge.root, read.store) == (tmp_path / "repositories", tmp_path / ".refrom/refrom.db")


@pytest.mark.parametrize(
    ("text", "feeds"),
    [
        pytest.param("", AMAZON_FEEDS, id="Amazon's own"),
        pytest.param("advisories: {feeds: {}}", {}, id="none"),
        pytest.param(
            "advisories: {feeds: {AL2023: 'https://mirror.example/{arch}/list'}}",
            {"AL2023": "https://mirror.example/{arch}/list"},
            id="one of their own",
        ),
    ],
)
def test_the_feeds_that_are_written_are_all_that_are_read(tmp_path: Path, text: str, feeds: dict[str, str]) -> None:
    (tmp_path / "refrom.yaml").write_text(f"version: 1\n{text}\n")

    assert load_settings(tmp_path / "refrom.yaml", {}).feeds == feeds


def test_every_runtime_that_is_not_the_first_amazon_linux_has_a_feed() -> None:
    catalogue = load_catalogue()

    assert {catalogue.get(name).os for name in catalogue} == {"AL1", *AMAZON_FEEDS}


def test_five_faults_in_one_file_are_five_lines(tmp_path: Path) -> None:
    text = """\
version: 1
runtimes:
  watch: [python3.31]
registries:
  example.com: {url: "http://example.com", credentials: {username: u, password: {env: NOT_SET}}}
policy:
  updateon: any
  max_age: 30
deploy:
  deployer: {kind: lambda, region: eu-west-1}
  targets:
    - {function: a, repository: o/r, image: "example.com/a:1"}
"""

    assert faults(tmp_path, text) == [
        "3: runtimes.watch[0]: runtime 'python3.31' is unknown; did you mean python3.15?",
        "5: registries.example.com.credentials.password: the environment variable NOT_SET is not set; set it",
        "5: registries.example.com.url: plain http is read from loopback only; write https://",
        "7: policy.updateon: is no key here; did you mean update_on?",
        "8: policy.max_age: is no duration; write a number with d, h or m, such as 30d",
        "12: deploy.targets[0].image: example.com/a:1 has a tag or digest; refrom chooses the tag, so leave it out",
    ]


def test_a_rebase_may_build_otherwise_and_images_are_tried_as_the_target_or_all_say(tmp_path: Path) -> None:
    (tmp_path / "refrom.yaml").write_text("""\
version: 1
deploy:
  builder: {kind: rebase, otherwise: {kind: docker, network: none}}
  deployer: {kind: lambda, region: eu-west-1}
  tag: "{function}-{commit}-{base}-{recipe}"
  smoke: {events: [events/./ping.json], timeout: 5s}
  targets:
    - {function: a, repository: o/r, image: "example.com/a"}
    - {function: b, repository: o/r, image: "example.com/b", smoke: {timeout: 2m}}
""")

    settings = load_settings(tmp_path / "refrom.yaml", {})

    assert settings.builder == RebaseBuilder(otherwise=DockerBuilder(network="none"))
    assert settings.tag.text == "{function}-{commit}-{base}-{recipe}"
    assert settings.smoke == SmokeTest(events=("events/ping.json",), timeout=timedelta(seconds=5))
    assert [target.smoke for target in settings.targets] == [None, SmokeTest(timeout=timedelta(minutes=2))]


def test_faults_of_tag_and_smoke_test_name_the_cure(tmp_path: Path) -> None:
    text = """\
version: 1
deploy:
  deployer: {kind: lambda, region: eu-west-1}
  builder: {kind: rebase, otherwise: {kind: rebase}}
  tag: "{commit}"
  smoke:
    events: [../ping.json]
    timeout: 1h
  targets: []
"""

    assert faults(tmp_path, text) == [
        "4: deploy.builder.otherwise.kind: input should be 'docker'",
        "5: deploy.tag: '{commit}' lacks {base}, {recipe}; two images must not share a tag",
        "7: deploy.smoke.events[0]: ../ping.json leads out of the source repository; write a path in it",
        "8: deploy.smoke.timeout: is no time that an event may take; write 1s to 900s, or 1m to 15m",
    ]


def test_a_function_is_named_once(tmp_path: Path) -> None:
    text = """\
version: 1
deploy:
  deployer: {kind: lambda, region: eu-west-1}
  targets:
    - {function: a, repository: o/r, image: "example.com/a"}
    - {function: a, repository: o/r, image: "example.com/b"}
"""

    assert faults(tmp_path, text) == ["2: deploy: names a twice under targets; take one out"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "1: is no mapping of keys to values; start with version: 1", id="empty"),
        pytest.param(
            "version: 1\nadvisories: {feeds: {AL7: 'https://e.com/x'}}\n",
            "2: advisories.feeds.AL7: operating system 'AL7' is under no runtime; use one of AL1, AL2, AL2023",
            id="advisories of another system",
        ),
        pytest.param(
            "version: 1\nadvisories: {feeds: {AL2: 'https://e.com/{basearch}/x'}}\n",
            "2: advisories.feeds.AL2: has braces; only {arch} may stand in it, for x86_64 or aarch64",
            id="another placeholder",
        ),
        pytest.param(
            "version: 1\nadvisories: {feeds: {AL2: 'http://e.com/{arch}'}}\n",
            "2: advisories.feeds.AL2: plain http is read from loopback only; write https://",
            id="advisories over http",
        ),
        pytest.param(
            "version: 1\npolicy: {min_severity: unrated}\n",
            "2: policy.min_severity: is no rating; write low, medium, important or critical",
            id="no rating",
        ),
        pytest.param("version: 1\npolicy: {min_severity: high}\n", "2: policy.min_severity: ", id="another rating"),
        pytest.param("- version", "1: is no mapping of keys to values; start with version: 1", id="a list"),
        pytest.param("store: x\n", "1: version: is missing; add it", id="no version"),
        pytest.param(
            "version: 2\n",
            "1: version: is a version that this refrom does not read; write 1, or upgrade refrom",
            id="newer",
        ),
        pytest.param("version: 1\nversion: 1\n", '2: is no YAML: found duplicate key "version"', id="a key twice"),
        pytest.param("version: [1\n", "2: is no YAML", id="no YAML"),
        pytest.param("version: 1\nstore: *x\n", "2: uses a YAML alias (*name); write the value out", id="an alias"),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {username: u}}}\n",
            "2: registries.e.com.credentials: is no login; give username and password, or ecr: REGION, or docker: true",
            id="half a login",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {ecr: eu-west-1, docker: true}}}\n",
            "2: registries.e.com.credentials: is no login; give username and password, or ecr: REGION, or docker: true",
            id="two logins",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {docker: false}}}\n",
            "2: registries.e.com.credentials.docker: input should be True",
            id="no docker login",
        ),
        pytest.param(
            "version: 1\nregistries: {public.ecr.aws: {credentials: {ecr: eu-west-1}}}\n",
            "2: registries: public.ecr.aws gives logins in us-east-1 alone; write credentials: {ecr: us-east-1}",
            id="a Region without logins",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {url: 'https://u:p@e.com'}}\n",
            "2: registries.e.com.url: holds a login; put it under credentials",
            id="a login in a URL",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {username: u, password: hunter2}}}\n",
            "2: registries.e.com.credentials.password: is never written here; give env: NAME or file: PATH",
            id="a password in place of its place",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {username: u, password: {hunter2: }}}}\n",
            "2: registries.e.com.credentials.password: is never written here; give env: NAME or file: PATH",
            id="a password as a key",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {username: u, password: {env: hunter2}}}}\n",
            "2: registries.e.com.credentials.password: the environment variable that it names is not set; set it",
            id="a password in place of a variable's name",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {credentials: {password: hunter2,\n password: hunter2}}}\n",
            '3: is no YAML: found duplicate key "password"',
            id="a password twice",
        ),
        pytest.param(
            "version: 1\nregistries: {e com: {}}\n",
            '2: registries."e com": is no registry host; write one such as public.ecr.aws or 127.0.0.1:5000',
            id="a host",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {url: 'https://e.com:99999'}}\n",
            "2: registries.e.com.url: is no address; write https://HOST",
            id="a port",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {token_hosts: ['https://auth.e.com']}}\n",
            "2: registries.e.com.token_hosts[0]: is no registry host; write one such as public.ecr.aws",
            id="a token host",
        ),
        pytest.param(
            "version: 1\nregistries: {e.com: {pace: '3'}}\n",
            "2: registries.e.com.pace: is no number; write it without quotes",
            id="a number in quotes",
        ),
        *(
            pytest.param(
                f"version: 1\nforges:\n  - {{kind: github, include: [a/b], token: {{env: TOKEN}}, reserve: {share}}}\n",
                f"3: forges[0].reserve: {fault}",
                id=f"a share of {share}",
            )
            for share, fault in (
                ("1", "input should be less than 1"),
                ("-0.1", "input should be greater than or equal to 0"),
                (".nan", "input should be less than 1"),
                ("10%", "is no number; write it without quotes"),
            )
        ),
        pytest.param(
            "version: 1\nmirrors: [bases]\n",
            "2: mirrors[0]: is no name of images; write REGISTRY/PREFIX",
            id="a mirror without registry",
        ),
        pytest.param(
            "version: 1\npolicy: {overrides: [{match: {runtime: python3.31}}]}\n",
            "2: policy.overrides[0].match.runtime: runtime 'python3.31' is unknown; did you mean python3.15?",
            id="a runtime to match",
        ),
        pytest.param(
            "version: 1\ndeploy: {deployer: {kind: lamda}, targets: []}\n",
            "2: deploy.deployer: has a kind that refrom does not know; use 'lambda', 'local'",
            id="a kind",
        ),
        pytest.param(
            "version: 1\ndeploy: {deployer: {state: x}, targets: []}\n",
            "2: deploy.deployer: has no kind; add it",
            id="no kind",
        ),
        pytest.param("version: 1\nstore: 3\n", "2: store: is no text; put it in quotes", id="a number for text"),
        pytest.param("version: 1\nmirrors: x\n", "2: mirrors: is no list; write [ENTRY, ...]", id="text for a list"),
        pytest.param("version: 1\npolicy:\n", "2: policy: is no mapping; write KEY: VALUE", id="nothing for a mapping"),
        pytest.param('version: 1\n"a\\nb": 1\n', '2: "a\\nb": is no key here; take it out', id="a key with a line end"),
        pytest.param("version: 2\nfuture: 1\n", "1: version: is a version that", id="newer, with keys to come"),
        pytest.param("version: &x 1\n", "1: has a YAML anchor (&name); leave it out", id="an anchor"),
        pytest.param("version: !!int 1\n", "1: has a YAML tag (!name); leave it out", id="a tag"),
        pytest.param("[" * 3000, "1: is nested deeper than 32 levels; write it flatter", id="nested"),
        pytest.param("version: 1\n\x01", "2: holds a control character; leave it out", id="a control character"),
        pytest.param('a: "\\UFFFFFFFF"', " holds an escape that is no character; leave it out", id="an escape"),
        pytest.param(
            "version: 1\nforges: [{kind: hg, root: x}]\n",
            "2: forges[0]: has a kind that refrom does not know; use 'local', 'github'",
            id="a forge",
        ),
        pytest.param(
            "version: 1\nforges: [{kind: github, include: [a/b]}]\n",
            "2: forges[0]: names no token and no app, or both; give one of them",
            id="a forge without token",
        ),
        pytest.param(
            "version: 1\nforges: [{kind: github, include: ['*/b'], token: {env: TOKEN}}]\n",
            "2: forges[0].include[0]: '*/b' names no repository; write OWNER/NAME, where NAME may be a glob such as *",
            id="a forge with another owner's glob",
        ),
    ],
)  # fmt: skip
def test_a_fault_names_the_place_and_the_cure(tmp_path: Path, text: str, expected: str) -> None:
    found = faults(tmp_path, text, {"TOKEN": "made-up"})

    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_secret_that_everybody_can_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o644)
    text = "version: 1\nregistries: {e.com: {credentials: {username: u, password: {file: password}}}}\n"

    found = faults(tmp_path, text)

    assert len(found) == 1
    assert "can be read by everybody; chmod 600 it" in found[0]
    assert "hunter2" not in found[0]


def test_an_empty_secret_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "password").touch(mode=0o600)
    text = "version: 1\nregistries: {e.com: {credentials: {username: u, password: {file: password}}}}\n"

    assert faults(tmp_path, text) == [
        f"2: registries.e.com.credentials.password: {tmp_path / 'password'} is empty; write the secret there"
    ]


def test_no_repr_shows_a_secret_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "refrom.yaml").write_text(
        "version: 1\nregistries:\n"
        "  a.com: {credentials: {username: u, password: {file: password}}}\n"
        "  b.com: {credentials: {username: u, password: {env: B}}}\n"
    )

    read = load_settings(tmp_path / "refrom.yaml", {"B": "s3cret"})

    assert [read.registries[host].password for host in ("a.com", "b.com")] == ["hunter2", "s3cret"]
    shown = repr(read) + str(read) + repr(Surroundings(tmp_path, {"B": "s3cret"}, read.catalogue))
    assert "hunter2" not in shown
    assert "s3cret" not in shown


def test_the_faults_of_an_overlay_are_told_with_the_others(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("a = 1")
    (tmp_path / "refrom.yaml").write_text("version: 1\nstorre: x\nruntimes: {catalogue: mine.toml}\n")

    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "refrom.yaml", {})

    assert caught.value.faults == (
        f"{tmp_path}/refrom.yaml:2: storre: is no key here; did you mean store?",
        f"{tmp_path}/mine.toml: a: is no table; write {{ repository = ..., tag = ..., os = ... }}",
    )


@pytest.mark.parametrize("name", [r"a\0b", r"\ud800"], ids=["a zero byte", "a lone surrogate"])
def test_a_file_name_that_cannot_be_is_a_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "refrom.yaml").write_text(f'version: 1\nruntimes: {{catalogue: "{name}"}}\n')

    with pytest.raises(SettingsError, match="is no text file"):
        load_settings(tmp_path / "refrom.yaml", {})


def test_paths_of_a_target_are_written_as_git_does(tmp_path: Path) -> None:
    (tmp_path / "refrom.yaml").write_text(
        "version: 1\ndeploy:\n  deployer: {kind: lambda, region: eu-west-1}\n  targets:\n"
        "    - {function: a, repository: o/r, image: e.com/a, dockerfile: ./app//Dockerfile}\n"
    )

    assert load_settings(tmp_path / "refrom.yaml", {}).targets[0].dockerfile == "app/Dockerfile"


def test_a_target_names_its_image_in_full_and_stays_in_its_repository(tmp_path: Path) -> None:
    text = """\
version: 1
deploy:
  deployer: {kind: lambda, region: eu-west-1, endpoint_url: "http://example.com"}
  targets:
    - {function: a, repository: o/r, image: orders, dockerfile: ../Dockerfile, context: /}
"""

    assert faults(tmp_path, text) == [
        "3: deploy.deployer.endpoint_url: plain http is read from loopback only; write https://",
        "5: deploy.targets[0].context: / leads out of the source repository; write a path in it",
        "5: deploy.targets[0].dockerfile: ../Dockerfile leads out of the source repository; write a path in it",
        "5: deploy.targets[0].image: orders names no registry; write docker.io/library/orders if that is meant",
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.5:5000", "http://localhost:1", "http://[::1]:5000", "https://e.com/v"])
def test_loopback_may_be_read_without_tls(tmp_path: Path, url: str) -> None:
    (tmp_path / "refrom.yaml").write_text(f"version: 1\nregistries: {{e.com: {{url: '{url}'}}}}\n")

    assert load_settings(tmp_path / "refrom.yaml", {}).registries["e.com"].url == url


def test_a_missing_file_is_one_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml: is not there; write it, as refrom init does"):
        load_settings(tmp_path / "absent.yaml", {})


def test_overrides_apply_in_order_where_they_match(tmp_path: Path) -> None:
    (tmp_path / "refrom.yaml").write_text(
        "version: 1\npolicy:\n  update_on: packages\n  overrides:\n"
        "    - {match: {repository: 'acme/*'}, soak: 1d, update_on: any}\n"
        "    - {match: {repository: acme/orders}, soak: 2h}\n"
    )

    read = load_settings(tmp_path / "refrom.yaml", {})

    assert read.policy_for("other/x", "Dockerfile", "python3.13").update_on is UpdateOn.PACKAGES
    orders = read.policy_for("acme/orders", "Dockerfile", "python3.13")
    assert (orders.update_on, orders.soak) == (UpdateOn.ANY, timedelta(hours=2))


def test_declarations_are_read_and_their_faults_named(tmp_path: Path) -> None:
    read = load_declarations(CONFIG / "refrom.holds.example.yaml")
    (tmp_path / "holds.yaml").write_text("version: 1\nblocks:\n  - {digest: sha256:1, reason: bad}\n")

    assert [(hold.reason, hold.by) for hold in read.holds] == [
        ("release freeze", None),
        ("incident 4711 is being investigated", "jo"),
    ]
    assert [str(one.mode) for one in read.modes] == [
        "manual until 2027-01-31: 3.13.9 leaks file descriptors",
        "function-update",
    ]
    assert [str(block.digest) for block in read.blocks] == [DIGEST]
    assert load_declarations(tmp_path / "absent.yaml").holds == ()
    with pytest.raises(SettingsError, match=r"holds\.yaml:3: blocks\[0\]\.digest: digest 'sha256:1' is malformed"):
        load_declarations(tmp_path / "holds.yaml")


@pytest.mark.parametrize(
    ("hold", "fault"),
    [
        pytest.param(
            "reason: x",
            'holds[0]: names nothing; give repository, path, runtime or function (repository: "*" is all)',
            id="nothing named",
        ),
        pytest.param("function: f", "holds[0].reason: is missing; add it", id="no reason"),
        pytest.param(
            "reason: x, function: f, until: 2026-13-01",
            "holds[0].until: is no date; write year, month and day, such as 2027-01-31",
            id="a thirteenth month",
        ),
        pytest.param(
            "reason: x, function: f, until: 0",
            "holds[0].until: is no date; write year, month and day, such as 2027-01-31",
            id="a number",
        ),
    ],
)
def test_a_hold_says_what_why_and_until_when(tmp_path: Path, hold: str, fault: str) -> None:
    path = tmp_path / "refrom.holds.yaml"
    path.write_text(f"version: 1\nholds:\n  - {{{hold}}}\n")

    with pytest.raises(SettingsError) as caught:
        load_declarations(path)

    assert caught.value.faults == (f"{path}:3: {fault}",)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        pytest.param("mode: frozen", "mode: input should be 'auto', 'function-update'", id="an unknown mode"),
        pytest.param("mode: manual", "says mode: manual, which is for a while; write reason and until", id="alone"),
        pytest.param("mode: manual, until: 2027-01-31", "says mode: manual, which is for a while", id="no reason"),
        pytest.param("mode: manual, reason: x", "says mode: manual, which is for a while", id="no end"),
        pytest.param("reason: x", "says reason or until of no mode; write mode beside it", id="a reason of nothing"),
        pytest.param("until: 2027-01-31", "says reason or until of no mode", id="an end of nothing"),
    ],
)
def test_a_mode_says_what_is_meant(tmp_path: Path, said: str, fault: str) -> None:
    """Wherever it stands: for all, for some uses, for one function."""
    (everywhere,) = faults(tmp_path, f"version: 1\npolicy: {{{said}}}\n")
    (somewhere,) = faults(tmp_path, f"version: 1\npolicy: {{overrides: [{{match: {{path: x}}, {said}}}]}}\n")

    assert everywhere.startswith("2: policy")
    assert somewhere.startswith("2: policy.overrides[0]")
    assert fault in everywhere
    assert fault in somewhere


_PIECES = (
    *("version: 1\n", "store: ", "policy: ", "forges: ", "mirrors: [", "registries: {", "runtimes: {catalogue: "),
    *(
        "\n",
        "  ",
        "- ",
        "a",
        "b: ",
        "? ",
        ": ",
        ",",
        "[",
        "]",
        "{",
        "}",
        "#",
        '"',
        "'",
        "|",
        ">",
        "1",
        "~",
        "2026-13-01",
    ),
    *(
        "&x ",
        "*x",
        "!!int ",
        "!t ",
        "<<: ",
        "%YAML 1.1\n",
        "---",
        "\\U00110000",
        "\\UFFFFFFFF",
        "\\ud800",
        "\\0",
        "\t",
        "\0",
    ),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_every_fault_of_any_yaml_is_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "refrom.yaml"
    path.write_text(text)

    lines = _faults_of(path)

    assert all(len(line.splitlines()) == 1 for line in lines)


def _faults_of(path: Path) -> tuple[str, ...]:
    try:
        load_settings(path, {})
    except SettingsError as fault:
        return fault.faults
    return ()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.text(st.sampled_from("version: 1\n-[]{}&*!|>'\"%@`,?:#abc\t\\"), max_size=60))
def test_any_text_is_settings_or_a_settings_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "refrom.yaml"
    path.write_text(text)

    with suppress(SettingsError):
        assert load_settings(path, {}).store.is_absolute()
