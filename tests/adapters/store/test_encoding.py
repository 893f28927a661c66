"""What is encoded comes back equal, whatever names, times and numbers it holds."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.store import encoding
from bot.core.advisories import Severity
from bot.core.layer import Entry, Kind, Layer
from bot.core.observation import KnownBase
from bot.core.outcome import Outcome
from bot.core.rollout import Rollout
from bot.ports.store import Pause
from tests.adapters.store.values import BASES, LAYERS, OUTCOMES, TIMES, digest

small_budget = settings(max_examples=60, deadline=None, derandomize=True)


@given(LAYERS)
@small_budget
def test_layers_round_trip(layer: Layer) -> None:
    assert encoding.decode_layer(encoding.encode_layer(layer)) == layer


@given(BASES)
@small_budget
def test_bases_round_trip(base: KnownBase) -> None:
    assert encoding.decode_base(encoding.encode_base(base)) == base


@given(st.lists(BASES, max_size=3).map(tuple))
@small_budget
def test_the_bases_of_an_observation_keep_their_order(bases: tuple[KnownBase, ...]) -> None:
    assert encoding.decode_bases(encoding.encode_bases(bases)) == bases


@given(OUTCOMES)
@small_budget
def test_outcomes_round_trip(outcome: Outcome) -> None:
    text = encoding.encode_outcome(outcome)

    assert encoding.decode_outcome(text) == outcome
    assert text.isascii()


@given(st.builds(Pause, TIMES, st.text(st.characters(codec=None), max_size=12)))
@small_budget
def test_pauses_round_trip(pause: Pause) -> None:
    assert encoding.decode_pause(encoding.encode_pause(pause)) == pause


@given(
    st.builds(
        Rollout,
        runtime=st.just("python3.13"),
        base=st.sampled_from([digest("one"), digest("two")]),
        began=TIMES,
        severity=st.none() | st.sampled_from(Severity),
        paused=st.timedeltas(timedelta(), timedelta(days=400)),
        halted=st.none() | TIMES,
        makeshift=st.booleans(),
    )
)
@small_budget
def test_rollouts_round_trip(rollout: Rollout) -> None:
    assert encoding.decode_rollout(encoding.encode_rollout(rollout)) == rollout


@given(TIMES, TIMES)
@small_budget
def test_times_round_trip_and_sort_as_texts(one: datetime, other: datetime) -> None:
    texts = encoding.encode_time(one), encoding.encode_time(other)

    assert tuple(map(encoding.decode_time, texts)) == (one, other)
    assert (texts[0] < texts[1]) == (one < other)


def test_a_large_layer_is_stored_compactly() -> None:
    """Little more than the digests of the files, which nothing can compress below their 32 bytes."""
    paths = [f"var/lang/lib/python3.13/site-packages/module_{n}.py" for n in range(5000)]
    entries = {path: Entry(kind=Kind.FILE, mode=0o644, size=1000, content=digest(path).hex) for path in paths}

    stored = encoding.encode_layer(Layer(digest=digest("large"), entries=entries))

    assert len(stored) < 50 * len(entries)
