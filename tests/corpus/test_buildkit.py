"""BuildKit's own cases: parse trees, word expansion, word splitting, heredocs, rejected files."""

import re
from typing import Any

import pytest

from bot.core.dockerfile import read_uses
from bot.core.dockerfile.heredocs import announced, parse_heredoc
from bot.core.dockerfile.instructions import Command, parse
from bot.core.dockerfile.shell import Expander, Expansion, WordError
from bot.core.dockerfile.source import Traced
from bot.core.errors import DockerfileError
from tests.corpus.place import CORPUS, cases, load, needs_corpus

pytestmark = needs_corpus

FILE = "buildkit/cases.json"
ALL = load(FILE) or {}
UNIX = [case for case in cases(FILE, "env_var_test", "cases") if case["platform"] != "W"]


def traced(text: str) -> Traced:
    return Traced(text, range(len(text)))


def value(text: str) -> Expansion:
    expansion = Expansion()
    expansion.add(text, range(len(text)), hard=False)
    return expansion


def expand(word: str, env: dict[str, str]) -> tuple[str | None, Expander]:
    """What BuildKit makes of a word; None where it rejects it. A required argument is a hole with that reason."""
    expander = Expander(values={name: value(text) for name, text in env.items()})
    try:
        expansion = expander.expand(traced(word))
    except WordError:
        return None, expander
    if any("is required" in hole.reason for hole in expansion.holes.values()):
        return None, expander
    return expansion.plain, expander


def go_quote(text: str) -> str:
    """Quote as Go's %q does."""
    named = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    named |= {"\\": "\\\\", '"': '\\"'}
    quoted = "".join(named.get(c) or (c if c.isprintable() else f"\\x{ord(c):02x}") for c in text)
    return f'"{quoted}"'


def dump(command: Command) -> str:
    """The parse tree of a command in BuildKit's notation."""
    flags = f" [{' '.join(go_quote(flag.text) for flag in command.flags)}]" if command.flags else ""
    values = command.arguments.values if command.trigger is None else ()
    inner = f" ({dump(command.trigger)})" if command.trigger else ""
    return f"{command.key}{flags}{inner}" + "".join(f" {go_quote(each)}" for each in values)


@pytest.mark.parametrize("case", cases(FILE, "parser_testfiles"), ids=lambda case: case["name"])
def test_parse_trees(case: dict[str, Any]) -> None:
    parsed = parse(case["dockerfile"])

    assert [f"({dump(each.command)})" for each in parsed.instructions] == case["ast"].strip().split("\n")


@pytest.mark.parametrize("case", cases(FILE, "parser_negative"), ids=lambda case: case["name"])
def test_files_that_the_parser_rejects_have_no_uses(case: dict[str, Any]) -> None:
    reading = read_uses(case["dockerfile"])

    assert reading.uses == ()
    assert len(reading.skipped) == 1


@pytest.mark.parametrize("case", cases(FILE, "instruction_errors"), ids=lambda case: case["name"])
def test_instructions_that_buildkit_rejects(case: dict[str, Any]) -> None:
    (skipped,) = read_uses(f"FROM scratch\n{case['dockerfile']}").skipped

    # Our messages leave out what is not needed; their first words are BuildKit's.
    first_words = case["expectedError"].lower().split()[:3]
    assert skipped.reason.lower().split()[:3] == first_words


def test_line_numbers() -> None:
    numbers = ALL["parser_line_numbers"]

    instructions = parse(numbers["dockerfile"]).instructions

    assert [[each.first, each.last] for each in instructions] == numbers["children"]


@pytest.mark.parametrize("case", UNIX, ids=lambda case: f"line-{case['line']}")
def test_word_expansion(case: dict[str, Any]) -> None:
    result, _ = expand(case["input"], ALL["env_var_test"]["env"])

    assert ("error" if result is None else result) == case["expected"]


@pytest.mark.parametrize("case", cases(FILE, "process_word_with_matches"), ids=lambda case: case["input"])
def test_word_expansion_with_matched_and_unmatched_names(case: dict[str, Any]) -> None:
    result, expander = expand(case["input"], case["env"])

    assert (result is None) == case["error"]
    if not case["error"]:
        assert result == case["expected"]
        assert sorted(expander.matched) == sorted(case.get("matched", expander.matched))
        assert sorted(expander.unmatched) == sorted(case.get("unmatched", expander.unmatched))


