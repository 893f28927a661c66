"""The audit's page is one well-formed document that runs nothing, fetches nothing and believes nothing."""

from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.entrypoints.cli import DONE
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.forms.pictures import Days, steps
from bot.entrypoints.html import audit_page
from tests.entrypoints.audits import (
    REDEPLOY,
    duty,
    image,
    managed,
    repository,
    rollout,
    row,
    sampled,
    use,
    whole,
)
from tests.entrypoints.conftest import Refrom

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = "<script src=//evil.example></script>\"' onload=alert(1) {{ 7 * 7 }} &amp; {% raw %}"
VOID = {"meta", "br", "hr", "img", "link", "input"}
FETCHING = {"src", "href", "srcset", "data", "action", "poster", "background", "formaction"}


class Page(HTMLParser):
    """Reads a page strictly: every element that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def audit_of(text: str) -> dict[str, Any]:
    """An audit in which every text that comes from outside is the given one."""
    owed = duty(REDEPLOY, "unknown", reason=text)
    names = dict.fromkeys(("function", "alias", "runtime", "version", "base", "repository", "path", "reason"), text)
    more = {"consistency": text, "pull_request": text, "redeployed": text, "account": text, "region": text}
    running = {"version": text, "arn": text, "from": "log", "newest_seen": f"{text}2", "reason": text}
    found = use(text, "skip", path=text, runtime=text, reason=text, reference=text)
    unread = {"repository": text, "path": text, "line": None, "reason": text}
    return {
        "schema": "refrom.audit/1",
        "functions": [
            image(text, owed, **names, **more, verdict="unknown", missing=None),
            managed(text, "managed-auto", owed, function=text, runtime=text, runtime_version=running),
        ],
        "repositories": [repository(text, found, skipped=(unread,))],
        "errors": [{what: text, "reason": text} for what in ("repository", "runtime", "place")],
        "gaps": [{"function": text, "gap": "unmapped", "reason": text}],
        "slo": whole()["slo"],
        "responsibility": [row("container-image", 1, unknown=1)],
        "burn": sampled(3),
        "rollouts": [rollout(runtime=text, base=text, reason=text)],
    }


@pytest.fixture
def page(refrom: Refrom, fleet: Stage) -> str:
    ran = refrom("audit", "--config", fleet.settings, "--format", "html")
    assert (ran.code, ran.err) == (DONE, "")
    return ran.out


def test_the_page_is_well_formed_and_shows_every_function(page: str) -> None:
    read = Page(page)

    assert page.startswith("<!doctype html>\n<html lang=")
    for name in ("orders", "billing", "search", "thumbnails", "webhooks", "mailer"):
        assert f":{name}" in read.text


def test_the_page_fetches_and_runs_nothing(page: str) -> None:
    read = Page(page)

    assert not {"script", "iframe", "object", "embed", "link", "img", "base", "form"} & set(read.tags)
    fetching = [(name, value) for name, value in read.attributes if name in FETCHING or name.startswith("on")]
    assert {name for name, _ in fetching} == {"href"}
    assert [value for _, value in fetching if not (value or "").startswith("#")] == []
    assert not any(word in page for word in ("http:", "https:", "url(", "@import", "//"))
    assert "default-src 'none'" in page


def test_hostile_text_is_text() -> None:
    harmless, hostile = Page(audit_page(audit_of("name"), NOW)), Page(audit_page(audit_of(HOSTILE), NOW))

    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert "{{ 7 * 7 }}" in hostile.text
    assert hostile.text.count("onload=alert(1)") > 20


def test_a_page_of_nothing_says_so() -> None:
    lists: dict[str, Any] = {key: [] for key in whole() if key not in ("schema", "slo")}

    text = Page(audit_page({**lists, "slo": whole()["slo"]}, NOW)).text

    for sentence in ("No function is under deploy", "No base is being rolled out", "No day has", "Everything was read"):
        assert sentence in text


def test_the_page_of_everything_is_well_formed_and_shows_all_of_it() -> None:
    text = Page(audit_page(whole(), NOW)).text

    for part in ("AWS's part of managed-manual", "lacks: security, important (ALAS2023-2026-001)", "newest seen"):
        assert part in text
    for part in ("12 of 40 uses have it", "2 of 5 builds failed", "the full height is 48 functions", "by 9 days"):
        assert part in text
    assert text.index("legacy") < text.index("orders:live") < text.index("mailer:live")


def test_a_pull_request_is_a_link_where_it_is_no_more_than_an_address() -> None:
    """Whatever else a forge calls its address stays text, so that no script hides in it."""
    for address, links in (("https://github.example/acme/orders/pull/7", 1), ("javascript:alert(1)", 0)):
        document = {**whole(), "functions": [image("orders", duty(REDEPLOY, "due", 1), pull_request=address)]}
        read = Page(audit_page(document, NOW))
        assert [value for name, value in read.attributes if name == "href" and value == address] == [address] * links
        assert address in read.text


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50), st.integers(0, 50)), max_size=9))
def test_the_picture_of_days_adds_up(samples: list[tuple[int, int, int]]) -> None:
    """Each day's bar is as high as its functions, and no part lies upon another or outside."""
    start = date(2026, 9, 1)
    burn: list[dict[str, Any]] = [
        {"day": str(start + timedelta(days=day)), "functions": within + overdue, "within": within, "overdue": overdue}
        for day, within, overdue in sorted({day: (day, within, overdue) for day, within, overdue in samples}.values())
    ]

    days = Days.of(burn)

    assert (days is None) == (burn == [])
    for sample in burn if days else ():
        at = (date.fromisoformat(sample["day"]) - date.fromisoformat(burn[0]["day"])).days
        bars = [bar for bar in days.bars if bar.x == at] if days else []
        assert sum(bar.height for bar in bars) == pytest.approx(100 * sample["functions"] / max(days.most, 1), abs=0.05)  # type: ignore[union-attr]
        assert all(bar.x < days.width and bar.y >= 0 and bar.y + bar.height <= 100.01 for bar in bars)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("phase", "wave", "states"),
    [
        pytest.param("one", 0, ["now", "ahead", "ahead", "ahead"], id="phase one"),
        pytest.param("soak", 0, ["past", "now", "ahead", "ahead"], id="soak"),
        pytest.param("waves", 2, ["past", "past", "now", "ahead"], id="waves"),
        pytest.param("done", 4, ["past", "past", "past", "past"], id="done"),
        pytest.param("halted", 2, ["past", "past", "now", "ahead"], id="halted in a wave"),
        pytest.param("halted", 0, ["now", "ahead", "ahead", "ahead"], id="halted in phase one"),
    ],
)
def test_the_picture_of_a_rollout_shows_where_it_stands(phase: str, wave: int, states: list[str]) -> None:
    assert [step.state for step in steps(rollout(phase, wave=wave))] == states
