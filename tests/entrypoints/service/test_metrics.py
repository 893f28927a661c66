"""The metrics are what Prometheus' own parser reads, and say what the state says."""

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from bot.entrypoints.service.metrics import metrics
from bot.entrypoints.service.state import Audited, Ending, Running, State
from bot.wiring import Limits, Traffic

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = 'evil"} 1\nrefrom_cycles_total{result="done\\'


def read(
    state: State, traffic: dict[str, Traffic] | None = None, limits: Limits | None = None
) -> dict[tuple[str, ...], float]:
    """All samples by name and label values, these in the order of their names."""
    families = text_string_to_metric_families(metrics(state, traffic or {}, limits or Limits()).decode())
    samples = [sample for family in families for sample in family.samples]
    found = {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in samples
    }
    assert len(found) == len(samples), "a sample twice"
    return found


def test_before_the_first_cycle_everything_is_nothing() -> None:
    assert read(State()) == {
        ("refrom_cycles_total", "done"): 0,
        ("refrom_cycles_total", "attention"): 0,
        ("refrom_cycles_total", "failed"): 0,
        ("refrom_cycles_total", "stopped"): 0,
        ("refrom_cycle_duration_seconds_count",): 0,
        ("refrom_cycle_duration_seconds_sum",): 0,
        ("refrom_cycle_running",): 0,
    }


def test_every_part_of_the_state_is_told() -> None:
    functions = [{"verdict": "behind"}, {"verdict": "behind"}, {"verdict": "current"}]
    state = State(
        running=Running(started=NOON, moved=NOON),
        succeeded=NOON,
        audited=Audited(at=NOON, document={"functions": functions}, decisions={"update": 3}),
        cycles={Ending.DONE: 4, Ending.FAILED: 1},
        seconds=12.5,
        outcomes={("propose", "opened"): 2, ("watch", "failed"): 1},
    )

    limits = Limits(remaining={"acme:core": 4711}, paused_until={"acme": NOON})
    found = read(state, {"public.ecr.aws": Traffic(requests=7, received=1234)}, limits)

    assert found == {
        ("refrom_cycles_total", "done"): 4,
        ("refrom_cycles_total", "attention"): 0,
        ("refrom_cycles_total", "failed"): 1,
        ("refrom_cycles_total", "stopped"): 0,
        ("refrom_cycle_duration_seconds_count",): 5,
        ("refrom_cycle_duration_seconds_sum",): 12.5,
        ("refrom_cycle_running",): 1,
        ("refrom_last_success_timestamp_seconds",): NOON.timestamp(),
        ("refrom_outcomes_total", "opened", "propose"): 2,
        ("refrom_outcomes_total", "failed", "watch"): 1,
        ("refrom_decisions", "update"): 3,
        ("refrom_decisions", "current"): 0,
        ("refrom_decisions", "waiting"): 0,
        ("refrom_decisions", "held"): 0,
        ("refrom_decisions", "skip"): 0,
        ("refrom_functions", "behind"): 2,
        ("refrom_functions", "current"): 1,
        ("refrom_functions", "unknown"): 0,
        ("refrom_functions", "drifted"): 0,
        ("refrom_http_requests_total", "public.ecr.aws"): 7,
        ("refrom_http_received_bytes_total", "public.ecr.aws"): 1234,
        ("refrom_forge_quota_remaining", "acme:core"): 4711,
        ("refrom_forge_paused_until_timestamp_seconds", "acme"): NOON.timestamp(),
    }


def test_a_hostile_label_is_a_label() -> None:
    found = read(State(), {HOSTILE: Traffic(requests=1)})

    assert found["refrom_http_requests_total", HOSTILE] == 1
    assert found["refrom_cycles_total", "done"] == 0
