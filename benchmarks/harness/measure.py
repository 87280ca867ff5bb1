"""Runs the scenarios' processes in turn and sums up what they reported."""

from __future__ import annotations

import compileall
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.harness.process import Ended, run_process
from benchmarks.harness.reference import Reference, drift_percent
from benchmarks.harness.scenarios import Scenario
from benchmarks.report.intervals import Summary, summarize
from benchmarks.report.report import Result

_CHECKOUT = Path(__file__).parents[2]


def measure(
    scenarios: tuple[Scenario, ...],
    task: dict[str, Any],
    cap_mib: int | None,
    cores: int,
    check: Callable[[], None] = lambda: None,
) -> tuple[list[Result], float]:
    """Results of the scenarios, and by how many percent the machine's speed drifted during the run.

    The processes of all scenarios take turns, so that each scenario meets the quicker and the slower moments of the
    machine; between them fixed reference work says how quick it is. A scenario whose process is killed or fails ends.

    Args:
        scenarios: what to run.
        task: profile, bundle, clips and sentences, as ``benchmarks.harness.child`` takes them.
        cap_mib: memory that a process may use; None for no cap.
        cores: how many cores it may use; 0 for all.
        check: called after each process; may raise to stop.
    """
    # Measured processes find our code compiled, as it is where a wheel was installed.
    for package in ("edge", "benchmarks"):
        compileall.compile_dir(_CHECKOUT / package, quiet=2)
    reference = Reference()
    ended: dict[str, list[Ended]] = defaultdict(list)
    took_s: dict[str, float] = {}
    order, before = in_turn(scenarios), reference.measure()
    for at, scenario in enumerate(order):
        if ended[scenario.name] and ended[scenario.name][-1].code != 0:
            continue
        _progress(scenario, order[at:], len(order), took_s)
        start = time.monotonic()
        done = run_process(task | {"work": scenario.work, "parameters": scenario.parameters}, cap_mib, cores)
        took_s[scenario.name] = time.monotonic() - start
        after = reference.measure()
        times = {kind: [ms, after[kind]] for kind, ms in before.items()}
        ended[scenario.name].append(done._replace(round=msgspec.structs.replace(done.round, reference_ms=times)))
        before = after
        check()
    drift = drift_percent(done.round for all_of_it in ended.values() for done in all_of_it)
    return [_result(scenario, ended[scenario.name], cap_mib, drift) for scenario in scenarios], drift


def in_turn(scenarios: tuple[Scenario, ...]) -> list[Scenario]:
    """A scenario per process, those of each spread evenly over the run."""
    places = [((turn + 0.5) / scenario.rounds, scenario) for scenario in scenarios for turn in range(scenario.rounds)]
    return [scenario for _, scenario in sorted(places, key=lambda place: place[0])]


def _progress(scenario: Scenario, left: list[Scenario], count: int, took_s: dict[str, float]) -> None:
    known = [took_s[other.name] for other in left if other.name in took_s]
    eta = f", {sum(known) * len(left) / len(known):.0f} s left" if known else ""
    sys.stderr.write(f"edge-bench: {count - len(left) + 1} of {count}: {scenario.name}{eta}\n")


def _result(scenario: Scenario, ended: list[Ended], cap_mib: int | None, drift: float) -> Result:
    rounds = [done.round for done in ended]
    units = {name: unit for done in ended for name, unit in done.units.items()}
    facts = {name: fact for done in ended for name, fact in done.facts.items()}
    last = ended[-1]
    if last.code != 0:
        killed = last.code == -signal.SIGKILL
        reason = f"killed: it did not fit into {cap_mib} MiB" if killed and cap_mib else facts.get("error")
        status = "killed" if killed else "failed"
        reason = reason or f"ended with {last.code}"
        return Result(scenario.name, status, last.stage, reason, units, {}, {}, {}, facts, rounds)

    def summary(name: str, values: list[list[float]]) -> Summary:
        timed = units[name] == "ms" or name in scenario.projected
        return summarize(values, units[name], drift if timed else 0.0)

    measures = {name: summary(name, [done.samples[name] for done in rounds if name in done.samples]) for name in units}
    for name in dict.fromkeys(name for done in rounds for name in done.used):
        units.setdefault(name, _unit(name))
        if name not in measures:
            measures[name] = summary(name, [[done.used[name]] for done in rounds if name in done.used])
    spans = dict.fromkeys(name for done in rounds for name in done.stages)
    stages, walls = (
        {
            name: summarize([done.stages[name][key] for done in rounds if name in done.stages], "ms", drift)
            for name in spans
        }
        for key in ("cpu_ms", "wall_ms")
    )
    return Result(scenario.name, "done", None, None, units, measures, stages, walls, facts, rounds)


def _unit(name: str) -> str:
    suffixes = {"_mib": "MiB", "_ms": "ms", "_faults": "1", "_uj": "µJ"}
    return next((unit for suffix, unit in suffixes.items() if name.endswith(suffix)), "1")
