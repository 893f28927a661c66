"""Files that BuildKit rejects have no uses, and say on which line and why; hostile ones end soon and clearly."""

import pytest

from bot.core.dockerfile import read_uses

F = "FROM public.ecr.aws/lambda/python:3.12\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the file has no instructions"),
        ("# FROM a\n\n", 1, "the file has no instructions"),
        ("ARG A=1\n", 1, "there is no FROM"),
        ("ENV A=1\nFROM a\n", 1, "no build stage before ENV"),
        ("FROM\n", 1, "FROM requires either one or three arguments"),
        ("FROM a b\n", 1, "FROM requires either one or three arguments"),
        ("FROM a # b\n", 1, "FROM requires either one or three arguments"),
        ("FROM a AS 1b\n", 1, "invalid name for build stage"),
        ("FROM a/B\n", 1, "malformed repository"),
        ("FROM a AS x\nFROM X\n", 2, "malformed repository"),
        ('FROM ""\n', 1, "should not be blank"),
        ("FROM --platform=a/b/c/d x\n", 1, "platform 'a/b/c/d' is malformed"),
        ("FROM --platform=nonsense x\n", 1, "platform 'nonsense' is malformed"),
        ("FROM --user=x a\n", 1, "unknown flag: --user"),
        ("FROM 'a\n", 1, "matching single-quote"),
        ("FROM ${a\n", 1, "unsupported modifier ()"),
        ("FROM ${}\n", 1, "bad substitution"),
        ("FROM ${a^}\n", 1, "unsupported modifier (^)"),
        ("ARG A='x\nFROM a\n", 1, "ARG A: unexpected end"),
        (f"{F}FOO x\n", 2, "unknown instruction: FOO"),
        (f"{F}\\\n", 2, "a line continues no instruction"),
        (f"{F}COPY a\n", 2, "COPY requires at least two arguments"),
        (f"{F}COPY --from a b c\n", 2, "missing a value on flag: --from"),
        (f"{F}COPY --link=maybe a b\n", 2, "expecting boolean value"),
        (f"{F}COPY --from=a --from=b c d\n", 2, "duplicate flag specified: --from"),
        (f"{F}COPY --from=$X a b\n", 2, "variable expansion is not supported"),
        (f"{F}COPY --from=x${{a.b a b\n", 2, "failed to process"),
        (f"{F}COPY --from=7 a b\n", 2, "invalid stage index 7"),
        (f"{F}COPY --from=-1 a b\n", 2, "invalid stage index -1"),
        (f"{F}COPY --from=0 a b\n", 1, "circular dependency"),
        ("FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nCOPY --from=x a b\n", 1, "circular dependency"),
        (f"{F}COPY --from=A/B a b\n", 2, "malformed repository"),
        (f"{F}COPY a <<E\nE\n", 2, "cannot accept a heredoc as a destination"),
        (f"{F}RUN <<E\nx\n", 2, "unterminated heredoc"),
        (f"{F}RUN --mount=from=$X x\n", 2, "doesn't support variable expansion"),
        (f"{F}RUN --mount= x\n", 2, "failed to parse csv mounts"),
        (f"{F}CMD [1]\n", 2, "arrays must be comprised of strings only"),
        (f"{F}ENV A\n", 2, "ENV must have two arguments"),
        (f"{F}ENV A=1 B\n", 2, "can't find = in 'B'"),
        (f"{F}ENV =1\n", 2, "ENV names can not be blank"),
        (f"{F}ENV A='\n", 2, "matching single-quote"),
        (f"{F}LABEL a=${{b^^}}\n", 2, "unsupported modifier (^)"),
        (f"{F}ARG =1\n", 2, "ARG names can not be blank"),
        (f"{F}ARG\n", 2, "ARG requires at least one argument"),
        (f"{F}USER\n", 2, "USER requires exactly one argument"),
        (f'{F}VOLUME [""]\n', 2, "can not be an empty string"),
        (f"{F}SHELL x\n", 2, "in JSON form"),
        (f"{F}HEALTHCHECK x\n", 2, "unknown type 'x'"),
        (f"{F}HEALTHCHECK NONE x\n", 2, "takes no arguments"),
        (f"{F}HEALTHCHECK CMD\n", 2, "missing command"),
        (f"{F}ONBUILD FROM a\n", 2, "FROM isn't allowed as an ONBUILD trigger"),
        (f"{F}ONBUILD ONBUILD RUN x\n", 2, "chaining ONBUILD"),
        (f"{F}ONBUILD\n", 2, "ONBUILD requires at least one argument"),
        ("# escape=x\nFROM a\n", 1, "invalid escape token"),
        ("# escape=`\n# escape=`\nFROM a\n", 2, "only one escape parser directive"),
        (f"{F}RUN {'x' * 65_536}\n", 2, "longer than 65535 bytes"),
        (f"{F}RUN {'é' * 32_768}\n", 2, "longer than 65535 bytes"),
    ],
)
def test_what_buildkit_rejects(text: str, line: int, reason: str) -> None:
    reading = read_uses(text)

    assert reading.uses == ()
    (skipped,) = reading.skipped
    assert skipped.line == line
    assert reason in skipped.reason


