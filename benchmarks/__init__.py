"""Benchmark harness: every stage against the budget of a named board."""
