"""Measures the stages of one turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.types import StageSpan


class Trace:
    """Collects a span per stage in the order in which the stages ended."""

    def __init__(self) -> None:
        self.spans: list[StageSpan] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under ``name`` even when it raises."""
        start, cpu = time.monotonic_ns(), time.process_time_ns()
        try:
            yield
        finally:
            self.spans.append(StageSpan(name, start, time.monotonic_ns(), time.process_time_ns() - cpu))
