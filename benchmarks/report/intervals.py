"""Percentiles with intervals, of samples that came from several processes."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Rounds = Sequence[Sequence[float]]
_RESAMPLES = 1000
_DRAWS = 2**18


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


def summarize(rounds: Rounds, unit: str, drift_percent: float = 0.0) -> Summary:
    """Summary of samples.

    A process is the unit of the interval, for its samples share a memory layout and a moment and are not independent:
    the interval is the standard error of the processes' own percentiles times Student's t, around the percentile of all
    samples (Kalibera & Jones, Rigorous Benchmarking in Reasonable Time, 2013). Of a single process it says only how its
    samples vary (bootstrap).

    Args:
        rounds: a sequence of samples per process.
        unit: their unit.
        drift_percent: of a time, how far the machine's speed went from its mean meanwhile (95 %); part of the interval,
            since another run meets another moment.
    """
    arrays = [np.asarray(values, np.float64) for values in rounds]
    pooled = np.concatenate(arrays)
    centre = np.percentile(pooled, (50, 95))
    if len(arrays) > 1:
        own = np.stack([np.percentile(values, (50, 95)) for values in arrays])
        error = own.std(axis=0, ddof=1) / np.sqrt(len(own))
        half = np.hypot(student_t(len(own) - 1, 0.95) * error, drift_percent / 100 * centre)
        low, high = centre - half, centre + half
    else:
        drawn = np.random.default_rng(0).choice(pooled, (_RESAMPLES, len(pooled)))
        low, high = np.percentile(np.percentile(drawn, (50, 95), axis=1), (2.5, 97.5), axis=1)
    p99, largest = np.percentile(pooled, 99), pooled.max()
    numbers = (centre[0], centre[1], p99, largest, low[0], high[0], low[1], high[1])
    return Summary(unit, len(pooled), *(round(float(number), 6) for number in numbers))


def difference(
    before: NDArray[np.float64], after: NDArray[np.float64], confidence: float
) -> tuple[float, float, float]:
    """Difference of the means of two samples with Welch's interval: the difference, its lower and its upper bound.

    Args:
        before: a value per process [B], at least two.
        after: a value per process [A], at least two.
        confidence: share of such intervals that hold the true difference.
    """
    found = float(after.mean() - before.mean())
    parts = np.asarray([sample.var(ddof=1) / len(sample) for sample in (before, after)])
    if not parts.any():
        return found, found, found
    freedom = parts.sum() ** 2 / (parts[0] ** 2 / (len(before) - 1) + parts[1] ** 2 / (len(after) - 1))
    half = student_t(round(float(freedom), 1), confidence) * float(np.sqrt(parts.sum()))
    return found, found - half, found + half


@functools.cache
def student_t(freedom: float, confidence: float) -> float:
    """Two-sided quantile of Student's t, drawn, for numpy has no inverse of it; right to 1 %."""
    drawn = np.abs(np.random.default_rng(0).standard_t(freedom, _DRAWS))
    return float(np.quantile(drawn, confidence))
