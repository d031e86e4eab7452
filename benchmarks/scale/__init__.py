"""What ``benchmarks/scale.py`` measures: one row of its table per module in :mod:`scale.rows`."""
