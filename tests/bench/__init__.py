"""Benchmarks: figures beside their goals. `python -m tests.bench.reading`."""
