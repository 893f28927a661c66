"""A command of one's own: run without a shell in the files of the commit, it builds, pushes and tells the digest."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bot.adapters.builder.docker_command import run
from bot.adapters.builder.elsewhere import by_name
from bot.adapters.builder.pushed import already_pushed
from bot.core.digest import Digest
from bot.core.errors import BuildError, InvalidReference
from bot.ports.builder import BuildOrder, Built
from bot.ports.registry import Registry

_ALWAYS: Final = ("PATH", "HOME", "TMPDIR", "LANG")
"""What of our environment every command gets; the rest may hold secrets, and a checkout is somebody else's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandBuilder:
    """Builds with a command; keeps the promise of the port `Builder`.

    It finds the order in REFROM_... variables, and writes the digest into the file that REFROM_DIGEST_FILE names, or as
    the last line of its output. `passed` names further variables that it gets.
    """

    command: Sequence[str]
    checkout: Callable[[str, str], AbstractContextManager[Path]]
    registry: Registry
    timeout: timedelta
    passed: Sequence[str] = ()

    def build(self, order: BuildOrder) -> Built:
        """Run the command; an order that was done before is not done again."""
        done = already_pushed(self.registry, order)
        if done:
            return Built(digest=done, log=f"{order.destination} is already there")
        digest, log = self._run(order)
        self.registry.manifest(order.destination.with_tag(None).with_digest(digest))
        return Built(digest=digest, log=log)

    def _run(self, order: BuildOrder) -> tuple[Digest, str]:
        with TemporaryDirectory(prefix="refrom-build-") as own, self.checkout(order.repository, order.commit) as folder:
            told = Path(own, "digest")
            environment = {**self._environment(), **by_name(order), "REFROM_DIGEST_FILE": str(told)}
            code, log = run(self.command, environment, self.timeout.total_seconds(), folder)
            if code != 0:
                what = f"{order.dockerfile} of {order.repository} at {order.commit[:12]}"
                end = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
                raise BuildError(f"{self.command[0]} {end} for {what}; the end of its output says why", log=log)
            text = told.read_text(errors="replace") if told.is_file() else log
        return self._digest(text, log), log

    def _environment(self) -> Mapping[str, str]:
        return {name: os.environ[name] for name in (*_ALWAYS, *self.passed) if name in os.environ}

    def _digest(self, text: str, log: str) -> Digest:
        """Read the last line: a digest, or a reference that ends with one."""
        last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
        try:
            return Digest.parse(last.rpartition("@")[2])
        except InvalidReference:
            raise BuildError(
                f"{self.command[0]} told no digest but {last[:120]!r}; let it write the digest of the pushed image to "
                "$REFROM_DIGEST_FILE, or print it as its last line",
                log=log,
            ) from None
