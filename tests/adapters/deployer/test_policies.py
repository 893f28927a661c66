"""The IAM policies of `config/iam`: what each way of running calls and no more, by AWS's own reference of actions."""

import ast
import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.session import Session
from policy_sentry.querying.actions import get_action_data

ROOT: Final = Path(__file__).parents[3]
IAM: Final = ROOT / "config/iam"
SERVICES: Final = (
    *("lambda", "ecr", "ecr-public", "cloudwatch", "logs", "sts"),
    *("codebuild", "codedeploy", "codepipeline"),
)
POLICIES: Final = sorted(path.stem for path in IAM.glob("*.json") if not path.stem.startswith("scp-"))
ACCOUNT: Final = "123456789012"

FUNCTIONS: Final = f"arn:aws:lambda:*:{ACCOUNT}:function:*"
IMAGES: Final = f"arn:aws:ecr:*:{ACCOUNT}:repository/*"
BUILD_LOGS: Final = f"arn:aws:logs:*:{ACCOUNT}:log-group:/aws/codebuild/refrom-*"
PROJECTS: Final = f"arn:aws:codebuild:*:{ACCOUNT}:project/refrom-*"
APPLICATIONS: Final = f"arn:aws:codedeploy:*:{ACCOUNT}:application:*"
DEPLOYMENT_GROUPS: Final = f"arn:aws:codedeploy:*:{ACCOUNT}:deploymentgroup:*/*"
PIPELINES: Final = f"arn:aws:codepipeline:*:{ACCOUNT}:*"
RUNTIME_LOGS: Final = f"arn:aws:logs:*:{ACCOUNT}:log-group:/aws/lambda/*"

CALLS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("lambda", "GetFunction"): ("audit", "redeploy", "discovery"),
    ("lambda", "GetAlias"): ("audit", "redeploy"),
    ("lambda", "ListAliases"): ("audit",),
    ("lambda", "ListFunctions"): ("audit", "discovery"),
    ("lambda", "GetRuntimeManagementConfig"): ("audit",),
    ("logs", "DescribeLogStreams"): ("audit",),
    ("logs", "FilterLogEvents"): ("audit",),
    ("lambda", "GetProvisionedConcurrencyConfig"): ("redeploy",),
    ("lambda", "ListVersionsByFunction"): ("redeploy",),
    ("lambda", "UpdateFunctionCode"): ("redeploy",),
    ("lambda", "PublishVersion"): ("redeploy",),
    ("lambda", "UpdateAlias"): ("redeploy",),
    ("cloudwatch", "DescribeAlarms"): ("redeploy",),
    ("cloudwatch", "GetMetricData"): ("redeploy",),
    ("ecr", "DescribeImages"): ("redeploy",),
    ("ecr", "GetLifecyclePolicy"): ("redeploy",),
    ("ecr", "BatchGetImage"): ("redeploy",),
    ("ecr", "PutImage"): ("redeploy",),
    ("ecr", "GetAuthorizationToken"): ("audit", "pull-requests", "redeploy"),
    ("ecr-public", "GetAuthorizationToken"): ("ecr-public",),
    ("codebuild", "ListBuildsForProject"): ("codebuild",),
    ("codebuild", "BatchGetBuilds"): ("codebuild",),
    ("codebuild", "StartBuild"): ("codebuild",),
    ("logs", "GetLogEvents"): ("codebuild",),
    ("codedeploy", "CreateDeployment"): ("codedeploy",),
    ("codedeploy", "ListDeployments"): ("codedeploy",),
    ("codedeploy", "BatchGetDeployments"): ("codedeploy",),
    ("codepipeline", "StartPipelineExecution"): ("codepipeline",),
    ("codepipeline", "ListPipelineExecutions"): ("codepipeline",),
    ("codepipeline", "GetPipelineExecution"): ("codepipeline",),
    ("sts", "AssumeRole"): ("other-accounts",),
    ("sts", "GetCallerIdentity"): (),
}
"""Every call that the adapters make, and the ways of running that make it; GetCallerIdentity needs no permission."""

