"""Which functions there are: all pages, all places, images and tags, with as few calls as that takes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.adapters.deployer.accounts import account_of, assume
from bot.adapters.deployer.examination import AwsExamination
from bot.adapters.deployer.lambda_functions import LambdaFunctions, lambda_clients
from bot.adapters.deployer.listing import Clients, Place
from bot.core.errors import DeployError
from bot.core.mapping import Candidate
from bot.ports.deployer import Listing
from tests.adapters.deployer.scene import Images
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock

OTHER = "210987654321"


def listed(listing: Listing) -> dict[str, Candidate]:
    return {one.arn: one for one in listing.functions}


@pytest.fixture
def uri(images: Images) -> str:
    return str(images.push("orders:1", "one").with_tag("1"))


@contextmanager
def across(aws: AwsStub, clock: WoundClock, *roles: str) -> Iterator[LambdaFunctions]:
    """Functions of two Regions of our own account and of one Region of each role's account."""
    places = [Place(REGION), Place("us-east-1"), *(Place(REGION, account_of(role)) for role in roles)]
    clients = {account_of(role): _clients(aws, role) for role in roles}
    yield LambdaFunctions(
        lambda region: aws.client("lambda", region), region=REGION, clock=clock, roles=clients, places=places
    )


def _clients(aws: AwsStub, role: str) -> Clients:
    return lambda_clients(assume(role, region=REGION, endpoint_url=aws.url), endpoint_url=aws.url)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process has, with which roles are assumed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")


def test_image_and_tags_of_each_image_function_are_told_and_zip_functions_left_out(
    aws: AwsStub, clock: WoundClock, uri: str
) -> None:
    arn = aws.create_function("orders", uri, tags={"refrom:repository": "acme/orders"})
    aws.create_zip_function("legacy")

    with across(aws, clock) as functions:
        found = listed(functions.listed())

    assert found.keys() == {arn}
    assert found[arn].names == (arn, "123456789012:function:orders", "orders")
    assert dict(found[arn].tags) == {"refrom:repository": "acme/orders"}
    assert found[arn].image == functions.function("orders").image
    assert not found[arn].unread


def test_all_pages_are_read_with_one_call_for_each_page_and_image_function(
    aws: AwsStub, clock: WoundClock, uri: str
) -> None:
    for number in range(7):
        aws.create_function(f"f{number}", uri)
    aws.list_by(3)
    functions = LambdaFunctions(lambda region: aws.client("lambda", region), region=REGION, clock=clock)

    found = functions.listed()

    assert [one.names[-1] for one in found.functions] == [f"f{number}" for number in range(7)]
    asked = [request.operation for request in aws.requests]
    assert (asked.count("ListFunctions"), asked.count("GetFunction"), len(asked)) == (3, 7, 10)


def test_the_same_name_in_another_region_or_account_is_another_function(
    aws: AwsStub, clock: WoundClock, uri: str
) -> None:
    role = aws.add_account(OTHER)
    here, there = aws.create_function("orders", uri), aws.create_function("orders", uri, region="us-east-1")
    abroad = aws.create_function("orders", uri, account=OTHER)

    with across(aws, clock, role) as functions:
        found = listed(functions.listed())
        arns = [functions.function(arn).arn for arn in (here, there, abroad)]

    assert found.keys() == {here, there, abroad}
    assert arns == [here, there, abroad]
    assert found[there].names == (there,)
    assert found[abroad].names == (abroad, f"{OTHER}:function:orders")


def test_a_role_is_assumed_once_for_many_calls(aws: AwsStub, clock: WoundClock, uri: str) -> None:
    role = aws.add_account(OTHER)
    arn = aws.create_function("orders", uri, account=OTHER)

    with across(aws, clock, role) as functions:
        functions.listed()
        functions.function(arn)

    assert [request.operation for request in aws.requests].count("AssumeRole") == 1


def test_a_role_that_may_not_be_assumed_is_a_fault_of_its_place_and_the_others_are_listed(
    aws: AwsStub, clock: WoundClock, uri: str
) -> None:
    here = aws.create_function("orders", uri)

    with across(aws, clock, f"arn:aws:iam::{OTHER}:role/closed") as functions:
        found = functions.listed()

    assert [one.arn for one in found.functions] == [here]
    ((place, why),) = found.faults
    assert place == f"account {OTHER} in {REGION}"
    assert "is not authorized to perform: sts:AssumeRole" in why
    assert why.endswith(
        "; let refrom assume the role, in the role's trust policy and in the policy of its own identity"
    )


def test_a_function_that_cannot_be_read_says_why_and_the_next_is_read(
    aws: AwsStub, clock: WoundClock, uri: str
) -> None:
    aws.create_function("first", uri)
    aws.create_function("second", uri)
    aws.fail_next("GetFunction", "AccessDeniedException", "not allowed")

    with across(aws, clock) as functions:
        first, second = functions.listed().functions

    assert set(first.unread) == {"image", "labels", "tags"}
    assert "allow it in the IAM policy" in first.unread["tags"]
    assert second.image is not None


def test_a_function_that_is_deleted_while_it_is_listed_is_none(aws: AwsStub, clock: WoundClock, uri: str) -> None:
    aws.create_function("orders", uri)
    aws.fail_next("GetFunction", "ResourceNotFoundException", "Function not found")

    with across(aws, clock) as functions:
        assert functions.listed() == Listing(())


def test_a_function_of_an_account_without_a_role_is_refused_by_lambda(
    aws: AwsStub, clock: WoundClock, uri: str
) -> None:
    aws.add_account(OTHER)
    arn = aws.create_function("orders", uri, account=OTHER)

    with across(aws, clock) as functions, pytest.raises(DeployError, match="AccessDeniedException"):
        functions.function(arn)


def test_doctor_says_as_whom_each_account_knows_us(aws: AwsStub, clock: WoundClock) -> None:
    role = aws.add_account(OTHER)
    examination = AwsExamination(
        region=REGION,
        clock=clock,
        endpoint_url=aws.url,
        account=OTHER,
        session=lambda: assume(role, region=REGION, endpoint_url=aws.url),
    )

    first, *_ = examination.examine()

    assert examination.subject == f"AWS {REGION} account {OTHER}"
    assert first.message == f"knows us as arn:aws:sts::{OTHER}:assumed-role/refrom/lab"


@pytest.mark.parametrize("role", ["", "refrom", "arn:aws:iam::123:role/x", "arn:aws:iam::123456789012:user/x"])
def test_what_is_no_role_is_in_no_account(role: str) -> None:
    with pytest.raises(ValueError, match="is no ARN of a role"):
        account_of(role)
