"""Tells a change between two reports from noise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Report, Result, Round
from benchmarks.statistics import RESAMPLES

_SLOWER = 0.02
_BIGGER = 0.02
_TIMES = ("cpu_ms", "first_audio_cpu_ms")
_SIZES = ("peak_rss_mib", "bundle_mib", "installed_mib", "leak_kib_per_turn")


@dataclass(frozen=True)
class Change:
    """How one measure changed: ``low`` to ``high`` holds the ratio after/before with 95 %; ``stage`` changed most."""

    measure: str
    ratio: float
    low: float
    high: float
    verdict: str
    stage: str | None = None

    def line(self) -> str:
        """The change for a person."""
        where = f", mostly in {self.stage}" if self.stage and f".{self.stage}." not in self.measure else ""
        return f"{self.measure:<36} {self.ratio:6.3f} ({self.low:.3f}–{self.high:.3f})  {self.verdict}{where}"


def compare(before: Report, after: Report) -> list[Change]:
    """Changes of every scenario that both reports have.

    Whole turns and single stages are compared. Times are paired by what was worked on, and each
    is divided by the yardstick that ran beside it, so that a machine
    that is quicker or slower today does not look like a change. A change counts when the whole interval is beyond 2 %.
    """
    changes = []
    earlier = {result.name: result for result in before.results if result.status == "done"}
    for new in after.results:
        old = earlier.get(new.name)
        if old is None or new.status != "done":
            continue
        for measure in _TIMES:
            if measure in old.measures and measure in new.measures:
                changes.append(_time_change(old, new, measure))
        changes += [_stage_change(old, new, stage) for stage in old.stages if stage in new.stages and stage != "load"]
        for measure in _SIZES:
            if measure in old.measures and measure in new.measures:
                changes.append(_size_change(old, new, measure))
    return changes


def _time_change(old: Result, new: Result, measure: str) -> Change:
    name = f"{new.name}.{measure}"
    ratio, low, high = _ratio(_by_item(old, measure), _by_item(new, measure))
    verdict = _verdict(low, high)
    stage = _stage(old, new) if verdict != "no change" else None
    return Change(name, ratio, low, high, verdict, stage)


def _stage_change(old: Result, new: Result, stage: str) -> Change:
    """A stage by itself: what is lost in the whole turn's noise shows here; 99 %, for there are several."""
    before, after = (
        [_stage_samples(done, stage) for done in result.rounds if stage in done.stages] for result in (old, new)
    )
    ratio, low, high = _ratio(before, after, certainty=99)
    return Change(f"{new.name}.{stage}.cpu_ms", ratio, low, high, _verdict(low, high), stage)


def _stage_samples(done: Round, stage: str) -> dict[str, NDArray[np.float64]]:
    return _scaled(done, done.stages[stage]["cpu_ms"], done.stages[stage]["item"])


def _verdict(low: float, high: float) -> str:
    return "slower" if low > 1 + _SLOWER else "quicker" if high < 1 - _SLOWER else "no change"


def _size_change(old: Result, new: Result, measure: str) -> Change:
    a, b = old.measures[measure].median, new.measures[measure].median
    ratio = b / a if a > 0 else 1.0
    spread = max((old.measures[measure].max - a) / a, 0.0) if a > 0 else 0.0
    low, high = ratio / (1 + spread), ratio * (1 + spread)
    grew = low > 1 + _BIGGER and measure != "leak_kib_per_turn"
    verdict = "bigger" if grew else "smaller" if high < 1 - _BIGGER else "no change"
    return Change(f"{new.name}.{measure}", ratio, low, high, verdict)


def _by_item(result: Result, measure: str) -> list[dict[str, NDArray[np.float64]]]:
    """Per round, the samples of each item, in yardsticks."""
    return [_of_round(done, measure) for done in result.rounds]


def _of_round(done: Round, measure: str) -> dict[str, NDArray[np.float64]]:
    values = done.samples.get(measure) or [done.used[measure]]
    items = done.items.get(measure) or [""]
    return _scaled(done, values, items)


def _scaled(done: Round, values: list[float], items: list[str]) -> dict[str, NDArray[np.float64]]:
    """Samples by item, divided by the round's typical yardstick around them."""
    yardsticks = np.asarray(done.samples.get("yardstick_ms") or [1.0])
    grouped: dict[str, list[float]] = defaultdict(list)
    for index, (value, item) in enumerate(zip(values, items, strict=True)):
        # A window of yardsticks: one alone is as noisy as what it scales.
        middle = int(index * len(yardsticks) / max(1, len(values)))
        near = yardsticks[max(0, middle - 8) : middle + 9]
        grouped[item].append(value / float(np.median(near)))
    return {item: np.asarray(found) for item, found in grouped.items()}


def _ratio(
    old: list[dict[str, NDArray[np.float64]]], new: list[dict[str, NDArray[np.float64]]], certainty: float = 95
) -> tuple[float, float, float]:
    """Geometric mean over the items of after/before medians, with its bootstrap interval."""
    items = sorted(set.intersection(*(set(done) for done in (*old, *new))))
    if not items:
        return 1.0, 0.0, float("inf")
    rng = np.random.default_rng(0)
    estimate = _mean_ratio(old, new, items)
    drawn = [_mean_ratio(_redraw(old, rng), _redraw(new, rng), items) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, (50 - certainty / 2, 50 + certainty / 2))
    return estimate, float(low), float(high)


def _redraw(
    rounds: list[dict[str, NDArray[np.float64]]], rng: np.random.Generator
) -> list[dict[str, NDArray[np.float64]]]:
    chosen = rng.integers(0, len(rounds), len(rounds)) if len(rounds) > 1 else [0]
    return [{item: rng.choice(values, len(values)) for item, values in rounds[index].items()} for index in chosen]


def _mean_ratio(
    old: list[dict[str, NDArray[np.float64]]], new: list[dict[str, NDArray[np.float64]]], items: list[str]
) -> float:
    logs = [
        np.log(np.median(np.concatenate([done[item] for done in new])))
        - np.log(np.median(np.concatenate([done[item] for done in old])))
        for item in items
    ]
    return float(np.exp(np.mean(logs)))


def _stage(old: Result, new: Result) -> str | None:
    """The stage whose time changed most, in yardsticks."""

    def typical(result: Result, stage: str) -> float:
        found = []
        for done in result.rounds:
            if stage in done.stages:
                found += [float(np.median(values)) for values in _stage_samples(done, stage).values()]
        return float(np.mean(found)) if found else 0.0

    stages = set(old.stages) | set(new.stages)
    changes = {stage: abs(typical(new, stage) - typical(old, stage)) for stage in stages}
    return max(changes, key=lambda stage: changes[stage]) if changes else None
