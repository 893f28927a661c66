"""Engines that run ticks, and the clocks that they wait by."""
