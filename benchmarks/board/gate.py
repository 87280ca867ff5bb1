"""Compares what was measured with the board's budgets."""

from __future__ import annotations

import difflib
from typing import Any

from benchmarks.harness.scenarios import Scenario
from benchmarks.report.report import Result, Row
from edge.config import Budget, Profile
from edge.errors import ConfigError

MEASURES = {
    "cold-start": ("cpu_ms", "wall_ms", "bundle_mib", "installed_mib"),
    "parse": ("cpu_ms",),
    "operators": (),
    "wake": ("cpu_share",),
    "recognize": ("rtf", "cpu_ms"),
    "voice": ("first_audio_cpu_ms", "rtf"),
    "turn": ("first_audio_ms", "first_audio_cpu_ms", "cpu_ms"),
    "turns-100": ("leak_kib_per_turn",),
    "idle": ("cpu_share",),
    "languages": ("cpu_ms",),
}
_OF_ALL = ("peak_rss_mib", "programs_mib", "pss_mib", "cgroup_peak_mib", "minor_faults", "major_faults")


def check_budgets(profile: Profile) -> None:
    """Refuse budgets of measures that no scenario has.

    Raises:
        ConfigError: naming the measure and the nearest valid one.
    """
    known = [f"{name}.{measure}" for name, own in MEASURES.items() for measure in (*own, *_OF_ALL)]
    for budget in profile.budgets:
        if budget.metric not in known:
            near = difflib.get_close_matches(budget.metric, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"such as {known[0]!r}"
            raise ConfigError(f"profile {profile.name}: no scenario measures {budget.metric!r}; {hint}")


def judge(
    profile: Profile, scenarios: tuple[Scenario, ...], results: list[Result], projection: dict[str, Any]
) -> list[Row]:
    """A row per budget of the scenarios that ran, and one per scenario that a kill or an error ended."""
    by_name = {result.name: result for result in results}
    timed = {scenario.name: scenario.projected for scenario in scenarios}
    rows = []
    for budget in profile.budgets:
        name, _, measure = budget.metric.partition(".")
        if name not in timed:
            continue
        result = by_name.get(name)
        if result is None or result.status != "done" or measure not in result.measures:
            rows.append(_row(budget, "not measured", "not measured"))
        else:
            rows.append(_judged(budget, result, measure, projection if measure in timed[name] else None))
    for result in results:
        if result.status in ("killed", "failed"):
            cap = profile.board.memory_cap_mib or 0
            why = result.reason or ""
            rows.append(
                Row(f"{result.name}.{result.status}", 100, cap, "MiB", why, "FAIL", result.status, stage=result.stage)
            )
    return rows


def _judged(budget: Budget, result: Result, measure: str, projection: dict[str, Any] | None) -> Row:
    values = [value for done in result.rounds for value in done.samples.get(measure, [])]
    values = values or [done.used[measure] for done in result.rounds]
    waited = [value for done in result.rounds for value in done.samples.get("waited_ms", [])]
    low = high = _percentile(values, budget.percentile)
    basis = "measured"
    if projection is not None and projection["ratios"]:
        basis = projection["label"]
        # Waiting for the end of speech takes as long on every board: only what was computed is projected.
        fixed = waited if measure == "first_audio_ms" else [0.0] * len(values)
        low, high = (
            _percentile([f + (v - f) * factor for v, f in zip(values, fixed, strict=True)], budget.percentile)
            for factor in (projection["low"], projection["high"])
        )
    verdict = "pass" if high <= budget.limit else "FAIL" if low > budget.limit else "unsure"
    over = round(low - budget.limit, 3) if verdict == "FAIL" else None
    return _row(budget, verdict, basis, round(low, 3), round(high, 3), over, _culprit(result, measure, verdict))


def _row(
    budget: Budget,
    verdict: str,
    basis: str,
    low: float | None = None,
    high: float | None = None,
    over: float | None = None,
    stage: str | None = None,
) -> Row:
    return Row(
        budget.metric, budget.percentile, budget.limit, budget.unit, budget.why, verdict, basis, low, high, over, stage
    )


def _percentile(values: list[float], percentile: int) -> float:
    import numpy as np

    return float(np.percentile(values, percentile))


def _culprit(result: Result, measure: str, verdict: str) -> str | None:
    """The stage that costs most of what exceeds: of memory, the one at whose beginning to end it grew most."""
    if verdict == "pass":
        return None
    if measure.endswith("_mib") or measure.startswith("leak"):
        grown: dict[str, float] = {}
        for done in result.rounds:
            before = 0.0
            for _, rss, stage in done.timeline:
                grown[stage] = grown.get(stage, 0.0) + max(0.0, rss - before)
                before = max(before, rss)
        return max(grown, key=lambda stage: grown[stage]) if grown else None
    working = {stage: summary.median for stage, summary in result.stages.items() if stage != "load"}
    return max(working, key=lambda stage: working[stage]) if working else None
