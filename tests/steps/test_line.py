"""The line of pull requests in whole cycles: groups, limits, the schedule, what is finished, what people answer."""

from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import pytest

from bot.adapters.forge.recording import RecordingPullRequests
from bot.core.admission import Limits
from bot.core.errors import ForgeError, Paused
from bot.core.marker import is_unfinished
from bot.core.outcome import Result
from bot.core.policy import Block, Declarations, Hold, Policy, UpdateOn
from bot.core.proposals import IGNORE, GroupBy, PullRequestPolicy
from bot.core.pull_request import BODY_FIELDS, FIELDS, Wording
from bot.core.templates import Template
from bot.core.windows import Window
from bot.entrypoints.demo.fleet import MOVED
from bot.ports.engine import Key
from bot.ports.forge import Finish, PullRequestState
from bot.steps.cycle import Cycle, Report
from tests.steps.memory_forge import MemoryForge
from tests.steps.shop import AFTER, Shop, pinned

NAME = "acme/orders"
BRANCH, BY_RUNTIME = "refrom/lambda-base-images", "refrom/python3.13"
LATER = replace(
    AFTER,
    created=MOVED + timedelta(days=2),
    language=replace(AFTER.language, version="3.13.12") if AFTER.language else None,
)
"""One more move that matters."""
AGAIN = replace(AFTER, created=MOVED + timedelta(days=1))
"""One more digest with the contents of the move before."""


@pytest.fixture
def forge(shop: Shop) -> MemoryForge:
    """A forge in memory instead of the shop's own."""
    made = MemoryForge(shop.clock)
    shop.ports |= {"forge": made, "pull_requests": made}
    return made


def due(shop: Shop, forge: MemoryForge, *names: str) -> None:
    """Source repositories whose base moved."""
    base = shop.publish()
    shop.watch()
    for name in names or (NAME,):
        forge.push(name, pinned(base))
    shop.move()


def results(report: Report) -> list[str]:
    return [str(outcome.result) for outcome in report.outcomes]


def messages(report: Report) -> str:
    return "\n".join(outcome.message for outcome in report.outcomes)


def test_a_second_run_makes_no_change_and_one_request_for_what_is_open(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, NAME, "acme/other")
    forge.push("acme/idle", "FROM alpine\n")
    assert results(shop.cycle()) == ["opened", "opened"]
    made, asked = len(forge.made), len(forge.asked)

    again = shop.cycle()

    assert results(again) == ["unchanged", "unchanged"]
    assert len(forge.made) == made
    assert [what for what in forge.asked[asked:] if not what.startswith("sources")] == [
        "repositories",
        "pull_requests acme/orders",
        "pull_requests acme/other",
    ]


