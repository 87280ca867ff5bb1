"""What the machine is worth while it measures: fixed work of three kinds, between the measured processes."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from statistics import NormalDist

import numpy as np

from benchmarks.report.report import Round, machine_ms

_REPETITIONS = 5
_COPY_BYTES = 32 * 2**20
_VECTOR = 4096


class Reference:
    """CPU ms of counting in Python, of float arithmetic within the cache, and of copying what no cache holds."""

    def __init__(self) -> None:
        self._vector = np.full(_VECTOR, 1.0001, np.float32)
        self._sum = np.zeros_like(self._vector)
        self._source = np.ones(_COPY_BYTES, np.uint8)
        self._target = np.empty_like(self._source)

    def measure(self) -> dict[str, float]:
        """Median of five runs of each kind, ms."""
        return {"interpreter": _ms(self._count), "arithmetic": _ms(self._multiply), "memory": _ms(self._copy)}

    def _count(self) -> None:
        total = 0
        for number in range(100_000):
            total += number & 7

    def _multiply(self) -> None:
        for _ in range(2000):
            np.multiply(self._vector, self._vector, self._sum)
            np.add(self._sum, self._vector, self._sum)

    def _copy(self) -> None:
        np.copyto(self._target, self._source)


def drift_percent(rounds: Iterable[Round]) -> float:
    """How far the machine's speed went from its mean while these processes ran: 95 % of them were within it."""
    logs = [math.log(machine_ms(done)) for done in rounds]
    return round(100 * NormalDist().inv_cdf(0.975) * statistics.stdev(logs), 2) if len(logs) > 1 else 0.0


def _ms(work: Callable[[], None]) -> float:
    times = []
    for _ in range(_REPETITIONS):
        start = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - start) / 1e6)
    return round(statistics.median(times), 4)