BESIDE_CALLS: Final = {
    "lambda:ListTags": ("audit", "discovery", "redeploy"),  # without it GetFunction leaves the tags out
    "ecr:BatchGetImage": ("audit", "pull-requests", "redeploy"),  # GET of a manifest
    "ecr:GetDownloadUrlForLayer": ("audit", "pull-requests", "redeploy"),  # GET of a blob
    "ecr:BatchCheckLayerAvailability": ("redeploy",),  # HEAD of a blob
    "ecr:InitiateLayerUpload": ("redeploy",),  # POST of an upload
    "ecr:UploadLayerPart": ("redeploy",),  # PATCH or PUT of it
    "ecr:CompleteLayerUpload": ("redeploy",),  # the last PUT
    "ecr:PutImage": ("redeploy",),  # PUT of a manifest
    "codedeploy:GetDeploymentConfig": ("codedeploy",),  # CreateDeployment asks for the three of whoever calls it
    "codedeploy:GetApplicationRevision": ("codedeploy",),
    "codedeploy:RegisterApplicationRevision": ("codedeploy",),
    "sts:GetServiceBearerToken": ("ecr-public",),  # what a login to ECR Public is made of
}
"""What is asked for by the registry's own protocol, or belongs to a call, and is no call of a client."""

ALLOWED: Final[dict[str, dict[str, str | list[str]]]] = {
    "audit": {
        "lambda:ListFunctions": "*",
        "lambda:GetAlias": FUNCTIONS,
        "lambda:GetFunction": FUNCTIONS,
        "lambda:GetRuntimeManagementConfig": FUNCTIONS,
        "lambda:ListAliases": FUNCTIONS,
        "lambda:ListTags": FUNCTIONS,
        "logs:DescribeLogStreams": RUNTIME_LOGS,
        "logs:FilterLogEvents": RUNTIME_LOGS,
        "ecr:GetAuthorizationToken": "*",
        "ecr:BatchGetImage": IMAGES,
        "ecr:GetDownloadUrlForLayer": IMAGES,
    },
    "pull-requests": {
        "ecr:GetAuthorizationToken": "*",
        "ecr:BatchGetImage": IMAGES,
        "ecr:GetDownloadUrlForLayer": IMAGES,
    },
    "redeploy": {
        "lambda:GetAlias": FUNCTIONS,
        "lambda:GetFunction": FUNCTIONS,
        "lambda:GetProvisionedConcurrencyConfig": FUNCTIONS,
        "lambda:ListTags": FUNCTIONS,
        "lambda:ListVersionsByFunction": FUNCTIONS,
        "lambda:PublishVersion": FUNCTIONS,
        "lambda:UpdateAlias": FUNCTIONS,
        "lambda:UpdateFunctionCode": FUNCTIONS,
        "cloudwatch:DescribeAlarms": f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*",
        "cloudwatch:GetMetricData": "*",
        "ecr:GetAuthorizationToken": "*",
        "ecr:BatchCheckLayerAvailability": IMAGES,
        "ecr:BatchGetImage": IMAGES,
        "ecr:CompleteLayerUpload": IMAGES,
        "ecr:GetDownloadUrlForLayer": IMAGES,
        "ecr:InitiateLayerUpload": IMAGES,
        "ecr:PutImage": IMAGES,
        "ecr:UploadLayerPart": IMAGES,
        "ecr:DescribeImages": IMAGES,
        "ecr:GetLifecyclePolicy": IMAGES,
    },
    "discovery": {
        "lambda:ListFunctions": "*",
        "lambda:GetFunction": FUNCTIONS,
        "lambda:ListTags": FUNCTIONS,
    },
    "codebuild": {
        "codebuild:BatchGetBuilds": PROJECTS,
        "codebuild:ListBuildsForProject": PROJECTS,
        "codebuild:StartBuild": PROJECTS,
        "logs:GetLogEvents": BUILD_LOGS,
    },
    "codedeploy": {
        "codedeploy:BatchGetDeployments": DEPLOYMENT_GROUPS,
        "codedeploy:CreateDeployment": DEPLOYMENT_GROUPS,
        "codedeploy:ListDeployments": DEPLOYMENT_GROUPS,
        "codedeploy:GetDeploymentConfig": f"arn:aws:codedeploy:*:{ACCOUNT}:deploymentconfig:*",
        "codedeploy:GetApplicationRevision": APPLICATIONS,
        "codedeploy:RegisterApplicationRevision": APPLICATIONS,
    },
    "codepipeline": {
        "codepipeline:GetPipelineExecution": PIPELINES,
        "codepipeline:ListPipelineExecutions": PIPELINES,
        "codepipeline:StartPipelineExecution": PIPELINES,
    },
    "other-accounts": {"sts:AssumeRole": ["arn:aws:iam::210987654321:role/refrom"]},
    "ecr-public": {"ecr-public:GetAuthorizationToken": "*", "sts:GetServiceBearerToken": "*"},
}
"""What each policy allows, and on which resources."""


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((IAM / f"{name}.json").read_text())
    return document


