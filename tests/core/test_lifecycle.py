"""Which images a lifecycle policy of ECR expires: the first rule that selects an image decides."""

import json
from typing import Any

import pytest

from bot.core.errors import DeployError
from bot.core.lifecycle import expiring_rule


def rule(priority: int, status: str, count: str = "sinceImagePushed", number: int = 14, **more: Any) -> dict[str, Any]:
    action = more.pop("action", "expire")
    selection = {"tagStatus": status, "countType": count, "countNumber": number, **more}
    if count != "imageCountMoreThan":
        selection["countUnit"] = "days"
    return {"rulePriority": priority, "selection": selection, "action": {"type": action}}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


SPARED = rule(1, "tagged", "imageCountMoreThan", 1000, tagPrefixList=["refrom-rollback-"])


@pytest.mark.parametrize(
    ("rules", "tags", "expected"),
    [
        pytest.param(
            [rule(3, "any")], ["1"], "rule 3 of the lifecycle policy expires it 14 days after its push", id="any"
        ),
        pytest.param(
            [rule(1, "any", "imageCountMoreThan", 5)],
            [],
            "rule 1 of the lifecycle policy expires it once 5 newer images are there",
            id="count",
        ),
        pytest.param(
            [rule(1, "untagged")], [], "rule 1 of the lifecycle policy expires it 14 days after its push", id="bare"
        ),
        pytest.param([rule(1, "untagged")], ["1"], "", id="a tag saves it from rules for untagged ones"),
        pytest.param([rule(1, "tagged", tagPrefixList=["prod-"])], ["dev-1"], "", id="another prefix"),
        pytest.param([rule(1, "tagged", tagPrefixList=["prod-"])], [], "", id="no tag"),
        pytest.param([rule(1, "tagged", tagPrefixList=["a", "b"])], ["a1"], "", id="one of two prefixes"),
        pytest.param(
            [rule(1, "tagged", tagPrefixList=["a", "b"])],
            ["a1", "b1"],
            "rule 1 of the lifecycle policy expires it 14 days after its push",
            id="both prefixes",
        ),
        pytest.param(
            [rule(1, "tagged", tagPatternList=["*-dev*"])],
            ["1-dev-2"],
            "rule 1 of the lifecycle policy expires it 14 days after its push",
            id="pattern",
        ),
        pytest.param(
            [rule(1, "tagged", tagPatternList=["*-dev"])], ["1-dev-2"], "", id="a pattern is about all the tag"
        ),
        pytest.param([rule(1, "tagged", tagPrefixList=["a*"])], ["ab"], "", id="a prefix is no pattern"),
        pytest.param([rule(2, "any"), SPARED], ["refrom-rollback-0123"], "", id="spared by the rule before"),
        pytest.param(
            [rule(2, "any"), SPARED],
            ["1"],
            "rule 2 of the lifecycle policy expires it 14 days after its push",
            id="not spared without the tag",
        ),
        pytest.param(
            [rule(1, "any", "sinceImagePulled", 90, action="transition")],
            ["1"],
            "rule 1 of the lifecycle policy archives it 90 days after its last pull",
            id="an archived image cannot be pulled either",
        ),
        pytest.param([], ["1"], "", id="no rule"),
    ],
)
def test_the_first_rule_that_selects_an_image_decides(
    rules: list[dict[str, Any]], tags: list[str], expected: str
) -> None:
    assert expiring_rule(policy(*rules), tags) == expected


@pytest.mark.parametrize(
    "text", ["", "[]", '{"rules": [{}]}', '{"rules": 7}', '{"rules": [{"rulePriority": "first"}]}']
)
def test_what_is_no_policy_is_an_error_and_not_no_rule(text: str) -> None:
    with pytest.raises(DeployError, match=r"the lifecycle policy cannot be read .*; look at it in ECR"):
        expiring_rule(text, ["1"])
