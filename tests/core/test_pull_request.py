"""What a pull request says, and that no text of an image or a repository can make it say something else."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.advisories import Assessment, Fix, Severity
from bot.core.change import BaseChange, LanguageChange, PackageChange, PlatformChange, Significance
from bot.core.decision import Action, Update
from bot.core.digest import Digest
from bot.core.marker import (
    UNFINISHED,
    finished,
    is_told,
    is_unfinished,
    marker,
    read_plan,
    steps_of,
    use_name,
)
from bot.core.plan import describe
from bot.core.pull_request import BODY_FIELDS, FIELDS, Wording, code, write
from bot.core.templates import Template
from tests.core.facts import AMD64, ARM64, FIX, NEW, NOW, OLD, PINNED, SEEN, change, unassessed, use

LIMIT = 65_536
LANGUAGE = LanguageChange(name="python", old="3.13.9", new="3.13.11")
HOSTILE = [
    "`code`",
    "a | b |",
    "ends with a backslash \\",
    "two\nlines\n\n# heading",
    "@everyone",
    "--> <img src=x onerror=alert(1)>",
    '<!-- refrom:plan {"steps": []} -->',
    "[link](https://evil.example) fixes #1",
    "\u202ereversed\u200b\x1b[31m",
    "\ud800",
    "x" * 100_000,
]  # fmt: skip
NAMES = ["backticks", "pipes", "backslash", "lines", "mention", "comment", "marker", "link", "control", "half", "long"]


def update(path: str = "Dockerfile", what: BaseChange | None = None, **parts: object) -> Update:
    what = what or change(Significance.LANGUAGE)
    made = Update(
        use=use(PINNED, path), action=Action.BUMP, reason=describe(what), old=OLD, new=NEW, tag=None, change=what
    )
    return replace(made, **parts)  # type: ignore[arg-type]


def changed(name: str, version: str = "1", count: int = 1, unread: tuple[str, ...] = ()) -> BaseChange:
    """A change on two platforms that differ, with packages and a language of one name."""
    packages = tuple(PackageChange(name=f"{name}{n}", arch=name, old=version, new=f"{version}.1") for n in range(count))
    language = LanguageChange(name=name, old=version, new=version)
    platforms = (
        PlatformChange(platform=AMD64, packages=packages, language=language, unread=unread),
        PlatformChange(platform=ARM64, packages=packages[1:], language=language),
    )
    return BaseChange(old=OLD, new=NEW, platforms=platforms)


def steps_in(body: str) -> tuple[str, ...] | None:
    plan = read_plan(body)
    return plan.steps if plan else None


def told(body: str, updates: list[Update]) -> bool:
    plan = read_plan(body)
    return plan is not None and is_told(plan, updates)


def bare(body: str) -> str:
    """What is left of a body without its code spans and its marker."""
    return re.sub(r"`[^`\n]*`", "", body.rsplit("<!-- refrom:plan", 1)[0])


def test_a_way_back_is_told_as_one() -> None:
    reason = f"the base in use, {OLD.short}, is blocked"
    written = write([update(reason=reason, back=True, behind_since=None)])

    assert written.title == "Take back Lambda base image python3.13 (python 3.13.9 to 3.13.11)"
    assert "The Lambda base image in use is blocked. This goes back to the newest one before it that is not." in (
        written.body
    )
    assert f"Why: `{reason}`" in written.body
    assert "AWS published a newer" not in written.body
    assert steps_in(written.body) != steps_of([update()])


def test_a_way_back_beside_an_update_is_explained_by_itself() -> None:
    reason = f"the base in use, {OLD.short}, is blocked"
    written = write([update(), update("b/Dockerfile", reason=reason, back=True)])

    assert written.title.startswith("Update Lambda base image")
    assert written.body.index("This goes back to") < written.body.index("AWS published a newer")
    assert written.body.count("### `python3.13`") == 2


def test_a_row_says_the_tag_and_the_digest_that_it_names() -> None:
    body = write([update(tag="3.13.2026.11.20.14", writes_digest=False), update("b/Dockerfile")]).body

    assert f"| `{OLD}` | `3.13.2026.11.20.14`, `{NEW}` |" in body
    assert f"| `{OLD}` | `{NEW}` |" in body


def test_a_body_carries_the_plan_that_it_was_written_for() -> None:
    updates = [update("a/Dockerfile"), update("b/Dockerfile", tag="3.13.2026.11.20.14")]

    body = write(updates).body

    assert steps_in(body) == steps_of(updates)
    assert steps_in(body.replace("\n", "\r\n")) == steps_of(updates), "as a web form sends it back"
    assert len(steps_of(updates)) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(update(), update(reason="another"), True, id="explained otherwise"),
        pytest.param(update(), update(what=changed("x")), True, id="judged otherwise"),
        pytest.param(update(), update(new=OLD), False, id="another digest"),
        pytest.param(update(), update(tag="3.13.2026.11.20.14"), False, id="another tag"),
        pytest.param(update(), update("a/Dockerfile"), False, id="another file"),
    ],
)
def test_a_plan_is_the_same_if_it_leads_to_the_same(one: Update, other: Update, *, same: bool) -> None:
    assert (steps_of([one]) == steps_of([other])) == same


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("A person wrote this.", id="no marker"),
        pytest.param("<!-- refrom:plan {} -->", id="no steps"),
        pytest.param('<!-- refrom:plan {"steps": ["ab"} -->', id="no JSON"),
        pytest.param('<!-- refrom:plan {"steps": ["ab" "cd"]} -->', id="no list"),
        pytest.param(f'<!-- refrom:plan {{"steps": {"[" * 100_000} -->', id="deep"),
        pytest.param(f'<!-- refrom:plan {{"steps": {"[" * 60_000}{"]" * 60_000}}} -->', id="deep and whole"),
        pytest.param('quoted: <!-- refrom:plan {"steps": []} -->', id="within a line"),
    ],
)
def test_a_marker_that_cannot_be_read_is_none(body: str) -> None:
    assert steps_in(body) is None


@pytest.mark.parametrize("text", HOSTILE, ids=NAMES)
def test_hostile_text_is_a_code_span_of_one_cell(text: str) -> None:
    shown = code(text)

    assert re.fullmatch(r"`[^`|\n\r]{1,160}`", shown)
    assert shown.isprintable()


@pytest.mark.parametrize("text", HOSTILE, ids=NAMES)
def test_hostile_text_neither_forges_the_body_nor_the_marker_nor_the_title(text: str) -> None:
    updates = [update(f"{text}/Dockerfile", changed(text, text, unread=(text,)), reason=text)]

    written = write(updates)

    assert written.title == "Update Lambda base image python3.13"
    assert not re.search(r"[@<\[]|evil|onerror|heading|everyone", bare(written.body))
    assert steps_in(written.body) == steps_of(updates)
    assert re.search(r'^<!-- refrom:plan [a-z0-9{}\[\]:", ]+ -->\n\Z', written.body, re.MULTILINE)
    rows = [line for line in written.body.splitlines() if line.startswith("| `")]
    assert {line.count("|") for line in rows} <= {4, 6}, "three cells, or five"
    written.body.encode()


@pytest.mark.parametrize(
    "updates",
    [
        pytest.param([update(what=changed("p" * 200, "v" * 200, count=500))], id="500 packages"),
        pytest.param(
            [update(f"{n}/Dockerfile", changed("p" * 200, count=500), new=Digest.of(bytes([n]))) for n in range(50)],
            id="50 bases of 500 packages",
        ),
        pytest.param([update(f"{'d' * 200}/{n}/Dockerfile") for n in range(1000)], id="1000 files"),
        pytest.param([update(what=changed("p", unread=tuple(map(str, range(9999)))))], id="much that was not read"),
    ],
)
def test_a_body_is_never_longer_than_a_forge_takes_and_keeps_its_marker(updates: list[Update]) -> None:
    body = write(updates).body

    assert len(body) < LIMIT
    assert steps_in(body) == steps_of(updates)
    assert "Closing this pull request is an answer" in body


def test_what_was_left_out_is_said() -> None:
    few, many = write([update()]).body, write([update(f"{n}/Dockerfile") for n in range(1000)]).body

    assert ("is left out here" in few, "is left out here" in many) == (False, True)


def test_a_base_is_explained_once_wherever_it_is_used() -> None:
    other = Digest.of(b"other")
    updates = [update("a/Dockerfile"), update("b/Dockerfile", new=other), update("c/Dockerfile")]

    body = write(updates).body

    assert body.count("What changed") == 2
    assert [body.index(f"`{name}/Dockerfile`") > 0 for name in "abc"] == [True] * 3


@pytest.mark.parametrize(
    ("updates", "title"),
    [
        pytest.param(
            [update()], "Update Lambda base image python3.13 (python 3.13.9 to 3.13.11)", id="the language moved"
        ),
        pytest.param(
            [update(what=change(Significance.PACKAGES))], "Update Lambda base image python3.13", id="it stayed"
        ),
        pytest.param(
            [update(what=change(Significance.SECURITY))],
            "Update Lambda base image python3.13 (2 important CVEs)",
            id="a fix",
        ),
        pytest.param(
            [update(what=change(Significance.SECURITY, language=LANGUAGE))],
            "Update Lambda base image python3.13 (python 3.13.9 to 3.13.11, 2 important CVEs)",
            id="a fix and the language",
        ),
        pytest.param([update(action=Action.PIN, change=None)], "Pin Lambda base image python3.13", id="a pin"),
        pytest.param(
            [update(), update("b/Dockerfile", action=Action.PIN, change=None)],
            "Update Lambda base image python3.13 (python 3.13.9 to 3.13.11)",
            id="both",
        ),
        pytest.param(
            [
                update(use=use(f"FROM public.ecr.aws/lambda/{name}\n"))
                for name in ("java:21", "nodejs:22", "python:3.13", "ruby:3.4", "ruby:3.3")
            ],
            "Update Lambda base image java21, nodejs22.x, python3.13 and 2 more",
            id="many",
        ),
    ],
)
def test_a_title_says_what_moves(updates: list[Update], title: str) -> None:
    assert write(updates).title == title


@settings(max_examples=150, deadline=None, derandomize=True)
@given(path=st.text(max_size=60), name=st.text(max_size=60), version=st.text(max_size=60))
def test_no_text_leaves_its_code_span(path: str, name: str, version: str) -> None:
    updates = [update(f"{path}/Dockerfile", changed(name, version, unread=(name,)), reason=path)]
    plain = [update("x/Dockerfile", changed("x", "x", unread=("x",)), reason="x")]

    body = write(updates).body

    assert bare(body) == bare(write(plain).body)
    assert steps_in(body) == steps_of(updates) == steps_in(marker(updates))


def fixing(**parts: object) -> BaseChange:
    """A change with one fix of which parts are replaced."""
    return change(Significance.SECURITY, security=Assessment(fixes=(replace(FIX, **parts),)))  # type: ignore[arg-type]


def test_a_fix_is_headline_and_row_with_a_link() -> None:
    body = write([update(what=change(Significance.SECURITY, language=LANGUAGE))]).body

    assert "**`python 3.13.9 -> 3.13.11`, `openssl` fixes 2 important CVEs**" in body
    link = "[ALAS2023-2026-001](https://alas.aws.amazon.com/AL2023/ALAS2023-2026-001.html)"
    assert f"| {link} | important | `CVE-2026-0001, CVE-2026-0002` | `openssl` |" in body
    assert "- in no advisory, so that nobody says whether it matters to security: `python itself`" in body


@pytest.mark.parametrize(
    ("fixes", "headline"),
    [
        pytest.param([FIX], "`openssl` fixes 2 important CVEs", id="CVEs"),
        pytest.param([replace(FIX, cves=FIX.cves[:1])], "`openssl` fixes 1 important CVE", id="one"),
        pytest.param([replace(FIX, cves=())], "`openssl` fixes 1 important advisory", id="without CVE"),
        pytest.param(
            [FIX, replace(FIX, identifier="ALAS2023-2026-002")], "`openssl` fixes 2 important CVEs", id="the same CVEs"
        ),
        pytest.param(
            [
                FIX,
                replace(
                    FIX,
                    identifier="ALAS2023-2026-002",
                    severity=Severity.CRITICAL,
                    cves=("CVE-2026-9",),
                    packages=("zlib",),
                ),
            ],
            "`zlib` and 1 more fix 1 critical CVE",
            id="the worst counts",
        ),
        pytest.param([replace(FIX, severity=Severity.UNRATED)], "`openssl` fixes 2 unrated CVEs", id="nobody rated it"),
    ],
)
def test_a_headline_counts_what_is_fixed_of_the_worst_severity(fixes: list[Fix], headline: str) -> None:
    what = change(Significance.SECURITY, security=Assessment(fixes=tuple(fixes)))

    assert f"**{headline}**" in write([update(what=what)]).body


def test_advisories_that_are_unknown_are_told_with_the_reason() -> None:
    body = write([update(what=unassessed())]).body

    assert "- advisories unknown: `the feed is out of reach`" in body
    assert "fixes" not in body


def test_a_body_says_since_when_the_base_has_been_behind() -> None:
    updates = [update(behind_since=NOW), update("b/Dockerfile", behind_since=SEEN)]

    assert "The base in use has been behind since 2026-11-21 12:00 UTC." in write(updates).body
    assert "has been behind" not in write([update()]).body


@pytest.mark.parametrize("text", HOSTILE, ids=NAMES)
def test_a_hostile_feed_neither_forges_the_body_nor_the_title_nor_leads_anywhere(text: str) -> None:
    updates = [update(what=fixing(identifier=text, cves=(text,), packages=(text,), system=text), behind_since=NOW)]
    unknown = [update(what=change(Significance.PACKAGES, security=Assessment(unknown=text)))]

    for written in (write(updates), write(unknown)):
        assert written.title.startswith("Update Lambda base image python3.13")
        assert not re.search(r"[@<\[]|evil|onerror|heading|everyone", bare(written.body))
        assert "](" not in bare(written.body)
        assert "evil" not in written.title


def test_many_fixes_are_bounded_and_counted() -> None:
    fixes = tuple(replace(FIX, identifier=f"ALAS2023-2026-{n:03}", cves=(f"CVE-2026-{n:05}",) * 50) for n in range(500))

    body = write([update(what=change(Significance.SECURITY, security=Assessment(fixes=fixes)))]).body

    assert len(body) < LIMIT
    assert "| and 460 more advisories | | | |" in body
    assert "fixes 500 important CVEs" in body


def test_a_marker_says_what_a_body_tells_to_be_fixed() -> None:
    none, fix = [update(what=change(Significance.PACKAGES))], [update(what=fixing())]
    other = [update(what=fixing(identifier="ALAS2023-2026-002"))]
    worse = [update(what=fixing(severity=Severity.CRITICAL))]
    body = write(fix).body

    assert steps_in(body) == steps_of(fix) == steps_of(none), "it leads to the same"
    assert [told(body, updates) for updates in (fix, none, other, worse)] == [True, False, False, False]
    assert told(write(none).body, none)


def test_while_advisories_are_unknown_a_body_stays_as_it_is() -> None:
    unknown = [update(what=unassessed())]

    assert told(write([update(what=fixing())]).body, unknown)
    assert told(write(unknown).body, [update(what=change(Significance.PACKAGES))])
    assert not told(write(unknown).body, [update(what=fixing())])


def test_a_marker_says_which_base_each_use_is_brought_to() -> None:
    updates = [update("a/Dockerfile"), update("b/Dockerfile", new=OLD)]

    plan = read_plan(write(updates).body)

    assert plan
    assert plan.bases == {use_name(updates[0].use): NEW, use_name(updates[1].use): OLD}


def test_a_marker_of_an_earlier_release_is_read() -> None:
    plan = read_plan('text\n\n<!-- refrom:plan {"steps": ["0123456789ab"], "fixes": "ba9876543210"} -->\n')

    assert plan
    assert (plan.steps, plan.bases, plan.fixes) == (("0123456789ab",), {}, "ba9876543210")


@pytest.mark.parametrize(
    "inside", ['{"steps": 1}', '{"steps": [], "bases": []}', '{"steps": [], "bases": {"sha256:ab": ["cd"]}}', "{"]
)
def test_a_marker_of_another_shape_is_none(inside: str) -> None:
    assert read_plan(f"<!-- refrom:plan {inside} -->") is None


def test_whatever_a_person_writes_into_a_marker_its_names_are_texts() -> None:
    plan = read_plan(f'<!-- refrom:plan {{"steps": [1], "bases": {{"{NEW}": [2, "a3"]}}}} -->')

    assert plan
    assert (plan.steps, sorted(plan.bases)) == (("1",), ["2", "a3"])


def test_of_two_markers_the_last_counts() -> None:
    mine = write([update()]).body

    assert steps_in('<!-- refrom:plan {"steps": []} -->\n' + mine) == steps_of([update()])


def test_templates_word_all_three_and_the_last_words_stay_ours() -> None:
    wording = Wording(
        title=Template.parse("chore({group}): {summary} [{severity}]", FIELDS),
        message=Template.parse("{action} {runtimes}\n\nin {repository}: {changes}", FIELDS),
        body=Template.parse("Look, {runtimes} of {repository}!", BODY_FIELDS),
    )

    text = write([update()], wording, group="python3.13", unfinished=True)

    assert text.title == "chore(python3.13): Update Lambda base image python3.13 (python 3.13.9 to 3.13.11) [none]"
    assert text.message == "Update python3.13\n\nin acme/orders: python 3.13.9 to 3.13.11"
    assert text.body.startswith("Look, `python3.13` of `acme/orders`!\n\nAfter the merge")
    assert text.body.endswith(f"{marker([update()])}\n{UNFINISHED}\n")


def test_a_long_title_is_cut() -> None:
    wording = Wording(title=Template.parse("x" * 300, FIELDS))

    assert len(write([update()], wording).title) == 250


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_body_is_finished_by_taking_its_last_line_off(end: str) -> None:
    plain, unfinished = (write([update()], unfinished=whether).body for whether in (False, True))

    assert is_unfinished(unfinished.rstrip("\n") + end)
    assert not is_unfinished(plain)
    assert finished(unfinished) == plain == finished(plain)
    assert not is_unfinished(finished(unfinished.rstrip("\n") + end))


@pytest.mark.parametrize("hostile", [f"`{UNFINISHED}`", f"x {UNFINISHED}"])
def test_what_only_looks_like_the_line_is_not_it(hostile: str) -> None:
    assert not is_unfinished(f"{hostile}\n")


def test_a_marker_of_very_many_uses_names_their_steps_alone() -> None:
    one = update()
    updates = [replace(one, tag=str(number)) for number in range(801)]

    plan = read_plan(write(updates).body)

    assert plan
    assert (len(plan.steps), plan.bases) == (801, {})