def grants(name: str) -> dict[str, str | list[str]]:
    """The actions of a policy, each with its resources; none stands there twice."""
    pairs = [(action, part["Resource"]) for part in read(name)["Statement"] for action in part["Action"]]
    assert len({action for action, _ in pairs}) == len(pairs)
    return dict(pairs)


@cache
def methods() -> dict[str, set[tuple[str, str]]]:
    """The methods of the services' clients, each with the operations that it may be."""
    found: dict[str, set[tuple[str, str]]] = {}
    for service in SERVICES:
        for operation in Session().get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), set()).add((service, operation))
    return found


def called() -> Iterator[tuple[str, str]]:
    """Every operation that the adapters name, as a method of a client or as text that is looked up in one."""
    for path in (ROOT / "bot/adapters").rglob("*.py"):
        text = path.read_text()
        if not ("boto" in text or path.parent.name == "deployer" or path.name == "ecr.py"):
            continue
        for node in ast.walk(ast.parse(text)):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            for service, operation in methods().get(name, ()) if isinstance(name, str) else ():
                if service != "ecr-public" or path.name == "ecr.py":
                    yield service, operation


def test_every_call_of_the_adapters_has_its_way_of_running() -> None:
    """A call that is new belongs into a policy, and one that is gone out of it."""
    assert set(called()) == CALLS.keys()


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_has_what_its_way_of_running_uses_and_nothing_else(name: str) -> None:
    used = {f"{service}:{operation}" for (service, operation), ways in CALLS.items() if name in ways}
    used |= {action for action, ways in BESIDE_CALLS.items() if name in ways}

    assert grants(name).keys() == used


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_allowed_on_which_resources(name: str) -> None:
    assert grants(name) == ALLOWED[name]


def resource_forms(action: str) -> list[str]:
    """The ARNs that an action takes, by AWS's service authorization reference; `*` where it takes none."""
    service, operation = action.split(":")
    data = get_action_data(service, operation)
    assert data, f"AWS knows no action {action}"
    return [str(form["resource_arn_format"]) for form in data[service]]


def fits(resource: str, form: str) -> bool:
    """Whether a resource is one of a form: part by part, where a field of the form takes anything."""
    pattern = re.sub(r"\$\{\w+\}", "*", form)
    return fnmatch.fnmatchcase(resource, pattern) or fnmatch.fnmatchcase(f"{resource}:log-stream:x", pattern)


@pytest.mark.parametrize(("name", "action"), [(name, action) for name in POLICIES for action in ALLOWED[name]])
def test_aws_knows_the_action_and_it_takes_these_resources(name: str, action: str) -> None:
    resources = grants(name)[action]

    forms = resource_forms(action)
    narrow = [form for form in forms if form != "*"]
    for resource in [resources] if isinstance(resources, str) else resources:
        if resource == "*":
            assert not narrow, f"{action} can be narrowed to {narrow}"
        else:
            assert any(fits(resource, form) for form in narrow)


