"""Plots as SVG: bars, lines and histograms, sized for a phone; every number that they show comes from the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 360, 160
COLOURS = ("#3b6ea5", "#d1803a", "#5d9c59", "#a05195", "#8c6d46", "#c0504d", "#4bacc6", "#7f7f7f")
_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 6, 16, 22
_MARGIN = 24


class Number:
    """A number shown with where it stands in the JSON."""

    def __init__(self, value: float, path: str, unit: str = "") -> None:
        self.value, self.path, self.unit = value, path, unit

    def text(self) -> str:
        """As people read it."""
        shown = f"{self.value:.0f}" if abs(self.value) >= 100 else f"{self.value:.3g}"
        return f"{shown} {self.unit}" if self.unit not in ("", "1") else shown

    def span(self, tag: str = "span") -> str:
        """As an element that names its source."""
        return f'<{tag} data-json="{escape(self.path)}">{escape(self.text())}</{tag}>'


def _svg(parts: Sequence[str], title: str, height: float = HEIGHT) -> str:
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">{body}</svg>'


def _text(x: float, y: float, content: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{content}</text>'


def bars(rows: Sequence[tuple[str, Number, Number | None, str]], title: str) -> str:
    """Horizontal bars: label, value, limit or None, colour; each bar is drawn against its own limit or the largest."""
    largest = max((value.value for _, value, _, _ in rows), default=1.0) or 1.0
    parts, step = [], 34
    for index, (label, value, limit, colour) in enumerate(rows):
        y = 4 + index * step
        scale = (WIDTH - 12) / (max(limit.value, value.value, 1e-9) * 1.05 if limit else largest * 1.05)
        parts.append(_text(_LEFT, y + 10, label))
        end = value.span("tspan") + (f" of {limit.span('tspan')}" if limit else "")
        parts.append(_text(WIDTH - _RIGHT, y + 10, end, "end"))
        width = max(1.0, value.value * scale)
        parts.append(f'<rect x="{_LEFT}" y="{y + 14}" width="{width:.1f}" height="10" fill="{colour}"/>')
        if limit:
            x = _LEFT + limit.value * scale
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 11}" y2="{y + 27}" class="limit"/>')
    return _svg(parts, title, 8 + step * len(rows))


def waterfall(rows: Sequence[tuple[str, Number]], title: str) -> str:
    """Stages (label as markup, time) one after the other, each beginning where the one before ended."""
    total = sum(number.value for _, number in rows) or 1.0
    parts, at, step = [], 0.0, 30
    for index, (label, number) in enumerate(rows):
        y, x = 4 + index * step, _LEFT + at / total * (WIDTH - 12)
        parts.append(_text(_LEFT, y + 10, label))
        width = max(1.0, number.value / total * (WIDTH - 12))
        parts.append(f'<rect x="{x:.1f}" y="{y + 13}" width="{width:.1f}" height="9" fill="{COLOURS[index % 8]}"/>')
        at += number.value
    return _svg(parts, title, 8 + step * len(rows))


def line(points: Sequence[tuple[float, float]], peak: Number, cap: Number | None, title: str) -> str:
    """Memory over time, against the cap."""
    if not points:
        return ""
    top = max(max(y for _, y in points), cap.value if cap else 0.0) * 1.05 or 1.0
    end = points[-1][0] or 1.0
    width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    place = [(_LEFT + x / end * width, _TOP + height - y / top * height) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in place)
    parts = [f'<polyline points="{path}" class="line"/>']
    if cap:
        y = _TOP + height - cap.value / top * height
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="limit"/>')
        parts.append(_text(WIDTH - _RIGHT, y - 3, f"cap {cap.span('tspan')}", "end"))
    parts.append(_text(_LEFT, HEIGHT - 6, f"peak {peak.span('tspan')}"))
    parts.append(_text(WIDTH - _RIGHT, HEIGHT - 6, "time →", "end"))
    return _svg(parts, title)


def curves(series: Mapping[str, Sequence[tuple[float, float]]], axes: tuple[str, str], title: str) -> str:
    """Lines of (x, y) from nought, a colour each, named below; ``axes`` are the names of x and y. A page of its own."""
    points = [point for line in series.values() for point in line]
    right = max((x for x, _ in points), default=0.0) or 1.0
    top = max((y for _, y in points), default=0.0) or 1.0
    width, height = WIDTH - 2 * _MARGIN, HEIGHT - _TOP - _MARGIN
    parts = [f'<path d="M{_MARGIN},{_TOP}v{height}h{width}" fill="none" stroke="#888"/>']
    for index, (name, line) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        place = [(_MARGIN + x / right * width, _TOP + height - y / top * height) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in place)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<rect x="{_LEFT}" y="{HEIGHT + 4 + 14 * index}" width="10" height="8" fill="{colour}"/>')
        parts.append(_text(_LEFT + 16, HEIGHT + 12 + 14 * index, escape(name)))
    parts += [
        _text(_MARGIN, _TOP - 4, f"{escape(axes[1])}, up to {top:.3g}"),
        _text(WIDTH - _MARGIN, HEIGHT - 8, f"{escape(axes[0])}, up to {right:.3g}", "end"),
    ]
    body = f'<g font-family="sans-serif" font-size="10">{"".join(parts)}</g>'
    return _svg([body], title, HEIGHT + 8 + 14 * len(series)).replace(
        "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '
    )


def histogram(values: Sequence[float], low: Number, middle: Number, title: str, bins: int = 24) -> str:
    """How often each latency occurred; the median and the 95th percentile are given."""
    if not values:
        return ""
    start, end = min(values), max(values)
    width = (end - start) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - start) / width))] += 1
    tallest, inner = max(counts), WIDTH - _LEFT - _RIGHT
    parts = []
    for index, count in enumerate(counts):
        height = count / tallest * (HEIGHT - _TOP - _BOTTOM)
        x = _LEFT + index * inner / bins
        y = HEIGHT - _BOTTOM - height
        wide = inner / bins - 1
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}" class="bin"/>')
    parts.append(_text(_LEFT, HEIGHT - 6, f"median {low.span('tspan')}"))
    parts.append(
        _text(WIDTH - _RIGHT, HEIGHT - 6, f"<tspan data-json='text'>p95</tspan> {middle.span('tspan')}", "end")
    )
    return _svg(parts, title)
