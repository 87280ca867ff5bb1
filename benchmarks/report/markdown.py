"""A report as text, for a terminal and for a pull request."""

from __future__ import annotations

from benchmarks.report.report import Report, Row, verdict

_HEAD = "| budget | limit | found | verdict | over by | stage | basis |\n|---|---:|---:|---|---:|---|---|"


def table(rows: list[Row]) -> str:
    """The gate as a table."""
    return "\n".join([_HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    found = "not measured" if row.low is None else number(row.low)
    if row.high is not None and row.high != row.low:
        found += f"–{number(row.high)}"
    percentile = "max" if row.percentile == 100 else f"p{row.percentile}"
    over = "" if row.over is None else f"{number(row.over)} {row.unit}"
    unit = "" if row.unit == "1" else f" {row.unit}"
    limit = f"{number(row.limit)}{unit}"
    return (
        f"| {row.metric} {percentile} | {limit} | {found} | {row.verdict} | {over} | {row.stage or ''} | {row.basis} |"
    )


def number(value: float) -> str:
    """Three figures that count."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def document(report: Report) -> str:
    """The report as Markdown."""
    board = report.profile.board
    parts = [
        f"# {board.title}: {verdict(report)}",
        f"{report.created}, commit {report.machine['commit'] or 'unknown'}; memory {report.capped}; "
        f"measured on {report.machine['model']}, whose speed drifted by {number(report.drift_percent)} %.",
        _busy(report),
        _projection(report),
        table(report.gate),
        "## Scenarios",
        "| scenario | status | measure | median (95 % interval) | p95 | p99 | n |\n|---|---|---|---:|---:|---:|---:|",
    ]
    lines = []
    for result in report.results:
        if not result.measures:
            lines.append(f"| {result.name} | {result.status} | {result.reason or ''} at {result.stage} | | | | |")
        for name, s in result.measures.items():
            unit = "" if s.unit == "1" else f" {s.unit}"
            interval = f"{number(s.median)}{unit} ({number(s.median_low)}–{number(s.median_high)})"
            lines.append(
                f"| {result.name} | {result.status} | {name} | {interval} | {number(s.p95)} | {number(s.p99)} | {s.n} |"
            )
    parts[-1] += "\n" + "\n".join(lines)
    if report.peers:
        parts += ["## Peers", peers_table(report.peers)]
    return "\n\n".join(parts) + "\n"


def peers_table(peers: list[dict[str, object]]) -> str:
    """The peers as a table; what does not apply is empty."""
    keys = list(dict.fromkeys(key for peer in peers for key in peer))
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    for peer in peers:
        cells = (peer.get(key, "") for key in keys)
        lines.append("| " + " | ".join(number(c) if isinstance(c, float) else str(c) for c in cells) + " |")
    return "\n".join(lines)


def _busy(report: Report) -> str:
    if report.busy["forced"]:
        load = report.busy["load"]
        return (
            f"**Measured with --force on a busy machine**: others took {load['others_cores']} cores, "
            f"other guests {load['steal_cores']}. CPU times are inflated."
        )
    return "The machine was quiet."


def _projection(report: Report) -> str:
    projection = report.projection
    if not projection["ratios"]:
        return "Times are as measured here, not projected."
    factors = ", ".join(f"{name} {ratio}" for name, ratio in projection["ratios"].items())
    return (
        f"Times are **{projection['label']}** to the board: {projection['low']} to {projection['high']} times "
        f"those measured here ({factors})."
    )