@pytest.mark.parametrize("name", sorted(path.stem for path in IAM.glob("*.json")))
def test_every_policy_is_of_the_grammar_that_iam_takes(name: str) -> None:
    policy = read(name)

    assert (policy["Version"], set(policy)) == ("2012-10-17", {"Version", "Statement"})
    sids = [part["Sid"] for part in policy["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    effect = "Deny" if name.startswith("scp-") else "Allow"
    for part in policy["Statement"]:
        assert part["Effect"] == effect
        assert part.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert not [action for action in part["Action"] if "*" in action]


def denied(name: str) -> dict[str, tuple[list[str], dict[str, Any]]]:
    return {part["Sid"]: (part["Action"], part["Condition"]) for part in read(name)["Statement"]}


def test_runtime_management_is_denied_but_for_what_carries_the_tag_which_compliance_alone_gives() -> None:
    tag = "refrom:runtime-exception"

    assert denied("scp-runtime-management") == {
        "KeepRuntimesUpdated": (
            ["lambda:PutRuntimeManagementConfig"],
            {"StringNotEquals": {f"aws:ResourceTag/{tag}": "approved"}},
        ),
        "OnlyComplianceMakesExceptions": (
            ["lambda:CreateFunction", "lambda:TagResource", "lambda:UntagResource"],
            {
                "ForAnyValue:StringEquals": {"aws:TagKeys": [tag]},
                "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/compliance"]},
            },
        ),
    }


def test_functions_and_images_of_the_bot_are_updated_by_its_role_alone() -> None:
    ours = {"Null": {"aws:ResourceTag/refrom:repository": "false"}}
    others = {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/refrom", "arn:aws:iam::*:role/break-glass"]}}

    found = denied("scp-image-updates")

    assert found["OnlyRefromUpdatesItsFunctions"] == (["lambda:UpdateFunctionCode"], {**ours, **others})
    assert found["OnlyRefromPushesTheirImages"] == (["ecr:PutImage"], {**ours, **others})
    assert found["NobodyTakesThemOut"][0] == [
        *("ecr:TagResource", "ecr:UntagResource", "lambda:TagResource", "lambda:UntagResource")
    ]


@pytest.mark.parametrize("name", ["scp-runtime-management", "scp-image-updates"])
def test_a_service_control_policy_asks_what_aws_knows_of_each_action_and_is_small_enough(name: str) -> None:
    assert len((IAM / f"{name}.json").read_bytes()) <= 5120
    for actions, condition in denied(name).values():
        keys = {key for operator in condition.values() for key in operator} - {"aws:PrincipalArn"}
        for action in actions:
            service, operation = action.split(":")
            known = {key for form in get_action_data(service, operation)[service] for key in form["condition_keys"]}
            assert {re.sub(r"/.*", "/${TagKey}", key) for key in keys} <= known


@pytest.mark.parametrize(
    ("name", "form", "line", "keys"),
    [
        pytest.param(
            *("contributor-insights", "CLF"),
            "INIT_START Runtime Version: python:3.13.v68\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:abc",
            ["python:3.13.v68", "arn:aws:lambda:eu-west-1::runtime:abc"],
            id="text",
        ),
        pytest.param(
            *("contributor-insights-json", "JSON"),
            '{"type": "platform.initStart", "record": {"runtimeVersion": "python:3.13.v68", "runtimeVersionArn": "a"}}',
            ["python:3.13.v68", "a"],
            id="JSON",
        ),
    ],
)
def test_a_rule_of_contributor_insights_counts_runtime_versions(
    name: str, form: str, line: str, keys: list[str]
) -> None:
    """Read as CloudWatch does: fields of a text are numbered from 1 between spaces, those of JSON are paths."""
    rule = json.loads((ROOT / f"config/{name}.json").read_text())
    numbers = {field: int(number) for number, field in rule.get("Fields", {}).items()}

    def value(field: str) -> Any:
        if form == "CLF":
            return line.split()[numbers[field] - 1]
        found = json.loads(line)
        for part in field.removeprefix("$.").split("."):
            found = found[part]
        return found

    assert (rule["Schema"], rule["LogFormat"]) == ({"Name": "CloudWatchLogRule", "Version": 1}, form)
    assert [value(match["Match"]) in match["In"] for match in rule["Contribution"]["Filters"]] == [True]
    assert [value(key) for key in rule["Contribution"]["Keys"]] == keys