def test_a_fault_that_only_a_build_of_the_stage_would_find_does_not_reject_another_stage() -> None:
    broken = "FROM a AS unused\nENV X='\nFROM b\n"

    assert [use.resolved for use in read_uses(broken).uses] == ["a", "b"]
    assert read_uses(broken, target="unused").uses == ()


def test_a_target_that_is_not_there_is_told() -> None:
    (skipped,) = read_uses(F, target="nowhere").skipped

    assert "'nowhere' could not be found" in skipped.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM " + "\\" * 1_000_000, "longer than"),
        ("FROM a\n" + "\\\n" * 200_000, "continues no instruction"),
        ("FROM " + "${a:-" * 10_000 + "x" + "}" * 10_000 + "\n", "nested more than 100 deep"),
        ("FROM " + "${a:-\\\n" * 10_000 + "x\n", "nested more than 100 deep"),
        ("FROM " + "${" * 10_000 + "\n", "unsupported modifier ({)"),
        ("ARG A=xxxxxxxxxx\n" + "ARG A=$A$A$A$A$A$A$A$A\n" * 30 + "FROM $A\n", "expands to more than"),
        ("ARG A=\n" + "ARG A=$A$A$A$A$A$A$A$A\n" * 30 + "FROM x$A\n", "expands to more than"),
        ("ARG A=" + "x" * 60_000 + "\n" + "ARG B=$A\n" * 400 + "FROM x\n", "use each other too often"),
        ("ARG A=" + "a" * 60_000 + "\nFROM ${A##" + "*a" * 2_000 + "}\n", "too long; shorten"),
        (f"{F}CMD {'[' * 60_000}\n", "JSON is nested too deep"),
        ("FROM " + '"\\\n"' * 50_000 + "\n", "should not be blank"),
        (F + "ONBUILD " * 8_000 + "RUN x\n", "ONBUILD is nested more than 100 deep"),
    ],
    ids=["backslashes", "continuations", "nested", "nested-over-lines", "open", "laughs", "empty-laughs", "work",
         "pattern", "json", "quotes", "triggers"],
)  # fmt: skip
def test_hostile_files_end_in_a_clear_reason(text: str, reason: str) -> None:
    (skipped,) = read_uses(text).skipped

    assert reason in skipped.reason
    assert len(skipped.reason) < 400


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        (F + "RUN a " + "\\\n  && echo b " * 10_000 + "\n", 1),
        (F + "RUN <<E\n" + "x\n" * 100_000 + "E\n", 1),
        (F + "RUN cat << \\\n 3 " + '"x $Y z" \\\n' * 20_000 + "\n", 1),
        ("".join(f"ARG A{i}={i}\n" for i in range(2_000)) + "".join(f"FROM a:$A{i}\n" for i in range(2_000)), 2_000),
        ("FROM a AS s0\n" + "".join(f"FROM a AS s{i}\nCOPY --from=s{i - 1} x y\n" for i in range(1, 3_000)), 3_000),
    ],
    ids=["continuations", "heredoc", "words", "arguments", "chain-of-stages"],
)
def test_large_files_are_read_in_full(text: str, uses: int) -> None:
    assert len(read_uses(text).uses) == uses
