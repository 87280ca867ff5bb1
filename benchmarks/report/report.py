"""What a run found: the JSON file. The other forms are made from it."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.report.intervals import Summary
from edge.config import Profile
from edge.errors import ConfigError
from edge.files import write_file

FORMAT = 3


class Round(msgspec.Struct, frozen=True):
    """One process: every sample in order, what it used, its memory over time, the reference work before and after."""

    samples: dict[str, list[float]]
    items: dict[str, list[str]]
    stages: dict[str, dict[str, list[Any]]]
    used: dict[str, float]
    timeline: list[tuple[float, float, str]]
    reference_ms: dict[str, list[float]] = {}


def machine_ms(done: Round) -> float:
    """Geometric mean of the reference times before and after a process."""
    return statistics.geometric_mean(ms for times in done.reference_ms.values() for ms in times)


class Result(msgspec.Struct, frozen=True):
    """One scenario; ``status`` is done, killed, failed or not measured, ``stage`` where it ended early.

    ``stages`` holds the CPU time of each stage, ``walls`` its wall time.
    """

    name: str
    status: str
    stage: str | None
    reason: str | None
    units: dict[str, str]
    measures: dict[str, Summary]
    stages: dict[str, Summary]
    walls: dict[str, Summary]
    facts: dict[str, Any]
    rounds: list[Round]


class Row(msgspec.Struct, frozen=True):
    """One budget: ``verdict`` is pass, FAIL, unsure (the projected interval holds the limit) or not measured."""

    metric: str
    percentile: int
    limit: float
    unit: str
    why: str
    verdict: str
    basis: str
    low: float | None = None
    high: float | None = None
    over: float | None = None
    stage: str | None = None


class Report(msgspec.Struct, frozen=True):
    """One run of ``edge-bench``; ``open`` counts the budgets that it cannot decide.

    ``drift_percent`` is how far the machine's speed went from its mean during the run (95 %); the intervals of times
    contain it.
    """

    format: int
    created: str
    profile: Profile
    machine: dict[str, Any]
    busy: dict[str, Any]
    capped: str
    projection: dict[str, Any]
    drift_percent: float
    results: list[Result]
    gate: list[Row]
    passed: bool
    open: int = 0
    peers: list[dict[str, Any]] = []


def open_rows(rows: list[Row]) -> list[Row]:
    """Budgets that a run cannot decide: the projected interval holds the limit, or nothing was measured."""
    return [row for row in rows if row.verdict in ("unsure", "not measured")]


def verdict(report: Report) -> str:
    """The whole in a few words; open rows are named and do not count as failures."""
    if not report.passed:
        return "FAILS"
    return f"passes, {report.open} of {len(report.gate)} budgets open" if report.open else "passes"


def write_report(report: Report, path: Path) -> None:
    """Write the JSON file."""
    write_file(path, msgspec.json.format(msgspec.json.encode(report), indent=1))


def read_report(path: Path) -> Report:
    """Read a JSON file of ``edge-bench run``.

    Raises:
        ConfigError: It cannot be read, or is another kind of file.
    """
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path} is no report of edge-bench run: {' '.join(str(error).split())}") from error
    if report.format != FORMAT:
        raise ConfigError(f"{path} has format {report.format}, not {FORMAT}: run edge-bench again")
    return report
