"""A report as one HTML page that needs nothing else; every number in it names its place in the JSON."""

from __future__ import annotations

from html import escape
from typing import Any

from benchmarks.report import charts as svg
from benchmarks.report.charts import Number
from benchmarks.report.report import Report, Result, Row

_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;padding:12px;max-width:60rem}
h1{font-size:1.3rem}h2{font-size:1.1rem;margin-top:1.6rem}h3{font-size:1rem;margin:.8rem 0 .2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:13px;min-width:100%}
th,td{text-align:left;padding:4px 6px;border-bottom:1px solid #8884;vertical-align:top}
td.n{text-align:right;white-space:nowrap}td{overflow-wrap:anywhere}
.pass{color:#2e7d32}.FAIL{color:#c62828;font-weight:700}.unsure{color:#b26a00}.not{color:#777}
svg{width:100%;max-width:36rem;display:block}svg text{font:11px system-ui,sans-serif;fill:currentColor}
.limit{stroke:#c62828;stroke-width:1.5;stroke-dasharray:4 3}.line{fill:none;stroke:#3b6ea5;stroke-width:1.5}
.bin{fill:#3b6ea5}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:12px}
.why{color:#777;font-size:12px}.note{background:#ffb74d33;padding:8px;border-radius:6px}
"""
_OPERATORS = 8
_VERDICTS = {"pass": "#5d9c59", "FAIL": "#c0504d", "unsure": "#d1a03a", "not measured": "#7f7f7f"}


def page(report: Report) -> str:
    """The page."""
    board = report.profile.board
    parts = [
        f"<h1>{_plain(board.title)}: {_verdict(report)}</h1>",
        _provenance(report),
        "<h2>Budgets</h2>",
        _gate(report),
        _budget_bars(report),
        *(_scenario(report, index) for index in range(len(report.results))),
    ]
    if report.peers:
        parts.append(_peers(report))
    title = f"<title>{escape(board.title)}</title>"
    viewport = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    head = f'<meta charset="utf-8">{viewport}<style>{_STYLE}</style>{title}'
    body = "".join(parts)
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{body}</body></html>\n"


def _verdict(report: Report) -> str:
    """As ``report.verdict``, with where its number stands."""
    if not report.passed:
        return "<span class='FAIL'>FAILS</span>"
    undecided = f", {Number(report.open, 'open').span()} budgets open" if report.open else ""
    return f"<span class='{'unsure' if report.open else 'pass'}'>passes{undecided}</span>"


def _plain(value: object, tag: str = "span") -> str:
    """Text that stands in the report as it is."""
    return f'<{tag} data-json="text">{escape(str(value))}</{tag}>'


def _provenance(report: Report) -> str:
    machine = report.machine
    rows = [
        ("measured", _plain(report.created)),
        (
            "machine",
            f"{_plain(machine['model'])}, kernel {_plain(machine['kernel'])}, "
            f"governor {_plain(machine['governor'] or 'unknown')}",
        ),
        ("commit", _plain((machine["commit"] or "unknown")[:12]) + (" with changes" if machine["modified"] else "")),
        ("memory", _plain(report.capped)),
        ("drift", f"{Number(report.drift_percent, 'drift_percent', '%').span()} of the machine's speed during the run"),
        ("throttling", _plain(machine["throttled"] or "not measured")),
        ("energy", _plain(machine["energy"])),
        ("versions", ", ".join(f"{_plain(name)} {_plain(text)}" for name, text in machine["versions"].items())),
    ]
    table = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    notes = ""
    if report.busy["forced"]:
        load = Number(report.busy["load"]["others_cores"], "busy.load.others_cores")
        steal = Number(report.busy["load"]["steal_cores"], "busy.load.steal_cores")
        notes += (
            f"<p class='note'>Measured with --force on a busy machine: others took {load.span()} cores, "
            f"other guests {steal.span()}. CPU times are inflated.</p>"
        )
    projection = report.projection
    if projection["ratios"]:
        low, high = Number(projection["low"], "projection.low"), Number(projection["high"], "projection.high")
        figures = ", ".join(
            f"{escape(name)} {Number(ratio, f'projection.ratios.{name}').span()}"
            for name, ratio in projection["ratios"].items()
        )
        notes += (
            f"<p class='note'>Times on the board are <b>{escape(projection['label'])}</b>: {low.span()} to "
            f"{high.span()} times those measured here, from {figures}.</p>"
        )
    return f"<div class='scroll'><table>{table}</table></div>{notes}"


def _gate(report: Report) -> str:
    rows = "".join(_row(row, f"gate.{index}") for index, row in enumerate(report.gate))
    head = "<tr><th>budget</th><th>found</th><th>verdict</th></tr>"
    return f"<div class='scroll'><table>{head}{rows}</table></div>"


def _row(row: Row, path: str) -> str:
    found = "not measured"
    if row.low is not None and row.high is not None:
        found = Number(row.low, f"{path}.low").span()
        if row.high != row.low:
            found += f" – {Number(row.high, f'{path}.high').span()}"
    verdict = row.verdict
    if row.over is not None:
        verdict += f" by {Number(row.over, f'{path}.over', row.unit).span()}"
    if row.stage is not None:
        verdict += f", stage {escape(row.stage)}"
    percentile = "max" if row.percentile == 100 else f"p{Number(row.percentile, f'{path}.percentile').span()}"
    limit = Number(row.limit, f"{path}.limit", row.unit).span()
    return (
        f"<tr><td>{_plain(row.metric)} {percentile}<div class='why'>{_plain(row.why)} ({escape(row.basis)})</div></td>"
        f"<td class='n'>{found}<div class='why'>limit {limit}</div></td>"
        f"<td class='{row.verdict.split()[0]}'>{verdict}</td></tr>"
    )


def _budget_bars(report: Report) -> str:
    rows = []
    for index, row in enumerate(report.gate):
        if row.high is not None:
            path = f"gate.{index}"
            value = Number(row.high, f"{path}.high", row.unit)
            label = f'<tspan data-json="text">{escape(row.metric)}</tspan>'
            rows.append((label, value, Number(row.limit, f"{path}.limit", row.unit), _VERDICTS[row.verdict]))
    return svg.bars(rows, "what was found, against each limit") if rows else ""


def _scenario(report: Report, index: int) -> str:
    result, path = report.results[index], f"results.{index}"
    title = f"<h2>{_plain(result.name)}</h2>"
    if result.status != "done":
        title += f"<p class='note'>{escape(result.status)} in stage {_plain(result.stage)}: {_plain(result.reason)}</p>"
    plots = _memory(report, result, path) + _latency(result, path) + _stages(result, path) + _operators(result, path)
    return f"{title}{_facts(result, path)}<div class='plots'>{plots}</div>{_measures(result, path)}"


def _facts(result: Result, path: str) -> str:
    """What was understood, and the student's planned memory."""
    said = []
    if "understood" in result.facts:
        right, heard = (Number(result.facts["understood"][at], f"{path}.facts.understood.{at}") for at in (0, 1))
        said.append(f"{right.span()} of {heard.span()} understood as they should be")
    if "arena_bytes" in result.facts:
        arena = Number(result.facts["arena_bytes"], f"{path}.facts.arena_bytes", "bytes")
        said.append(f"the student's planned arena is {arena.span()}")
    return f"<p>{'; '.join(said)}</p>" if said else ""


def _operators(result: Result, path: str) -> str:
    """Time of the student's operators, all calls together, the slowest first."""
    times = sorted(result.facts.get("operators", {}).items(), key=lambda item: -float(item[1][1]))[:_OPERATORS]
    rows = []
    for name, (calls, total_ms) in times:
        at = f"{path}.facts.operators.{name}"
        label = f"{_plain(name, 'tspan')} × {Number(calls, f'{at}.0').span('tspan')}"
        rows.append((label, Number(total_ms, f"{at}.1", "ms"), None, "#3b6ea5"))
    return f"<div><h3>Operators of the student</h3>{svg.bars(rows, 'operators')}</div>" if rows else ""


def _memory(report: Report, result: Result, path: str) -> str:
    if not result.rounds or not result.rounds[-1].timeline:
        return ""
    last = len(result.rounds) - 1
    timeline = result.rounds[last].timeline
    at = max(range(len(timeline)), key=lambda index: timeline[index][1])
    peak = Number(timeline[at][1], f"{path}.rounds.{last}.timeline.{at}.1", "MiB")
    cap = report.profile.board.memory_cap_mib
    limit = Number(cap, "profile.board.memory_cap_mib", "MiB") if cap else None
    return (
        f"<div><h3>Memory over time</h3>{svg.line([(t, rss) for t, rss, _ in timeline], peak, limit, 'memory')}</div>"
    )


def _latency(result: Result, path: str) -> str:
    name = next((name for name in ("first_audio_ms", "cpu_ms", "first_audio_cpu_ms") if name in result.measures), None)
    if name is None:
        return ""
    summary = result.measures[name]
    values = [value for done in result.rounds for value in done.samples.get(name, [])]
    middle = Number(summary.median, f"{path}.measures.{name}.median", summary.unit)
    high = Number(summary.p95, f"{path}.measures.{name}.p95", summary.unit)
    plot = svg.histogram(values, middle, high, name)
    return f"<div><h3>{_plain(name)}</h3>{plot}</div>" if plot else ""


def _stages(result: Result, path: str) -> str:
    if not result.stages:
        return ""
    rows = []
    for stage, summary in result.stages.items():
        cpu = Number(summary.median, f"{path}.stages.{stage}.median", "ms")
        wall = Number(result.walls[stage].median, f"{path}.walls.{stage}.median", "ms").span("tspan")
        rows.append((f"{escape(stage)} {cpu.span('tspan')}, wall {wall}", cpu))
    return f"<div><h3>CPU time of the stages (median)</h3>{svg.waterfall(rows, 'stages')}</div>"


def _measures(result: Result, path: str) -> str:
    rows = []
    for name, s in result.measures.items():
        at = f"{path}.measures.{name}"
        interval = (
            f"{Number(s.median_low, f'{at}.median_low').span()} – {Number(s.median_high, f'{at}.median_high').span()}"
        )
        cells = [f"{Number(s.median, f'{at}.median', s.unit).span()}<div class='why'>{interval}</div>"]
        cells += [Number(getattr(s, name), f"{at}.{name}").span() for name in ("p95", "p99", "n")]
        rows.append(f"<tr><td>{_plain(name)}</td>" + "".join(f"<td class='n'>{cell}</td>" for cell in cells) + "</tr>")
    if not rows:
        return ""
    names = (
        "measure",
        "median and interval",
        "<span data-json='text'>p95</span>",
        "<span data-json='text'>p99</span>",
        "n",
    )
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<div class='scroll'><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def _peers(report: Report) -> str:
    keys = list(dict.fromkeys(key for peer in report.peers for key in peer))
    head = "".join(f"<th>{_plain(key)}</th>" for key in keys)
    rows = ""
    for index, peer in enumerate(report.peers):
        cells = "".join(f"<td>{_cell(peer.get(key, ''), f'peers.{index}.{key}')}</td>" for key in keys)
        rows += f"<tr>{cells}</tr>"
    return f"<h2>Peers</h2><div class='scroll'><table><tr>{head}</tr>{rows}</table></div>"


def _cell(value: Any, path: str) -> str:
    return Number(value, path).span() if isinstance(value, int | float) else _plain(value)
