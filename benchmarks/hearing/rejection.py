"""Commands rejected and other things accepted, together, as the confidence that is asked for rises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report.charts import curves


@dataclass(frozen=True)
class Judged:
    """What became of a recording: the parse's confidence, None where it was rejected; whether it was ``right``.

    ``commanded`` is whether the recording is a command at all.
    """

    confidence: float | None
    right: bool
    commanded: bool


@dataclass(frozen=True)
class Point:
    """Rates where parses below ``confidence`` are rejected as well.

    ``rejected_right`` is the share of commands that are not accepted, ``accepted_wrong`` that of all recordings taken
    for a command that they are not.
    """

    confidence: float
    rejected_right: float
    accepted_wrong: float


def rejection_curve(judged: Sequence[Judged]) -> list[Point]:
    """A point for every confidence that decides about a recording, from what is shipped to rejecting everything."""
    commands = sum(each.commanded for each in judged)
    thresholds = sorted({0.0, *(each.confidence for each in judged if each.confidence is not None)})
    points = [_point(threshold, judged, commands) for threshold in thresholds]
    return [*points, Point(1.0, 1.0 if commands else 0.0, 0.0)]


def _point(threshold: float, judged: Sequence[Judged], commands: int) -> Point:
    accepted = [each for each in judged if each.confidence is not None and each.confidence >= threshold]
    rejected = commands - sum(each.commanded for each in accepted)
    wrong = sum(not each.right for each in accepted)
    return Point(threshold, rejected / max(commands, 1), wrong / max(len(judged), 1))


def curve_json(points: Iterable[Point]) -> list[dict[str, Any]]:
    """The curve for programs."""
    return [{name: round(value, 4) for name, value in vars(point).items()} for point in points]


def curve_svg(levels: Mapping[str, Sequence[Point]]) -> str:
    """The curves of several noise levels in one picture."""
    series = {
        name: [(100 * point.rejected_right, 100 * point.accepted_wrong) for point in points]
        for name, points in levels.items()
    }
    return curves(series, ("commands rejected, %", "accepted wrongly, %"), "Rejection")