@pytest.mark.parametrize("case", cases(FILE, "mandatory_env"), ids=lambda case: f"{case['input']} {case['env']}")
def test_a_required_argument_says_what_is_missing(case: dict[str, Any]) -> None:
    expander = Expander(values={name: value(text) for name, text in case["env"].items()})

    expansion = expander.expand(traced(case["input"]))

    reasons = [hole.reason for hole in expansion.holes.values()]
    assert (f"error: {reasons[0].partition(': ')[2]}" if reasons else expansion.plain) == case["expected"]


def test_word_splitting() -> None:
    """From the original file: the extracted cases lost the blanks at the end of a value."""
    env: dict[str, Expansion] = {}
    seen = 0
    for line in (CORPUS / "buildkit/raw/shell/wordsTest").read_text(encoding="utf-8").splitlines():
        if line.startswith("ENV "):
            name, _, text = line.removeprefix("ENV ").lstrip().partition("=")
            env[name] = value(text)
        elif re.match(r"[^#\s]", line):
            word, _, expected = line.partition("|")
            assert split(word.strip(), env) == [each.strip() for each in expected.strip().split(",")], line
            seen += 1
    assert seen >= 15


def split(word: str, env: dict[str, Expansion]) -> list[str]:
    """The words, stripped as BuildKit's own test does; `error` where it rejects the text."""
    try:
        words = Expander(values=env).expand(traced(word)).words()
    except WordError:
        return ["error"]
    return [plain.strip() for each in words if (plain := each.replace("\0", ""))]


@pytest.mark.parametrize("word", cases(FILE, "heredoc_helpers", "valid_name_EOF"))
def test_words_that_announce_a_heredoc(word: str) -> None:
    heredoc = parse_heredoc(word)

    assert heredoc
    assert heredoc.name == "EOF"


@pytest.mark.parametrize("word", cases(FILE, "heredoc_helpers", "not_a_heredoc"))
def test_words_that_announce_none(word: str) -> None:
    assert parse_heredoc(word) is None


@pytest.mark.parametrize("word", cases(FILE, "heredoc_helpers", "error"))
def test_heredoc_names_with_open_quotes_are_rejected(word: str) -> None:
    with pytest.raises(WordError):
        parse_heredoc(word)


@pytest.mark.parametrize("case", cases(FILE, "heredocs_from_line"), ids=lambda case: case["line"])
def test_heredocs_that_a_line_announces(case: dict[str, Any]) -> None:
    assert [heredoc.name for heredoc in announced(case["line"])] == (case["heredocNames"] or [])


def test_heredocs_of_a_whole_file() -> None:
    extract = ALL["heredoc_extract"]

    instructions = parse(extract["dockerfile"]).instructions

    # INVALID, after a USER, is an instruction of its own; the corpus lists the instructions that are known.
    found = [each.heredocs for each in instructions if each.key != "invalid"]
    wanted = extract["heredocs_per_instruction"]
    assert [len(heredocs) for heredocs in found] == [len(expected or ()) for expected in wanted]
    for heredocs, expected in zip(found, wanted, strict=True):
        for heredoc, case in zip(heredocs, expected or (), strict=True):
            assert heredoc.name == case["Name"]
            assert heredoc.content == case["Content"]
            assert heredoc.expand == case.get("Expand", False)
            assert heredoc.chomp == case.get("Chomp", False)
            assert heredoc.descriptor == case.get("FileDescriptor", 0)


@pytest.mark.parametrize(
    "case", cases(FILE, "run_heredoc") + cases(FILE, "copy_heredoc"), ids=lambda c: c["dockerfile"]
)
def test_instructions_with_heredocs_are_one_instruction(case: dict[str, Any]) -> None:
    (instruction,) = parse(case["dockerfile"]).instructions

    files = case.get("files") or case.get("sourcesAndDest", {}).get("SourceContents") or ()
    # BuildKit takes the tabs away from what COPY gets, not from what RUN gets.
    contents = [
        each.content.replace("\t", "") if "DestPath" in str(case) else each.content for each in instruction.heredocs
    ]
    assert contents == [file["Data"] for file in files]


@pytest.mark.parametrize("case", cases(FILE, "directives"), ids=lambda case: case["input"])
def test_directives(case: dict[str, Any]) -> None:
    parsed = parse(f"{case['input']}FROM scratch\n")

    assert parsed.escape == dict(case["directives"])["escape"]


def test_the_corpus_can_be_parsed_at_all() -> None:
    with pytest.raises(DockerfileError):
        parse("")
    assert len(ALL["parser_testfiles"]) == 33
