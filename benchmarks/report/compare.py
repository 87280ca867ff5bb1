"""Tells a change between two reports from noise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.report.intervals import difference
from benchmarks.report.report import Report, Result, Round, machine_ms

_SLOWER = 0.02
_BIGGER = 0.02
_CONFIDENCE = 0.99  # there are some thirty changes in a report
_TIMES = ("cpu_ms", "first_audio_cpu_ms")
_SIZES = ("peak_rss_mib", "bundle_mib", "installed_mib")
_RESOLUTION_MS = 0.001
_Samples = dict[str, list[float]]  # by item
_Levels = NDArray[np.float64]  # a value per process


@dataclass(frozen=True)
class Change:
    """How one measure changed: ``low`` to ``high`` holds the ratio after/before with 99 %; ``stage`` changed most.

    The ratio of a stage (``turn.recognize.cpu_ms``) is relative to what all stages of its scenario have in common.
    """

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

    Times are paired by what was worked on. Each process is divided by the reference work before and after it, so a
    quicker machine does not look like a change. A stage is compared with what the
    stages of its scenario have in common: what happens to a whole process cancels out, so that 10 % in one stage shows
    where the whole turn is too noisy. A change counts when its whole interval, over processes, is beyond 2 %. Times of
    scenarios that ran in one process are not compared, since nothing says how much processes differ.
    """
    changes = []
    earlier = {result.name: result for result in before.results if result.status == "done"}
    for new in after.results:
        old = earlier.get(new.name)
        if old is None or new.status != "done":
            continue
        if min(len(old.rounds), len(new.rounds)) > 1:
            for measure in _TIMES:
                if measure in old.measures and measure in new.measures:
                    changes.append(_time_change(old, new, measure))
            changes += _stage_changes(old, new)
        for measure in _SIZES:
            if measure in old.measures and measure in new.measures:
                changes.append(_size_change(old, new, measure))
    return changes


def without_times(changes: list[Change]) -> list[Change]:
    """The changes with none of a time judged: on a busy machine other work takes caches and turns, which costs time."""
    return [replace(change, verdict="not judged") if change.measure.endswith("_ms") else change for change in changes]


def _time_change(old: Result, new: Result, measure: str) -> Change:
    name = f"{new.name}.{measure}"
    levels = _levels(*([_of_measure(done, measure) for done in result.rounds] for result in (old, new)))
    if levels is None:
        return Change(name, 1.0, 0.0, float("inf"), "no change")
    ratio, low, high = map(float, np.exp(difference(*levels, _CONFIDENCE)))
    verdict = _verdict(low, high)
    return Change(name, ratio, low, high, verdict, _stage(old, new) if verdict != "no change" else None)


def _stage_changes(old: Result, new: Result) -> list[Change]:
    """Every stage against the median change of all of them and of the reference."""
    levels = _stage_levels(old, new)
    if not levels:
        return []
    stages = np.stack([np.concatenate(pair) for pair in levels.values()])
    first = len(old.rounds)
    stages -= stages[:, :first].mean(axis=1, keepdims=True)
    if len(stages) > 1:
        stages -= np.median(np.vstack([stages, np.zeros(stages.shape[1])]), axis=0)
    found = []
    for stage, values in zip(levels, stages, strict=True):
        ratio, low, high = map(float, np.exp(difference(values[:first], values[first:], _CONFIDENCE)))
        found.append(Change(f"{new.name}.{stage}.cpu_ms", ratio, low, high, _verdict(low, high), stage))
    return found


def _verdict(low: float, high: float) -> str:
    return "slower" if low > 1 + _SLOWER else "quicker" if high < 1 - _SLOWER else "no change"


def _size_change(old: Result, new: Result, measure: str) -> Change:
    a, b = old.measures[measure].median, new.measures[measure].median
    ratio = b / a if a > 0 else 1.0
    spread = max((old.measures[measure].max - a) / a, 0.0) if a > 0 else 0.0
    low, high = ratio / (1 + spread), ratio * (1 + spread)
    verdict = "bigger" if low > 1 + _BIGGER else "smaller" if high < 1 - _BIGGER else "no change"
    return Change(f"{new.name}.{measure}", ratio, low, high, verdict)


def _of_measure(done: Round, measure: str) -> _Samples:
    values = done.samples.get(measure) or [done.used[measure]]
    return _scaled(done, values, done.items.get(measure) or [""])


def _stage_levels(old: Result, new: Result) -> dict[str, tuple[_Levels, _Levels]]:
    """Levels of the stages that every process of both has, in the order of the stages."""
    found = {}
    for stage in old.stages:
        rounds = [*old.rounds, *new.rounds]
        if stage == "load" or not all(stage in done.stages for done in rounds):
            continue
        before, after = (
            [_scaled(done, done.stages[stage]["cpu_ms"], done.stages[stage]["item"]) for done in result.rounds]
            for result in (old, new)
        )
        levels = _levels(before, after)
        if levels is not None:
            found[stage] = levels
    return found


def _scaled(done: Round, values: list[float], items: list[str]) -> _Samples:
    """Samples by item, in units of the reference work around the process."""
    unit = machine_ms(done)
    grouped: dict[str, list[float]] = defaultdict(list)
    for value, item in zip(values, items, strict=True):
        grouped[item].append(max(value, _RESOLUTION_MS) / unit)
    return grouped


def _levels(old: list[_Samples], new: list[_Samples]) -> tuple[_Levels, _Levels] | None:
    """Per process of each the mean, over the items that all of them have, of the log of the item's median."""
    items = sorted(set.intersection(*(set(done) for done in old + new)))
    if not items:
        return None
    before, after = (
        np.asarray([np.mean([np.log(np.median(done[item])) for item in items]) for done in rounds])
        for rounds in (old, new)
    )
    return before, after


def _stage(old: Result, new: Result) -> str | None:
    """The stage whose time changed most."""
    changes = {
        stage: abs(float(np.exp(after.mean()) - np.exp(before.mean())))
        for stage, (before, after) in _stage_levels(old, new).items()
    }
    return max(changes, key=lambda stage: changes[stage]) if changes else None
