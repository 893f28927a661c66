"""The loop: one cycle after the other, each as `refrom run` does it, then an audit of what it read.

A cycle that fails is told and counted, and the next one still comes. There is one thread, so never two cycles at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from bot.core.errors import RefromError
from bot.core.outcome import Result
from bot.entrypoints.audit_documents import audit_document
from bot.entrypoints.documents import name_of, time_text
from bot.entrypoints.service.schedule import next_start
from bot.entrypoints.service.state import Audited, Board, Ended, Ending
from bot.ports.engine import Again, Done, Engine, Key, Stop, Tick
from bot.steps.audit import audit_after
from bot.steps.burn import burn, keep_sample
from bot.steps.cycle import Cycle, Report
from bot.wiring import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """What the loop works with; `chance` gives numbers from 0 to 1 for the jitter."""

    workshop: Workshop
    board: Board
    stop: Stop
    log: FilteringBoundLogger
    every: timedelta
    chance: Callable[[], float]

    def run(self) -> None:
        """Run cycles until a stop is asked for."""
        while not self.stop.asked:
            ended = self._cycle()
            start = next_start(ended.started, ended.ended, self.every, self.chance())
            if not self.stop.asked:
                self._show_next(start)
                self.stop.wait_until(start)

    def _show_next(self, start: datetime) -> None:
        self.board.state = self.board.state.planned(start)
        self.log.info("waiting", next=time_text(start))

    def _cycle(self) -> Ended:
        """Run one cycle to an end of some kind."""
        started = self.workshop.clock.now()
        self.board.state = self.board.state.started(started)
        self.log.info("cycle started")
        ending, reason, audited = self._work()
        ended = Ended(started=started, ended=self.workshop.clock.now(), ending=ending, reason=reason)
        self.board.state = self.board.state.ended(ended, audited)
        seconds = (ended.ended - started).total_seconds()
        self.log.info("cycle ended", result=str(ending), seconds=seconds, **(audited.decisions if audited else {}))
        return ended

    def _work(self) -> tuple[Ending, str, Audited | None]:
        try:
            cycle = Cycle(self.workshop.world, self.workshop.mapped_rules())
            engine = _Told(self.workshop.engine, self, cycle)
            report = cycle.run(engine)
            found = audit_after(cycle, engine)
        except RefromError as fault:
            self.log.error("cycle failed", reason=str(fault))  # noqa: TRY400 - the message says what to do
            return Ending.FAILED, str(fault), None
        except Exception as defect:
            self.log.exception("cycle failed", reason="a defect of refrom; please report it")
            return Ending.FAILED, f"a defect of refrom ({type(defect).__name__}); its log says more", None
        if self.stop.asked:
            return Ending.STOPPED, "", None
        ending = Ending.ATTENTION if report.needs_attention else Ending.DONE
        now, journal = self.workshop.clock.now(), self.workshop.world.journal
        keep_sample(journal, found.findings, now)
        document = audit_document(found, burn(journal, now))
        return ending, "", Audited(at=now, document=document, decisions=_decisions(report))


@dataclass(frozen=True, slots=True)
class _Told:
    """An engine that shows on the board and in the log what its ticks come to, as they do."""

    engine: Engine
    loop: Loop
    cycle: Cycle

    def drain(self, keys: Iterable[Key], tick: Tick) -> tuple[tuple[Key, Again], ...]:
        """Drain as the engine does."""

        def told(key: Key, now: datetime) -> Done | Again:
            known, met = len(self.cycle.outcomes), len(self.cycle.defects)
            self._moved(key)
            answer = tick(key, now)
            self._moved(None)
            self._tell(known, met)
            return answer

        return self.engine.drain(keys, told)

    def _moved(self, key: Key | None) -> None:
        board = self.loop.board
        board.state = board.state.moved(self.loop.workshop.clock.now(), key)

    def _tell(self, known: int, met: int) -> None:
        for defect in self.cycle.defects[met:]:
            reason = "a defect of refrom; please report it"
            self.loop.log.error("tick failed", key=str(defect.key), reason=reason, exc_info=defect.fault)
        for outcome in self.cycle.outcomes[known:]:
            self.loop.board.state = self.loop.board.state.told(outcome)
            if outcome.result is Result.UNCHANGED:
                continue
            say = self.loop.log.warning if outcome.needs_attention else self.loop.log.info
            say(outcome.step, subject=outcome.subject, result=str(outcome.result), message=outcome.message)


def _decisions(report: Report) -> dict[str, int]:
    return dict(Counter(name_of(decision) for decision in report.decisions))
