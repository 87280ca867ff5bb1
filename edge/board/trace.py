"""Measures the stages of one turn."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from edge.board.memory import rss_mib
from edge.types import StageSpan


def cpu_time_ns() -> int:
    """CPU time of this process, its threads and its ended children (espeak-ng is one)."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return int(1e9 * (own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime))


class Trace:
    """Collects a span per stage, in the order of their ends."""

    def __init__(self) -> None:
        self.spans: list[StageSpan] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under ``name`` even when it raises."""
        start, cpu = time.monotonic_ns(), cpu_time_ns()
        try:
            yield
        finally:
            self.spans.append(StageSpan(name, start, time.monotonic_ns(), cpu_time_ns() - cpu, rss_mib()))

    def merged(self) -> tuple[StageSpan, ...]:
        """One span per stage: its first start, the sum of its times, its highest memory."""
        stages: dict[str, StageSpan] = {}
        for span in self.spans:
            whole = stages.get(span.stage)
            stages[span.stage] = (
                span
                if whole is None
                else replace(
                    whole,
                    end_ns=whole.end_ns + span.end_ns - span.start_ns,
                    cpu_ns=whole.cpu_ns + span.cpu_ns,
                    rss_mib=max(whole.rss_mib, span.rss_mib),
                )
            )
        return tuple(stages.values())
