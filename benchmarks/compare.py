"""Tells a change between two reports from noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Report, Result, Round
from benchmarks.statistics import RESAMPLES

_SLOWER = 0.02
_BIGGER = 0.02
_TIMES = ("cpu_ms", "first_audio_cpu_ms")
_Samples = dict[str, NDArray[np.float64]]  # by item
_SIZES = ("peak_rss_mib", "bundle_mib", "installed_mib", "leak_kib_per_turn")


@dataclass(frozen=True)
class Change:
    """How one measure changed: ``low`` to ``high`` holds the ratio after/before with 95 %; ``stage`` changed most.

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

    Times are paired by what was worked on, and each is divided by the yardstick that ran beside it, so that a machine
    that is quicker or slower today does not look like a change. A stage is compared with what the stages of its
    scenario have in common: what happens to a whole process cancels out, so that 10 % in one stage shows where the
    whole turn is too noisy. A change counts when the whole interval is beyond 2 %. Times of scenarios that ran in one
    process are not compared, since nothing says how much processes differ.
    """
    changes = []
    earlier = {result.name: result for result in before.results if result.status == "done"}
    for new in after.results:
        old = earlier.get(new.name)
        if old is None or new.status != "done":
            continue
        repeated = min(len(old.rounds), len(new.rounds)) > 1
        for measure in _TIMES if repeated else ():
            if measure in old.measures and measure in new.measures:
                changes.append(_time_change(old, new, measure))
        changes += _stage_changes(old, new) if repeated else []
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


def _stage_changes(old: Result, new: Result) -> list[Change]:
    """Every stage against the median change of all of them and the yardstick; 99 %, for there are several."""
    stages = [stage for stage in old.stages if stage in new.stages and stage != "load"]
    before, after = (
        {
            stage: [_stage_samples(done, stage) if stage in done.stages else {} for done in result.rounds]
            for stage in stages
        }
        for result in (old, new)
    )
    stages = [stage for stage in stages if _common(before[stage] + after[stage])]
    if not stages:
        return []
    rng = np.random.default_rng(0)
    chosen = _chosen(old.rounds, rng), _chosen(new.rounds, rng)
    logs = np.stack([_log_ratios(before[stage], after[stage], chosen, rng) for stage in stages])
    if len(stages) > 1:
        logs -= np.median([np.zeros(RESAMPLES + 1), *logs], axis=0)
    found = []
    for stage, drawn in zip(stages, np.exp(logs), strict=True):
        low, high = map(float, np.percentile(drawn[1:], (0.5, 99.5)))
        found.append(Change(f"{new.name}.{stage}.cpu_ms", float(drawn[0]), low, high, _verdict(low, high), stage))
    return found


def _stage_samples(done: Round, stage: str) -> _Samples:
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


def _by_item(result: Result, measure: str) -> list[_Samples]:
    """Per round, the samples of each item, in yardsticks."""
    return [_of_round(done, measure) for done in result.rounds]


def _of_round(done: Round, measure: str) -> _Samples:
    values = done.samples.get(measure) or [done.used[measure]]
    items = done.items.get(measure) or [""]
    return _scaled(done, values, items)


def _scaled(done: Round, values: list[float], items: list[str]) -> _Samples:
    """Samples by item, divided by the round's typical yardstick around them."""
    yardsticks = np.asarray(done.samples.get("yardstick_ms") or [1.0])
    grouped: dict[str, list[float]] = defaultdict(list)
    for index, (value, item) in enumerate(zip(values, items, strict=True)):
        # A window of yardsticks: one alone is as noisy as what it scales.
        middle = int(index * len(yardsticks) / max(1, len(values)))
        near = yardsticks[max(0, middle - 8) : middle + 9]
        grouped[item].append(value / float(np.median(near)))
    return {item: np.asarray(found) for item, found in grouped.items()}


def _ratio(old: list[_Samples], new: list[_Samples]) -> tuple[float, float, float]:
    """Geometric mean over the items of after/before medians, with its 95 % bootstrap interval."""
    if not _common(old + new):
        return 1.0, 0.0, float("inf")
    rng = np.random.default_rng(0)
    drawn = np.exp(_log_ratios(old, new, (_chosen(old, rng), _chosen(new, rng)), rng))
    low, high = np.percentile(drawn[1:], (2.5, 97.5))
    return float(drawn[0]), float(low), float(high)


def _common(rounds: list[_Samples]) -> list[str]:
    return sorted(set.intersection(*(set(done) for done in rounds)))


def _chosen(rounds: Sequence[object], rng: np.random.Generator) -> NDArray[np.int64]:
    """Processes drawn for each resample [RESAMPLES, processes]."""
    return rng.integers(0, len(rounds), (RESAMPLES, len(rounds)))


def _log_ratios(
    old: list[_Samples],
    new: list[_Samples],
    chosen: tuple[NDArray[np.int64], NDArray[np.int64]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Mean over the items of log after/before [1 + RESAMPLES]: as measured, then redrawn."""
    items = _common(old + new)
    ratios = [_log_medians(new, item, chosen[1], rng) - _log_medians(old, item, chosen[0], rng) for item in items]
    return np.asarray(np.mean(ratios, axis=0))


def _log_medians(
    rounds: list[_Samples], item: str, chosen: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Log median of an item's samples [1 + RESAMPLES]: as measured, then redrawn."""
    sizes = np.asarray([len(done[item]) for done in rounds])
    table = np.zeros((len(rounds), sizes.max()))
    for row, done in zip(table, rounds, strict=True):
        row[: len(done[item])] = done[item]
    within = (rng.random((*chosen.shape, sizes.max())) * sizes[chosen][:, :, None]).astype(np.int64)
    redrawn = np.median(table[chosen[:, :, None], within].reshape(len(chosen), -1), axis=1)
    measured = np.median(np.concatenate([done[item] for done in rounds]))
    return np.asarray(np.log([measured, *redrawn]))


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
