"""Compare our parser with BuildKit's own on many random Dockerfiles.

`python -m tests.property.fuzz_dockerfile --cases 20000 --seed 1` prints what it saw; exit code 1 if the two disagree or
the cases are too tame.
"""

import argparse
import sys
from collections import Counter

from tests.property.agreement import is_comparable, ours, theirs
from tests.property.dockerfiles import generate

_LEAST = {"accepted": 0.30, "heredocs": 0.10, "escape directive": 0.10, "continuations": 0.10}


def compare(cases: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return how many cases were of which kind, and the files on which the parsers disagree."""
    kinds: Counter[str] = Counter()
    different: list[str] = []
    number = seed
    while kinds["compared"] < cases:
        text = generate(number)
        number += 1
        if not is_comparable(text):
            continue
        kinds["compared"] += 1
        seen = ours(text)
        if seen != theirs(text):
            different.append(text)
        kinds["accepted"] += seen is not None
        kinds["heredocs"] += any(each.heredocs for each in seen or ())
        kinds["escape directive"] += "escape" in text.partition("FROM")[0].lower()
        kinds["continuations"] += any(each.lines[1] > each.lines[0] and not each.heredocs for each in seen or ())
    return kinds, different


def main(argv: list[str] | None = None) -> int:
    """Compare, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    kinds, different = compare(asked.cases, asked.seed * 1_000_000)
    for text in different[:5]:
        print(f"--- different: {text!r}\n  ours   {ours(text)}\n  theirs {theirs(text)}")  # noqa: T201 - a command
    shares = {kind: kinds[kind] / asked.cases for kind in _LEAST}
    tame = [kind for kind, least in _LEAST.items() if shares[kind] < least]
    said = ", ".join(f"{kind} {share:.0%} (at least {_LEAST[kind]:.0%})" for kind, share in shares.items())
    print(f"{asked.cases} cases, {len(different)} different; {said}")  # noqa: T201 - a command
    return 1 if different or tame else 0


if __name__ == "__main__":
    sys.exit(main())
