"""The metrics in Prometheus' text form, made anew from the state at each scrape.

Names follow prometheus.io/docs/practices/naming; seconds, bytes and Unix times throughout.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.core.responsibility import Verdict
from bot.entrypoints.documents import DECISIONS
from bot.entrypoints.service.state import Ending, State
from bot.wiring import Limits, Traffic

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def metrics(state: State, traffic: Mapping[str, Traffic], limits: Limits) -> bytes:
    """Write all metrics; what has not happened yet is 0, or left out where it is a time or a finding."""
    registry = CollectorRegistry()
    registry.register(_Collected(state, traffic, limits))
    return generate_latest(registry)


class _Collected(Collector):
    """What prometheus_client asks for metrics."""

    def __init__(self, state: State, traffic: Mapping[str, Traffic], limits: Limits) -> None:
        self._state, self._traffic, self._limits = state, traffic, limits

    def describe(self) -> Iterator[Metric]:
        """Say nothing beforehand: each registry is asked once."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Give the metrics."""
        yield from _cycles(self._state)
        yield from _work(self._state)
        yield from _http(self._traffic)
        yield from _forge(self._limits)


def _cycles(state: State) -> Iterator[Metric]:
    cycles = CounterMetricFamily("refrom_cycles", "Cycles that ended, by how they ended.", labels=["result"])
    for ending in Ending:
        cycles.add_metric([ending], state.cycles.get(ending, 0))
    yield cycles
    yield SummaryMetricFamily(
        "refrom_cycle_duration_seconds",
        "How long cycles took.",
        count_value=sum(state.cycles.values()),
        sum_value=state.seconds,
    )
    yield GaugeMetricFamily("refrom_cycle_running", "Whether a cycle runs.", value=1 if state.running else 0)
    if state.succeeded:
        help_text = "When a cycle last ran to its end."
        yield GaugeMetricFamily("refrom_last_success_timestamp_seconds", help_text, value=state.succeeded.timestamp())


def _work(state: State) -> Iterator[Metric]:
    outcomes = CounterMetricFamily("refrom_outcomes", "What steps did.", labels=["step", "result"])
    for (step, result), number in sorted(state.outcomes.items()):
        outcomes.add_metric([step, result], number)
    yield outcomes
    if state.audited:
        help_text = "Uses of a base by what the last complete cycle decided."
        decisions = GaugeMetricFamily("refrom_decisions", help_text, labels=["decision"])
        for name in DECISIONS:
            decisions.add_metric([name], state.audited.decisions.get(name, 0))
        yield decisions
        verdicts = Counter(function["verdict"] for function in state.audited.document["functions"])
        functions = GaugeMetricFamily("refrom_functions", "Functions by the audit's verdict.", labels=["verdict"])
        for verdict in Verdict:
            functions.add_metric([verdict], verdicts[verdict])
        yield functions


def _http(traffic: Mapping[str, Traffic]) -> Iterator[Metric]:
    requests = CounterMetricFamily("refrom_http_requests", "HTTP requests of our own, repeats too.", labels=["host"])
    received = CounterMetricFamily("refrom_http_received_bytes", "Bytes of bodies received.", labels=["host"])
    for host, seen in sorted(traffic.items()):
        requests.add_metric([host], seen.requests)
        received.add_metric([host], seen.received)
    yield requests
    yield received


def _forge(limits: Limits) -> Iterator[Metric]:
    left = GaugeMetricFamily("refrom_forge_quota_remaining", "What is left of a forge's hourly quota.", labels=["name"])
    for name, remaining in sorted(limits.remaining.items()):
        left.add_metric([name], remaining)
    help_text = "Until when a forge is left alone, while it is."
    paused = GaugeMetricFamily("refrom_forge_paused_until_timestamp_seconds", help_text, labels=["name"])
    for name, until in sorted(limits.paused_until.items()):
        paused.add_metric([name], until.timestamp())
    yield left
    yield paused
