"""All ports of one cycle together; wiring fills it, a dry run fills its writing half with recorders."""

from dataclasses import dataclass

from bot.ports.advisories import Advisories
from bot.ports.builder import Builder
from bot.ports.contents import Contents
from bot.ports.deployer import Deployer, Functions, Handovers, Retention, Watcher
from bot.ports.forge import Forge, PullRequests
from bot.ports.jobs import Pipelines
from bot.ports.registry import WatchedRegistry
from bot.ports.smoke import Smoke
from bot.ports.store import Journal, Ledger, Rollouts, SourceMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the loop reads and changes."""

    registry: WatchedRegistry
    contents: Contents
    advisories: Advisories
    forge: Forge
    sources: SourceMemory
    functions: Functions
    ledger: Ledger
    pull_requests: PullRequests
    builder: Builder
    smoke: Smoke
    deployer: Deployer
    watcher: Watcher
    handovers: Handovers
    pipelines: Pipelines
    retention: Retention
    journal: Journal
    rollouts: Rollouts
