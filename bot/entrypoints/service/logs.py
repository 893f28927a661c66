"""Structured logs: one JSON object a line, or readable lines where a person watches.

Whatever a repository or registry says is data in them: it is escaped, never markup or control characters.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from bot.entrypoints.tables import printable


def open_log(stream: IO[str]) -> FilteringBoundLogger:
    """Log to a stream; nothing global is configured."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", stream)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *(_for_people() if stream.isatty() else [structlog.processors.JSONRenderer()]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return logger


@contextmanager
def libraries_log_to(log: FilteringBoundLogger) -> Iterator[None]:
    """Let what libraries warn of go the same way, as long as the block lasts."""
    root, handler = logging.getLogger(), _Forward(log)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _Forward(logging.Handler):
    """Hands records of the standard library's logging on."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record under its logger's name."""
        self._log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _for_people() -> list[Processor]:
    renderer = structlog.dev.ConsoleRenderer(colors=False)

    def render(logger: WrappedLogger, name: str, event: EventDict) -> str:
        text: Any = renderer(logger, name, event)
        return printable(str(text))

    return [render]
