"""Every function of several AWS accounts and Regions (Lambda API 2015-03-31), read by workers at Lambda's own pace.

Of the quota of 15 calls a second, for each account and Region, a function costs one (ListAliases), and one more for
each version that is read of a function with a managed runtime (GetRuntimeManagementConfig).
GetFunction, which tells the rest, has a quota of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import zip_longest
from typing import Any, Final

from bot.adapters.deployer.aws_errors import is_unreachable, knows_no_such_call, says_missing
from bot.adapters.deployer.fleet_answers import (
    LATEST,
    Document,
    listed_of,
    picked,
    picked_alias,
    picked_management,
    seen_of,
)
from bot.adapters.deployer.lambda_functions import LambdaFunctions
from bot.adapters.deployer.run_memory import RunMemory
from bot.adapters.deployer.runtime_logs import RuntimeLogs
from bot.core.errors import DeployError
from bot.core.runtime_version import InitStart
from bot.ports.fleet import FleetListing, Listed, SeenFunction, SeenVersion

WORKERS: Final = 8
"""Enough to keep 15 calls a second going where each takes half a second."""

_PATIENCE: Final = 3
"""A place that cannot be reached so many times in a row is asked no more."""


class LambdaFleet:
    """`Fleet` on AWS Lambda; `functions` makes the calls, so that its pace is that of all who use it."""

    def __init__(
        self, functions: LambdaFunctions, logs: RuntimeLogs, memory: RunMemory, *, workers: int = WORKERS
    ) -> None:
        self._functions = functions
        self._logs = logs
        self._memory = memory
        self._workers = workers
        self._silent: dict[str, list[DeployError]] = {}

    def end(self) -> None:
        """Say that the audit is done: the next one reads everything anew."""
        self._memory.end()

    def listed(self) -> FleetListing:
        """List the functions of all places, with one request for 50."""
        functions, faults = [], []
        for place in self._functions.places:
            try:
                for config in self._functions.configurations(place):
                    functions.append(listed_of(config, self._functions.names(config, place), str(place)))
            except DeployError as fault:
                faults.append((str(place), fault))
        return FleetListing(tuple(functions), tuple(faults))

    def read(self, functions: Sequence[Listed]) -> Iterator[tuple[Listed, SeenFunction | None]]:
        """Read functions side by side, of all places in turn, so that the quota of none lies idle.

        Whoever stops asking leaves at most what the workers have begun.
        """
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="fleet")
        try:
            readings = {pool.submit(self._read, one): one for one in _in_turn(functions)}
            for reading in as_completed(readings):
                yield readings[reading], reading.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def started(self, version: SeenVersion) -> InitStart | str:
        """Look in the logs, unless the version's ARN is known from any log before."""
        arn = version.management.arn if version.management else None
        known = self._memory.version_of(arn) if arn else None
        found = known or self._logs.started(version)
        if isinstance(found, InitStart) and not known:
            self._memory.learn(found)
        return found

    def _read(self, listed: Listed) -> SeenFunction | None:
        document: Mapping[str, Any] | None = self._memory.get(listed.arn, listed.revision)
        if document is None:
            fetched = self._fetch(listed)
            if fetched and not _has_faults(fetched):
                self._memory.put(listed.arn, listed.revision, fetched)
            document = fetched
        return seen_of(listed, document) if document else None

    def _fetch(self, listed: Listed) -> Document | None:
        document: Document = {"aliases": [], "aliases_unread": "", "versions": {}, "unread": {}}
        try:
            document["aliases"] = [picked_alias(alias) for alias in self._aliases(listed)]
        except DeployError as fault:
            if says_missing(fault):
                return None
            document["aliases_unread"] = str(fault)
        for version in _served(document["aliases"]):
            try:
                document["versions"][version] = self._version(listed, version)
            except DeployError as fault:
                if says_missing(fault) and version == LATEST:
                    return None
                document["unread"][version] = str(fault)
        return document

    def _aliases(self, listed: Listed) -> Iterator[Mapping[str, Any]]:
        marker: Mapping[str, str] = {}
        while True:
            page = self._ask("list_aliases", listed, "aliases of ", **marker)
            yield from page.get("Aliases", ())
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def _version(self, listed: Listed, version: str) -> Document:
        answers = {"function": picked(self._ask("get_function", listed, Qualifier=version))}
        return answers if listed.is_image else {**answers, "management": self._management(listed, version)}

    def _management(self, listed: Listed, version: str) -> Document:
        """Ask for the update mode; how a Region without runtime management answers is UNVERIFIED."""
        subject = f"runtime management of version {version} of "
        try:
            return picked_management(self._ask("get_runtime_management_config", listed, subject, Qualifier=version))
        except DeployError as fault:
            if says_missing(fault):
                raise
            return {"offered": False} if knows_no_such_call(fault) else {"unread": str(fault)}

    def _ask(self, operation: str, listed: Listed, what: str = "", **members: str) -> Mapping[str, Any]:
        """Call, unless nothing at all came back from the place several times in a row."""
        silent = self._silent.get(listed.place, [])
        if len(silent) >= _PATIENCE:
            raise DeployError(f"{listed.place} did not answer {_PATIENCE} times in a row: {silent[-1]}", retryable=True)
        try:
            answer = self._functions.call(operation, listed.arn, subject=f"{what}function {listed.arn}", **members)
        except DeployError as fault:
            self._silent[listed.place] = [*silent, fault] if is_unreachable(fault) else []
            raise
        self._silent[listed.place] = []
        return answer


def _in_turn(functions: Sequence[Listed]) -> Iterator[Listed]:
    """The first of each place, then the second of each, and so on."""
    by_place: dict[str, list[Listed]] = {}
    for one in functions:
        by_place.setdefault(one.place, []).append(one)
    for turn in zip_longest(*by_place.values()):
        yield from (one for one in turn if one)


def _served(aliases: Sequence[Document]) -> Sequence[str]:
    """`$LATEST`, and all that aliases serve."""
    weighted = [alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}) for alias in aliases]
    numbers = [
        *(alias["FunctionVersion"] for alias in aliases),
        *(number for weights in weighted for number in weights),
    ]
    return list(dict.fromkeys([LATEST, *numbers]))


def _has_faults(document: Document) -> bool:
    management = [answers.get("management", {}) for answers in document["versions"].values()]
    return bool(document["aliases_unread"] or document["unread"] or any("unread" in one for one in management))
