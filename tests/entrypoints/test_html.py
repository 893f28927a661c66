"""The audit's page is one well-formed document that runs nothing, fetches nothing and believes nothing."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from bot.entrypoints.cli import DONE
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.html import audit_page
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
    use = {"path": text, "line": 1, "runtime": text, "decision": "skip", "reason": text}
    return {
        "schema": "refrom.audit/1",
        "functions": [
            {
                "function": text, "alias": text, "runtime": text, "version": text, "verdict": "unknown",
                "serves": [],
                "base_age_days": None, "base": text, "duties": [{"state": "unknown", "days": None, "reason": text}],
            }
        ],
        "repositories": [
            {"repository": text, "uses": [use], "skipped": [{"path": text, "line": None, "reason": text}]}
        ],
        "errors": [{what: text, "reason": text} for what in ("repository", "runtime", "place")],
        "gaps": [{"function": text, "gap": "unmapped", "reason": text}],
        "slo": {"kept": False, "findings": 1},
    }  # fmt: skip


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
    assert [name for name, _ in read.attributes if name in FETCHING or name.startswith("on")] == []
    assert not any(word in page for word in ("http:", "https:", "url(", "@import", "//"))
    assert "default-src 'none'" in page


def test_hostile_text_is_text() -> None:
    harmless, hostile = Page(audit_page(audit_of("name"), NOW)), Page(audit_page(audit_of(HOSTILE), NOW))

    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert hostile.text.count(HOSTILE) == harmless.text.count("name")
    assert "49" not in hostile.text


def test_a_page_of_nothing_says_so() -> None:
    empty = {"functions": [], "repositories": [], "errors": [], "gaps": [], "slo": {"kept": True, "findings": 0}}

    assert "No function is under deploy" in Page(audit_page(empty, NOW)).text
