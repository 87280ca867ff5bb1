"""Percentiles with intervals, of samples that came in rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Rounds = Sequence[Sequence[float]]
RESAMPLES = 1000


class Summary(msgspec.Struct, frozen=True):
    """What the samples of one measure say; the intervals hold 95 %."""

    unit: str
    n: int
    median: float
    p95: float
    p99: float
    max: float
    median_low: float
    median_high: float
    p95_low: float
    p95_high: float


def summarize(rounds: Rounds, unit: str) -> Summary:
    """Summary of samples; ``rounds`` has one sequence per process."""
    pooled = np.concatenate([np.asarray(values, np.float64) for values in rounds])
    low, high = interval(rounds, lambda values: percentiles(values, 50, 95))
    median, p95, p99 = np.percentile(pooled, (50, 95, 99))
    numbers = (median, p95, p99, pooled.max(), low[0], high[0], low[1], high[1])
    return Summary(unit, len(pooled), *(round(float(number), 6) for number in numbers))


def percentiles(values: NDArray[np.float64], *wanted: float) -> NDArray[np.float64]:
    """Percentiles along the last axis, those first."""
    return np.asarray(np.percentile(values, wanted, axis=-1))


def interval(
    rounds: Rounds, statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % bootstrap interval: processes are drawn first and then their samples, for both vary.

    Davison & Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    rng = np.random.default_rng(0)
    arrays = [np.asarray(values, np.float64) for values in rounds]
    drawn = []
    for _ in range(RESAMPLES if sum(map(len, arrays)) > 1 else 1):
        chosen = rng.integers(0, len(arrays), len(arrays))
        values = np.concatenate([rng.choice(arrays[index], len(arrays[index])) for index in chosen])
        drawn.append(statistic(values))
    low, high = np.percentile(np.stack(drawn), (2.5, 97.5), axis=0)
    return low, high
