"""`refrom serve`, put together: settings, signals, pages, loop; and taken apart again in the other order."""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Final

from bot import __version__
from bot.core.errors import SettingsError
from bot.entrypoints.service.address import Address
from bot.entrypoints.service.logs import libraries_log_to, open_log
from bot.entrypoints.service.loop import Loop
from bot.entrypoints.service.signals import stop_on_signals
from bot.entrypoints.service.state import Board
from bot.entrypoints.service.web import address_of, listening, pages, web_server
from bot.ports.clock import Clock
from bot.settings.fields import parse_duration
from bot.wiring import AskedStop, open_workshop

_OFTEN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says beside the settings."""

    listen: Address
    every: timedelta
    grace: float

    @classmethod
    def parse(cls, listen: str, every: str, grace: float) -> "Options":
        """Read the options. Raises `SettingsError` with every fault."""
        faults = []
        address, interval = None, None
        try:
            address = Address.parse(listen)
        except ValueError as fault:
            faults.append(f"--listen: {fault}")
        try:
            interval = parse_duration(every)
        except ValueError as fault:
            faults.append(f"--every: {fault}")
        if interval is not None and interval < _OFTEN:
            faults.append("--every: is less than 1m; bases move about daily, so let a cycle come at most every minute")
        if address is None or interval is None or faults:
            raise SettingsError(faults)
        return cls(address, interval, grace)


def serve_until_stopped(config: Path | None, options: Options, clock: Clock, stream: IO[str]) -> None:
    """Run cycles and serve pages until a signal asks for the end. Raises `SettingsError` before anything is done."""
    log, board, stop = open_log(stream), Board(), AskedStop(clock)
    with open_workshop(config, clock, required=True, stop=stop) as workshop, listening(options.listen) as listener:
        declared = workshop.rules.declared  # a fault in it is told now, not in the first cycle
        app = pages(board, lambda: workshop.traffic, lambda: workshop.gate.limits, clock)
        loop = Loop(
            workshop=workshop, board=board, stop=stop, log=log, every=options.every, chance=random.SystemRandom().random
        )
        with libraries_log_to(log), stop_on_signals(stop, options.grace), web_server(app, listener):
            facts = {"holds": len(declared.holds), "blocks": len(declared.blocks), "every": str(options.every)}
            log.info("serving", version=__version__, pages=f"http://{address_of(listener)}/", **facts)
            try:
                loop.run()
            except KeyboardInterrupt:
                log.warning("cut off", grace=options.grace)
                raise
            log.info("stopped")
