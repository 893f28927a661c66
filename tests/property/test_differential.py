"""Our parser and BuildKit's own agree; `python -m tests.property.fuzz_dockerfile` runs many more cases."""

import pytest

from tests.property.agreement import is_comparable, ours, theirs
from tests.property.fuzz_dockerfile import compare, main


def test_both_parsers_see_the_same_in_random_files() -> None:
    kinds, different = compare(1500, 42)

    assert different == []
    assert kinds["accepted"] >= 0.3 * 1500
    assert min(kinds["heredocs"], kinds["escape directive"], kinds["continuations"]) >= 0.1 * 1500


def test_the_script_says_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "200", "--seed", "3"]) == 0
    assert capsys.readouterr().out.startswith("200 cases, 0 different; accepted")


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN <<A <<-'B' cat\nx\nA\n\ty\n\tB\n",
        "# escape=`\nFROM a `\n  AS b\nRUN c:\\ `\n\n# no\n d\n",
        '\ufeff#syntax=x\nfrom a\r\nONBUILD copy --from=b ["x", "y"]\r\n',
        "FROM a\nENV a=b c='d e' f=g\\ h\nENV old style here\nLABEL \"a b\"=c\n",
        'FROM a\nHEALTHCHECK --interval=5s CMD ["a"]\nHEALTHCHECK NONE\n',
        'FROM a\nCOPY --chown="a b" --from=x\\ y . .\nRUN --mount=type=bind,from=b -- x\n',
        "FROM a\nRUN echo \\\n# comment\n\n  \\\n",
        'FROM a\nVOLUME ["/a", "/b"]\nCMD [ "\\u00e9" ]\n',
    ],
    ids=["heredocs", "escape", "onbuild", "env", "healthcheck", "flags", "continuation-at-end", "json"],
)  # fmt: skip
def test_both_parsers_see_the_same_in_odd_files(text: str) -> None:
    assert is_comparable(text)
    assert ours(text) == theirs(text)
