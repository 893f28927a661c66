"""Rebase: base layers swapped under a function's own, where the file lists prove that nothing overlaps.

The rules are pure: `overlap` says what speaks against a swap, `documents` writes the config and manifest after it.
"""

from bot.core.rebase.documents import rebased_config, rebased_manifest
from bot.core.rebase.overlap import BaseSwap, Overlap, Proof

__all__ = ["BaseSwap", "Overlap", "Proof", "rebased_config", "rebased_manifest"]
