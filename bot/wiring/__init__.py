"""The one place that chooses and builds adapters, from settings.

A dry run is a choice made here: its writing ports leave everything as it is, and its store is a copy in memory.
"""

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.engine.stop import AskedStop
from bot.adapters.forge.github import Limits
from bot.adapters.forge.origin import read_origin, read_user
from bot.adapters.forge.working_tree import read_working_trees
from bot.adapters.transport import Traffic
from bot.wiring.workshop import (
    Located,
    Rehearsal,
    Workshop,
    files_of,
    has_settings,
    mirrors_of,
    open_fleet,
    open_patient,
    open_rehearsal,
    open_workshop,
)

__all__ = [
    "AskedStop",
    "Limits",
    "Located",
    "Rehearsal",
    "SystemClock",
    "Traffic",
    "VirtualClock",
    "Workshop",
    "files_of",
    "has_settings",
    "mirrors_of",
    "open_fleet",
    "open_patient",
    "open_rehearsal",
    "open_workshop",
    "read_origin",
    "read_user",
    "read_working_trees",
]
