"""Whole accounts and Regions: every function with what it serves, its update mode and its runtime version."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bot.adapters.deployer.listing import Place
from bot.core.management import Management, Source, UpdateRuntimeOn
from bot.core.runtime_version import RuntimeVersion
from bot.ports.clock import Clock
from bot.ports.fleet import SeenFunction
from tests.adapters.deployer.fleet_scene import Cut, Documents, Process
from tests.adapters.deployer.scene import Images, let_pass
from tests.lab.aws import REGION, AwsStub
from tests.lab.aws_runtimes import runtime_arn
from tests.lab.clock import WoundClock

V68 = "python:3.13.v68"


@pytest.fixture
def process(aws: AwsStub, clock: WoundClock) -> Process:
    return Process(aws=aws, clock=clock, documents=Documents())


@pytest.fixture
def uri(images: Images) -> str:
    return str(images.push("orders:1", "one").with_tag("1"))


def management(seen: SeenFunction, version: str = "$LATEST") -> Management:
    found = seen.versions[version].management
    assert found is not None
    return found


def named(version: str) -> RuntimeVersion:
    return RuntimeVersion.parse(version)


def operations(aws: AwsStub) -> list[str]:
    return [request.operation for request in aws.requests]


def shift(aws: AwsStub, clock: Clock, name: str, alias: str) -> None:
    """Publish another version, and let the alias send it a tenth."""
    client = aws.client("lambda")
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    let_pass(clock, 60)
    client.publish_version(FunctionName=name)
    client.update_alias(FunctionName=name, Name=alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})


class TestWhatIsRead:
    def test_functions_of_both_packages_are_read_with_latest_and_all_that_aliases_serve(
        self, aws: AwsStub, process: Process, uri: str
    ) -> None:
        zipped = aws.create_zip_function("legacy", aliases=["live"])
        shift(aws, process.clock, "legacy", "live")
        image = aws.create_function("orders", uri, aliases=["live"], tags={"refrom:repository": "acme/orders"})

        view = process.read()

        legacy, orders = view.by_name[zipped], view.by_name[image]
        assert (legacy.listed.is_image, orders.listed.is_image) == (False, True)
        assert sorted(legacy.versions) == ["$LATEST", "1", "2"]
        assert sorted(orders.versions) == ["$LATEST", "1"]
        (alias,) = legacy.aliases
        assert (alias.name, alias.version, alias.weights) == ("live", "1", (("2", 0.1),))
        assert orders.candidate.image == orders.versions["1"].function.image
        assert dict(orders.candidate.tags) == {"refrom:repository": "acme/orders"}
        assert legacy.versions["1"].function.modified is not None
        assert view.unread == ()

    def test_update_modes_are_per_version_and_an_image_is_never_asked_for_one(
        self, aws: AwsStub, process: Process, uri: str
    ) -> None:
        """The stub fails the test that asks for the runtime management of an image."""
        arn = aws.create_zip_function("legacy", aliases=["live"])
        pinned = runtime_arn(V68, REGION)
        aws.manage(arn, "Manual", pinned, version="1")
        aws.manage(arn, "FunctionUpdate")
        aws.create_function("orders", uri)

        seen = process.read().by_name[arn]

        assert management(seen).update_on is UpdateRuntimeOn.FUNCTION_UPDATE
        assert management(seen, "1").update_on is UpdateRuntimeOn.MANUAL
        assert (management(seen, "1").arn, management(seen, "1").source) == (pinned, Source.MANAGEMENT)
        assert operations(aws).count("GetRuntimeManagementConfig") == 2

    def test_all_pages_of_functions_and_aliases_are_read(self, aws: AwsStub, process: Process) -> None:
        for number in range(7):
            aws.create_zip_function(f"f{number}", aliases=["a", "b", "c"])
        aws.list_by(2)

        view = process.read()

        assert [len(seen.aliases) for seen in view.functions] == [3] * 7
        assert operations(aws).count("ListFunctions") == 4
        assert operations(aws).count("ListAliases") == 14

    def test_a_region_without_runtime_management_is_told_apart(self, aws: AwsStub, process: Process) -> None:
        aws.create_zip_function("legacy")
        aws.unmanage(REGION)

        found = management(process.only())

        assert (found.offered, found.update_on, found.mode_unread) == (False, None, "")

    def test_no_secret_of_a_function_is_kept(self, aws: AwsStub, process: Process) -> None:
        """Environment variables and the address of the code stay where they are."""
        aws.create_zip_function("legacy")

        process.read()

        (kept,) = (json.loads(document.content) for name, document in process.documents.items() if "legacy" in name)
        answer = kept["versions"]["$LATEST"]["function"]
        assert answer["Code"] == {}
        assert "Environment" not in answer["Configuration"]


class TestRuntimeVersions:
    def test_lambdas_own_arn_is_named_by_one_log_for_all_functions_that_share_it(
        self, aws: AwsStub, process: Process
    ) -> None:
        for name in ("a", "b", "c"):
            aws.run_on(aws.create_zip_function(name), V68)
        aws.log_start(f"arn:aws:lambda:{REGION}:123456789012:function:a", V68)

        found = [management(seen) for seen in process.read().functions]

        assert [one.version for one in found] == [named(V68)] * 3
        assert {one.source for one in found} == {Source.CONFIGURATION}
        assert operations(aws).count("FilterLogEvents") == 1

    @pytest.mark.parametrize("json_form", [False, True], ids=["text", "JSON"])
    def test_without_an_arn_of_lambdas_the_functions_own_log_tells(
        self, aws: AwsStub, process: Process, json_form: bool
    ) -> None:
        form = {"LogFormat": "JSON"} if json_form else {}
        arn = aws.create_zip_function("legacy", logging=form)
        aws.log_start(arn, "python:3.13.v64", json_form=json_form, ago=timedelta(days=9))
        aws.log_start(arn, V68, json_form=json_form)

        found = management(process.only())

        assert (found.version, found.source, found.arn) == (named(V68), Source.LOG, runtime_arn(V68, REGION))
        assert found.newest_seen == named(V68)

    def test_versions_of_other_regions_and_architectures_are_compared_by_number(
        self, aws: AwsStub, process: Process
    ) -> None:
        here = aws.create_zip_function("here", architecture="arm64")
        there = aws.create_zip_function("there", region="us-east-1")
        aws.log_start(here, "python:3.13.v66")
        aws.log_start(there, V68)
        aws.log_start(aws.create_zip_function("other", "nodejs22.x"), "nodejs:22.v90")
        both = Process(
            aws=aws, clock=process.clock, documents=process.documents, places=(Place(REGION), Place("us-east-1"))
        )

        view = both.read()

        assert management(view.by_name[here]).version == named("python:3.13.v66")
        assert management(view.by_name[here]).newest_seen == named(V68)
        assert management(view.by_name[there]).newest_seen == named(V68)

    def test_a_start_on_a_later_page_is_found_and_the_search_ends_there(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, V68)
        aws.logs.empty_pages = 2

        assert management(process.only()).version == named(V68)
        assert operations(aws).count("FilterLogEvents") == 3

    def test_a_search_ends_after_few_requests_whatever_a_log_holds(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        for ago in range(200):
            aws.log_start(arn, V68, ago=timedelta(hours=ago))
        aws.logs.empty_pages = 1000

        found = management(process.only())

        assert found.version is None
        assert found.version_unread == "log group /aws/lambda/legacy holds no INIT_START in its 5 newest streams"
        assert (operations(aws).count("DescribeLogStreams"), operations(aws).count("FilterLogEvents")) == (1, 3)

    def test_each_version_is_looked_for_in_its_own_streams(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy", aliases=["live"])
        aws.log_start(arn, V68)
        aws.log_start(arn, "python:3.13.v60", version="1")

        seen = process.only()

        assert (management(seen).version, management(seen, "1").version) == (named(V68), named("python:3.13.v60"))

    def test_in_a_group_that_functions_share_a_stream_bears_the_functions_name(
        self, aws: AwsStub, clock: WoundClock, process: Process
    ) -> None:
        aws.create_zip_function("legacy", logging={"LogGroup": "/acme/all"})
        line = f"INIT_START Runtime Version: {{}}\tRuntime Version ARN: {runtime_arn(V68, REGION)}"
        group = ("123456789012", REGION, "/acme/all")
        aws.logs.write(group, "2026/11/23/other[$LATEST]1", clock.now(), line.format("python:3.13.v99"))
        aws.logs.write(group, "2026/11/23/legacy[$LATEST]2", clock.now(), line.format(V68))

        assert management(process.only()).version == named(V68)

    def test_what_an_arn_names_is_never_looked_for_twice(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        aws.run_on(arn, V68)
        aws.log_start(arn, V68)

        first, second = process.only(), process.only()

        assert management(first) == management(second)
        assert operations(aws).count("FilterLogEvents") == 1


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("operation", "told"),
        [
            ("GetRuntimeManagementConfig", "mode_unread"),
            ("DescribeLogStreams", "version_unread"),
            ("FilterLogEvents", "version_unread"),
        ],
    )
    def test_what_is_not_allowed_is_told_beside_the_rest(
        self, aws: AwsStub, process: Process, operation: str, told: str
    ) -> None:
        aws.log_start(aws.create_zip_function("legacy"), V68)
        aws.deny(operation)

        found = management(process.only())

        assert "allow it in the IAM policy" in getattr(found, told)
        assert (found.mode_unread == "") == (told != "mode_unread")

    def test_without_a_log_group_nobody_knows_the_version(self, aws: AwsStub, process: Process) -> None:
        aws.create_zip_function("legacy")

        why = "there is no log group /aws/lambda/legacy: it never ran, or its log is gone"
        assert management(process.only()).version_unread == why

    def test_a_log_without_a_start_is_none(self, aws: AwsStub, clock: WoundClock, process: Process) -> None:
        aws.create_zip_function("legacy")
        group = ("123456789012", REGION, "/aws/lambda/legacy")
        aws.logs.write(group, "2026/11/23/[$LATEST]1", clock.now(), "START RequestId: 1 Version: $LATEST")

        why = "log group /aws/lambda/legacy holds no INIT_START in its 5 newest streams"
        assert management(process.only()).version_unread == why

    def test_a_log_of_other_versions_alone_is_none(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, V68, version="7")

        why = "none of the 50 newest streams of log group /aws/lambda/legacy is of this version"
        assert management(process.only()).version_unread == why

    def test_a_start_in_the_future_is_not_believed(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, V68, ago=-timedelta(days=2))

        why = management(process.only()).version_unread
        assert "is stamped 2026-11-25 12:00 UTC, in the future; check the clock here" in why

    def test_of_starts_in_past_and_future_the_past_one_is_taken(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, "python:3.13.v99", ago=-timedelta(days=2))
        aws.log_start(arn, V68)

        assert management(process.only()).version == named(V68)

    def test_a_log_that_is_behind_what_lambda_says_runs_is_told(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        aws.run_on(arn, V68)
        aws.log_start(arn, "python:3.13.v60")

        found = management(process.only())

        assert (found.version, found.arn) == (None, runtime_arn(V68, REGION))
        assert found.version_unread == "its log tells of python:3.13.v60, which is not what Lambda says runs now"

    def test_of_functions_that_share_an_arn_few_logs_are_tried(self, aws: AwsStub, process: Process) -> None:
        for number in range(9):
            aws.run_on(aws.create_zip_function(f"f{number}"), V68)

        found = [management(seen) for seen in process.read().functions]

        assert all(one.version is None and one.version_unread for one in found)
        assert operations(aws).count("DescribeLogStreams") == 3

    def test_a_place_that_may_not_be_listed_is_told_and_the_others_are_read(
        self, aws: AwsStub, clock: WoundClock
    ) -> None:
        arn = aws.create_zip_function("legacy")
        aws.deny("ListFunctions", region="us-east-1")
        places = (Place("us-east-1"), Place(REGION))

        view = Process(aws=aws, clock=clock, documents=Documents(), places=places).read()

        assert view.by_name.keys() >= {arn}
        ((place, why),) = view.unread
        assert place == "us-east-1"
        assert "allow it in the IAM policy" in why

    def test_a_region_that_is_down_is_told_and_the_others_are_read(self, aws: AwsStub, clock: WoundClock) -> None:
        arn = aws.create_zip_function("legacy")
        places = (Place("us-east-1"), Place(REGION))
        process = Process(aws=aws, clock=clock, documents=Documents(), places=places, clients=_down(aws, "us-east-1"))

        view = process.read()

        assert view.by_name.keys() >= {arn}
        ((place, why),) = view.unread
        assert place == "us-east-1"
        assert "AWS cannot be reached" in why

    def test_a_region_that_goes_down_midway_is_given_up_after_a_few_tries(
        self, aws: AwsStub, clock: WoundClock
    ) -> None:
        for number in range(20):
            aws.create_zip_function(f"f{number:02}")
        tried: list[str] = []
        process = Process(aws=aws, clock=clock, documents=Documents(), clients=_down(aws, REGION, after=1, tried=tried))

        view = process.read()

        assert len(view.functions) == 20
        assert all(seen.aliases_unread and "$LATEST" in seen.unread for seen in view.functions)
        assert "did not answer 3 times in a row" in view.functions[-1].aliases_unread
        assert len(tried) == 3

    def test_a_function_that_vanishes_between_list_and_read_is_told(self, aws: AwsStub, process: Process) -> None:
        aws.create_zip_function("stays")
        gone = aws.create_zip_function("goes")
        aws.vanish(gone)

        view = process.read()

        assert [seen.listed.names[-1] for seen in view.functions] == ["stays"]
        ((place, why),) = view.unread
        assert place == REGION
        assert why == f"function {gone} was listed, and was gone when it was to be read; run the audit again"

    def test_a_version_that_cannot_be_read_leaves_the_others(self, aws: AwsStub, process: Process) -> None:
        aws.create_zip_function("legacy", aliases=["live"])
        aws.fail_next("GetFunction", "AccessDeniedException", "not allowed")

        seen = process.only()

        assert list(seen.versions) == ["1"]
        assert "allow it in the IAM policy" in seen.unread["$LATEST"]
        assert "allow it in the IAM policy" in seen.candidate.unread["image"]


class TestGoingOn:
    def test_an_audit_that_was_interrupted_goes_on_where_it_was(self, aws: AwsStub, process: Process) -> None:
        for number in range(10):
            aws.create_zip_function(f"f{number}")
        with pytest.raises(Cut):
            process.read(cut=7)
        before = len(aws.requests)

        view = process.read()

        assert len(view.functions) == 10
        again = operations(aws)[before:]
        assert again.count("GetFunction") <= 10 - 7
        assert operations(aws).count("GetFunction") == 10

    def test_an_audit_that_ended_leaves_nothing_for_the_next(self, aws: AwsStub, process: Process) -> None:
        arn = aws.create_zip_function("legacy")
        process.read()
        aws.manage(arn, "Manual", runtime_arn(V68, REGION))

        assert management(process.only()).update_on is UpdateRuntimeOn.MANUAL

    @pytest.mark.parametrize(
        "meanwhile",
        [
            pytest.param(lambda process: let_pass(process.clock, 3600), id="an hour ago"),
            pytest.param(lambda process: process.aws.touch("legacy"), id="another revision"),
        ],
    )
    def test_what_may_have_changed_is_read_again(
        self, aws: AwsStub, process: Process, meanwhile: Callable[[Process], None]
    ) -> None:
        aws.create_zip_function("legacy")
        with pytest.raises(Cut):
            process.read(cut=1)
        meanwhile(process)

        process.read()

        assert operations(aws).count("GetFunction") == 2

    def test_other_places_are_another_audit(self, aws: AwsStub, clock: WoundClock, process: Process) -> None:
        aws.create_zip_function("legacy")
        with pytest.raises(Cut):
            process.read(cut=1)
        places = (Place(REGION), Place("us-east-1"))

        Process(aws=aws, clock=clock, documents=process.documents, places=places).read()

        assert operations(aws).count("GetFunction") == 2

    def test_what_could_not_be_read_is_tried_again(self, aws: AwsStub, process: Process) -> None:
        aws.create_zip_function("legacy")
        aws.fail_next("GetRuntimeManagementConfig", "AccessDeniedException", "not allowed")
        with pytest.raises(Cut):
            process.read(cut=1)

        assert management(process.only()).mode_unread == ""


def _down(aws: AwsStub, region: str, *, after: int = 0, tried: list[str] | None = None) -> Any:
    """Make clients of which those of one Region meet a closed port, after so many calls that are answered."""

    def client(where: str) -> Any:
        if where != region:
            return aws.client("lambda", where)
        return _Falling(aws.client("lambda", where), _dead(where), after, tried if tried is not None else [])

    return client


def _dead(region: str) -> Any:
    session = boto3.session.Session("AKIALABLABLABLABLABL", "lab")
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1)
    client: Any = session.client("lambda", region_name=region, endpoint_url="http://127.0.0.1:9", config=config)
    return client


class _Falling:
    """A client that answers so many calls, and then is cut off."""

    def __init__(self, alive: Any, dead: Any, after: int, tried: list[str]) -> None:
        self._alive, self._dead, self._after, self._tried = alive, dead, after, tried

    def __getattr__(self, operation: str) -> Any:
        if self._after > 0:
            self._after -= 1
            return getattr(self._alive, operation)
        self._tried.append(operation)
        return getattr(self._dead, operation)