def test_a_newer_base_refreshes_the_same_pull_request(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    shop.clock.wait_until(LATER.created + timedelta(hours=1))
    newest = shop.publish(LATER)

    report = shop.cycle()

    (kept,) = forge.of(NAME)
    assert results(report) == ["refreshed"]
    assert (kept.pull.number, str(newest) in kept.files["Dockerfile"].decode()) == (1, True)
    assert results(shop.cycle()) == ["unchanged"]


def test_what_conflicts_is_made_anew_on_the_newest_commit(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    head = forge.of(NAME)[0].pull.head
    forge.push(NAME, "print()\n", "app.py")
    forge.change(NAME, conflicts=True)

    report = shop.cycle()

    assert results(report) == ["refreshed"]
    assert "it conflicted with main" in messages(report)
    assert forge.of(NAME)[0].pull.head != head
    assert results(shop.cycle()) == ["unchanged"]


def test_a_persons_push_is_left_alone_and_said_once_in_three_runs(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    forge.push_by_person(NAME)

    reports = [shop.cycle() for _ in range(3)]

    assert [results(report) for report in reports] == [["commented"], ["unchanged"], ["unchanged"]]
    (kept,) = forge.of(NAME)
    assert (len(kept.comments), kept.pull.head) == (1, "person")


def test_a_persons_close_answers_for_that_base_and_for_those_that_hardly_differ(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    forge.close_by_person(NAME)
    assert results(shop.cycle()) == ["unchanged"]
    shop.clock.wait_until(AGAIN.created + timedelta(hours=1))
    shop.publish(AGAIN)
    assert results(shop.cycle()) == ["unchanged"], "another digest, the same contents"
    shop.clock.wait_until(LATER.created + timedelta(hours=1))
    shop.publish(LATER)

    assert results(shop.cycle()) == ["opened"]
    assert forge.states(NAME) == ["closed", "open"]


def test_what_was_merged_since_the_listing_is_not_proposed_again(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    forge.change(NAME, state=PullRequestState.MERGED, merged=shop.clock.now())  # and the listing is older

    assert results(shop.cycle()) == ["unchanged"]
    assert forge.states(NAME) == ["merged"]
    shop.clock.wait_until(shop.clock.now() + timedelta(hours=1))
    assert results(shop.cycle()) == ["opened"], "somebody took the merge back"


def test_what_a_person_opens_again_is_refreshed_so_that_its_next_close_is_an_answer(
    shop: Shop, forge: MemoryForge
) -> None:
    due(shop, forge)
    shop.cycle()
    forge.change(NAME, closed_by_us=True)

    assert results(shop.cycle()) == ["refreshed"]
    assert results(shop.cycle()) == ["unchanged"]
    forge.close_by_person(NAME)
    assert results(shop.cycle()) == ["unchanged"]
    assert forge.states(NAME) == ["closed"]


def test_a_persons_own_pull_request_from_our_branch_hides_ours_not_and_is_left(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    ours = forge.pulls[0]
    forge.pulls.append(replace(ours, pull=replace(ours.pull, number=2, base="release", body="a backport")))

    assert results(shop.cycle()) == ["unchanged"]
    ours.pull = replace(ours.pull, state=PullRequestState.MERGED)
    assert results(shop.cycle()) == ["unchanged"]
    assert forge.states(NAME) == ["merged", "open"]


def test_the_label_ignore_ends_it_for_good(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    forge.change(NAME, labels=(IGNORE,))
    assert results(shop.cycle()) == ["closed"]
    assert f"it has the label {IGNORE}" in forge.of(NAME)[0].comments[-1]
    shop.clock.wait_until(LATER.created + timedelta(hours=1))
    shop.publish(LATER)

    assert results(shop.cycle()) == ["unchanged"]
    assert forge.states(NAME) == ["closed"]


def test_a_hold_and_a_soak_leave_what_is_open_as_it_is(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    shop.declared = Declarations(holds=(Hold(reason="freeze", repository="acme/*"),))
    assert results(shop.cycle()) == ["unchanged"]
    shop.declared = Declarations()
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, soak=timedelta(days=20))
    shop.clock.wait_until(LATER.created + timedelta(hours=1))
    shop.publish(LATER)

    assert results(shop.cycle()) == ["unchanged"]
    assert forge.states(NAME) == ["open"]


def test_a_block_closes_with_its_reason(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    shop.declared = Declarations(blocks=(Block(digest=shop.watch().digest, reason="breaks TLS"),))

    report = shop.cycle()

    assert results(report) == ["closed"]
    assert forge.of(NAME)[0].comments == ["Closed: the base image is blocked."]
    assert not shop.cycle().outcomes


def test_a_block_closes_what_offers_that_base_while_the_next_is_soaking(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    offered = shop.watch().digest
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, soak=timedelta(days=20))
    shop.clock.wait_until(LATER.created + timedelta(hours=1))
    shop.publish(LATER)
    shop.declared = Declarations(blocks=(Block(digest=offered, reason="breaks TLS"),))

    assert results(shop.cycle()) == ["closed"]


def test_a_use_that_is_gone_closes_with_that_reason(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.cycle()
    forge.push(NAME, "FROM alpine\n")

    assert results(shop.cycle()) == ["closed"]
    assert forge.of(NAME)[0].comments == ["Closed: the base images that it updates are used no longer."]
    assert not shop.cycle().outcomes


def test_another_grouping_closes_the_old_and_opens_the_new_in_one_run(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.proposing = PullRequestPolicy(limits=Limits(open_per_repository=1))
    shop.cycle()
    shop.proposing = replace(shop.proposing, group_by=GroupBy.RUNTIME)

    assert results(shop.cycle()) == ["closed", "opened"]
    assert [(k.pull.branch, str(k.pull.state)) for k in forge.of(NAME)] == [(BY_RUNTIME, "open"), (BRANCH, "closed")]
    assert "grouped in another way" in forge.of(NAME)[1].comments[0]
    assert results(shop.cycle()) == ["unchanged"]
    shop.proposing = replace(shop.proposing, group_by=GroupBy.REPOSITORY)
    assert results(shop.cycle()) == ["closed", "opened"], "and back: what we closed is no answer"


def test_limits_are_never_exceeded_and_the_next_come_as_places_become_free(shop: Shop, forge: MemoryForge) -> None:
    names = [f"acme/{letter}" for letter in "dcbae"]
    due(shop, forge, *names)
    shop.proposing = PullRequestPolicy(limits=Limits(open=2))

    report = shop.cycle()

    assert forge.made == [f"create acme/{letter} {BRANCH}" for letter in "ab"]
    assert results(report) == ["opened"] * 2 + ["waiting"] * 3
    assert "2 pull requests are open, and the limit is 2 in all" in messages(report)
    assert results(shop.cycle()) == ["unchanged"] * 2 + ["waiting"] * 3
    forge.merge("acme/a")
    shop.cycle()
    assert forge.made[-1] == f"create acme/c {BRANCH}"


def test_what_waits_for_a_place_costs_no_request_and_is_no_news(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/a", "acme/b")
    shop.proposing = PullRequestPolicy(limits=Limits(open=1))
    shop.cycle()

    shop.cycle()

    assert "pull_requests acme/b" not in forge.asked
    assert [str(outcome.result) for _, outcome in shop.store.journal.entries()] == ["opened"]


def test_no_more_than_so_many_are_new_within_an_hour_though_they_are_merged_at_once(
    shop: Shop, forge: MemoryForge
) -> None:
    due(shop, forge, *(f"acme/{n}" for n in range(6)))
    shop.proposing = PullRequestPolicy(limits=Limits(new_per_hour=2))
    opened = []
    for _ in range(12):
        report = shop.cycle()
        opened += [shop.now] * results(report).count("opened")
        for n in range(6):
            if forge.states(f"acme/{n}") == ["open"]:
                forge.merge(f"acme/{n}")
        shop.clock.advance(timedelta(minutes=20))

    assert len(opened) == 6
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in zip(opened, opened[2:], strict=False))
    assert all(later - earlier <= timedelta(hours=1) for earlier, later in pairwise(opened)), (
        "and no later than need be"
    )


def test_losing_the_store_loosens_no_limit_on_what_is_open(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/a", "acme/b", "acme/c")
    shop.proposing = PullRequestPolicy(limits=Limits(open=1, new_per_hour=1))
    shop.cycle()
    shop.forget()

    assert results(shop.cycle()) == ["unchanged", "waiting", "waiting"]
    assert len(forge.made) == 1


def test_what_a_person_refused_takes_no_place(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/a", "acme/b")
    shop.proposing = PullRequestPolicy(limits=Limits(open=1))
    shop.cycle()
    forge.close_by_person("acme/a")

    report = shop.cycle()

    assert results(report) == ["unchanged", "opened"]
    assert forge.states("acme/b") == ["open"]


def test_outside_of_the_schedule_nothing_is_opened_or_refreshed_but_closed(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/open", "acme/gone")
    shop.cycle()
    due(shop, forge, "acme/new")
    forge.push("acme/gone", "FROM alpine\n")
    forge.change("acme/open", conflicts=True)
    tomorrow = (shop.now.weekday() + 1) % 7
    shop.proposing = PullRequestPolicy(window=Window(zone=UTC, days=frozenset({tomorrow})))

    report = shop.cycle()

    by_name = {outcome.subject: outcome for outcome in report.outcomes}
    assert {name: str(o.result) for name, o in by_name.items()} == {
        "acme/gone": "closed",
        "acme/open": "waiting",
        "acme/new": "waiting",
    }
    midnight = (shop.now + timedelta(days=1)).replace(hour=0, minute=0)
    assert f"outside of the schedule; not before {midnight:%Y-%m-%d %H:%M} UTC" in by_name["acme/new"].message
    shop.clock.wait_until(midnight)
    assert sorted(results(shop.cycle())) == ["opened", "refreshed"]


FINISHED = PullRequestPolicy(labels=("bases",), reviewers=("ana", "acme/platform"), auto_merge="squash")


def test_labels_reviewers_and_auto_merge_are_added_once(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.proposing = FINISHED

    report = shop.cycle()

    (kept,) = forge.of(NAME)
    assert results(report) == ["opened", "finished"]
    assert kept.asked == Finish(labels=("bases",), reviewers=("ana", "acme/platform"), auto_merge="squash")
    assert not is_unfinished(kept.pull.body)
    assert "labels bases; reviewers ana, acme/platform; merged by the forge with squash" in messages(report)
    forge.change(NAME, labels=())
    assert results(shop.cycle()) == ["unchanged"], "a label that a person took off stays off"


def test_what_a_crash_left_unfinished_is_finished_by_the_next_run(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.proposing = FINISHED
    crashing = Cycle(shop.world(), shop.rules())
    crashing.repositories = crashing.inquiry.repositories()
    crashing.tick(Key("repository", NAME), shop.now)
    (name,) = crashing.line.form(crashing.repositories)
    crashing.tick(Key("pull-request", name), shop.now)
    assert is_unfinished(forge.of(NAME)[0].pull.body)

    assert results(shop.cycle()) == ["finished"]
    assert results(shop.cycle()) == ["unchanged"]


def test_what_the_forge_did_not_add_is_said_so_that_somebody_looks(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.proposing, forge.undone = FINISHED, ("the repository allows no auto-merge",)

    report = shop.cycle()

    assert (results(report), report.needs_attention) == (["opened", "refused"], True)
    assert "not done: the repository allows no auto-merge" in messages(report)


def test_nothing_is_finished_where_nothing_is_configured(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)

    shop.cycle()

    assert forge.made == [f"create {NAME} {BRANCH}"]
    assert not is_unfinished(forge.of(NAME)[0].pull.body)


def test_the_words_of_the_settings_are_those_of_the_pull_request(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    shop.proposing = PullRequestPolicy(
        group_by=GroupBy.RUNTIME,
        branch=Template.parse("refrom/x-{group}", ("group",)),
        draft=True,
        wording=Wording(
            title=Template.parse("chore: {summary}", FIELDS),
            message=Template.parse("{action} {group}\n\nRefs: OPS-1", FIELDS),
            body=Template.parse("Hello.\n\n{details}", BODY_FIELDS),
        ),
    )

    shop.cycle()

    (kept,) = forge.of(NAME)
    assert kept.pull.title.startswith("chore: Update Lambda base image python3.13 (python")
    assert (kept.pull.branch, kept.message, kept.draft) == (
        "refrom/x-python3.13",
        "Update python3.13\n\nRefs: OPS-1",
        True,
    )
    assert kept.pull.body.startswith("Hello.\n\n### `python3.13`")


def test_a_dry_run_plans_the_same_and_changes_nothing(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/a", "acme/b")
    shop.proposing = replace(FINISHED, limits=Limits(open=1))
    shop.ports["pull_requests"] = RecordingPullRequests()

    dry = shop.cycle()

    assert not forge.made
    shop.forget()
    shop.ports["pull_requests"] = forge
    assert results(shop.cycle()) == results(dry) == ["opened", "waiting", "finished"]


def test_a_repository_that_takes_no_writes_is_told_and_not_asked(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    forge.read_only[NAME] = "it is archived"

    report = shop.cycle()

    assert results(report) == ["unchanged"]
    assert "nothing is proposed: it is archived" in messages(report)
    assert f"pull_requests {NAME}" not in forge.asked


def test_a_pause_makes_its_key_wait_and_the_others_go_on(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/a", "acme/b")
    until = shop.now + timedelta(hours=1)
    forge.failing["acme/a"] = Paused("the forge asks to wait", until=until)

    report = shop.cycle()

    assert results(report) == ["opened"]
    assert not report.needs_attention
    assert [(str(key), again.at, again.why) for key, again in report.waiting] == [
        ("repository:acme/a", until, "the forge asks to wait")
    ]


def test_a_short_pause_is_waited_for(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge)
    forge.failing[NAME] = Paused("the forge asks to wait", until=shop.now + timedelta(minutes=1))

    report = shop.cycle()

    assert (results(report), report.waiting) == (["opened"], ())


def test_a_paused_listing_keeps_functions_waiting_instead_of_failing(shop: Shop, forge: MemoryForge) -> None:
    base = shop.publish()
    shop.deploy("orders", base, "c" * 40)
    forge.listing = Paused("the forge asks to wait", until=shop.now + timedelta(hours=1))

    report = shop.cycle()

    assert [(o.subject, o.result) for o in report.outcomes] == [("orders", Result.WAITING)]
    assert [str(key) for key, _ in report.waiting] == ["forge:repositories"]


def test_a_listing_that_fails_ends_the_cycle(shop: Shop, forge: MemoryForge) -> None:
    forge.listing = ForgeError("the token is no good; make another")

    with pytest.raises(ForgeError, match="the token is no good"):
        shop.cycle()


@pytest.mark.parametrize("fault", [ForgeError("it is broken; mend it"), KeyError("surprise")], ids=["told", "a defect"])
def test_one_repository_that_fails_leaves_the_others_alone(shop: Shop, forge: MemoryForge, fault: Exception) -> None:
    due(shop, forge, "acme/a", "acme/b", "acme/c")
    forge.failing["acme/b"] = fault

    report = shop.cycle()

    outcomes = {outcome.subject: outcome for outcome in report.outcomes}
    assert {name: str(o.result) for name, o in outcomes.items()} == {
        "acme/a": "opened",
        "acme/b": "failed",
        "acme/c": "opened",
    }
    defect = isinstance(fault, KeyError)
    assert [(str(d.key), d.fault) for d in report.defects] == ([("repository:acme/b", fault)] if defect else [])
    said = "a defect of refrom (KeyError); please report it" if defect else str(fault)
    assert outcomes["acme/b"].message == said


def test_a_defect_in_one_pull_request_is_told_with_its_repository(shop: Shop, forge: MemoryForge) -> None:
    due(shop, forge, "acme/a", "acme/b")

    class Broken(MemoryForge):
        """A forge that has a defect in one place."""

        def pull_requests(self, repository: str, branch: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - never answers
            raise ZeroDivisionError(f"{repository} {branch}")

    broken = Broken(shop.clock, forge.repositories_)
    shop.ports |= {"forge": broken, "pull_requests": broken}

    report = shop.cycle()

    assert [(o.step, o.subject, o.result) for o in report.outcomes] == [
        ("propose", "acme/a", Result.FAILED),
        ("propose", "acme/b", Result.FAILED),
    ]
    assert [str(d.key) for d in report.defects] == [f"pull-request:acme/{x} {BRANCH}" for x in "ab"]
