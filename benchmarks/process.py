"""Runs a scenario's work in fresh processes, under the board's memory cap and on its cores."""

from __future__ import annotations

import compileall
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.child import STAGE_BYTES
from benchmarks.machine import energy_uj
from benchmarks.report import Result, Round
from benchmarks.scenarios import Scenario
from benchmarks.statistics import summarize
from edge.memory import make_group

_POLL_S = 0.05
_POINTS = 300
_PEAKS = ("memory.peak", "memory.max_usage_in_bytes")
_CHECKOUT = Path(__file__).parents[1]


def measure(
    scenario: Scenario,
    profile_path: str,
    bundle: str,
    cap_mib: int | None,
    cores: int,
    clips: dict[str, str],
    sentences: dict[str, tuple[str, str]],
) -> Result:
    """Run every round; one that was killed or failed ends the scenario.

    Args:
        scenario: what to run.
        profile_path: JSON file of the board's profile.
        bundle: the bundle's name or path.
        cap_mib: memory that the process may use; None for no cap.
        cores: how many cores it may use; 0 for all.
        clips: recordings by name.
        sentences: a sentence per language, with its intent.
    """
    # Measured processes find our code compiled, as it is where a wheel was installed.
    for package in ("edge", "benchmarks"):
        compileall.compile_dir(_CHECKOUT / package, quiet=2)
    rounds: list[Round] = []
    units: dict[str, str] = {}
    facts: dict[str, Any] = {}
    task = {"work": scenario.work, "parameters": scenario.parameters, "profile": profile_path, "bundle": bundle}
    task |= {"clips": clips, "sentences": sentences}
    for _ in range(scenario.rounds):
        done, code, stage = _run(task, cap_mib, cores, units, facts)
        if code == 0:
            rounds.append(done)
            continue
        killed = code == -signal.SIGKILL
        reason = f"killed: it did not fit into {cap_mib} MiB" if killed and cap_mib else facts.get("error")
        reason = reason or f"ended with {code}"
        status = "killed" if killed else "failed"
        return Result(scenario.name, status, stage, reason, units, {}, {}, {}, facts, [*rounds, done])
    used = dict.fromkeys(name for done in rounds for name in done.used)
    used_units = {name: _unit(name) for name in used}
    names = {name: units[name] for done in rounds for name in done.samples}
    measures = {name: summarize([done.samples[name] for done in rounds], unit) for name, unit in names.items()}
    for name, unit in used_units.items():
        if name not in measures:
            measures[name] = summarize([[done.used[name]] for done in rounds], unit)
    spans = dict.fromkeys(name for done in rounds for name in done.stages)
    stages, walls = (
        {name: summarize([done.stages[name][key] for done in rounds if name in done.stages], "ms") for name in spans}
        for key in ("cpu_ms", "wall_ms")
    )
    return Result(scenario.name, "done", None, None, units | used_units, measures, stages, walls, facts, rounds)


def _unit(name: str) -> str:
    suffixes = {"_mib": "MiB", "_ms": "ms", "_faults": "1", "_uj": "µJ"}
    return next((unit for suffix, unit in suffixes.items() if name.endswith(suffix)), "1")


def _run(
    task: dict[str, Any], cap_mib: int | None, cores: int, units: dict[str, str], facts: dict[str, Any]
) -> tuple[Round, int, str | None]:
    group = make_group(cap_mib) if cap_mib else None
    with tempfile.TemporaryFile() as stages, tempfile.TemporaryFile("w+") as events:
        stages.write(bytes(STAGE_BYTES))
        stages.flush()
        task = task | {"events_fd": events.fileno(), "stage_fd": stages.fileno(), "start_ns": time.monotonic_ns()}
        allowed = sorted(os.sched_getaffinity(0))[: cores or None]

        def enter() -> None:
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))
            os.sched_setaffinity(0, allowed)

        energy = energy_uj()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", json.dumps(task)],
            pass_fds=(events.fileno(), stages.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=enter,
        )
        timeline = _watch(process, stages.fileno())
        stage = os.pread(stages.fileno(), STAGE_BYTES, 0).rstrip(b"\0").decode() or None
        events.seek(0)
        done = _collect(events.read().splitlines(), timeline, units, facts)
    used = done.used
    if group is not None:
        peak = next((int((group / name).read_text()) for name in _PEAKS if (group / name).exists()), None)
        if peak is not None:
            used["cgroup_peak_mib"] = peak / 2**20
        group.rmdir()
    after = energy_uj()
    if energy is not None and after is not None and after >= energy:
        used["energy_uj"] = float(after - energy)
    return done, process.returncode, stage


def _watch(process: subprocess.Popen[bytes], stage_fd: int) -> list[tuple[float, float, str]]:
    """Memory and stage over time: ms, MiB, name; thinned to what a plot shows."""
    start, points = time.monotonic(), []
    statm, page_mib = Path(f"/proc/{process.pid}/statm"), os.sysconf("SC_PAGE_SIZE") / 2**20
    while process.poll() is None:
        try:
            rss = int(statm.read_bytes().split()[1]) * page_mib
        except (OSError, IndexError):
            break
        stage = os.pread(stage_fd, STAGE_BYTES, 0).rstrip(b"\0").decode()
        points.append((round(1000 * (time.monotonic() - start), 1), round(rss, 2), stage))
        time.sleep(_POLL_S)
    process.wait()
    width = max(1, -(-len(points) // _POINTS))
    return [max(points[at : at + width], key=lambda point: point[1]) for at in range(0, len(points), width)]


def _collect(
    lines: list[str], timeline: list[tuple[float, float, str]], units: dict[str, str], facts: dict[str, Any]
) -> Round:
    samples: dict[str, list[float]] = defaultdict(list)
    items: dict[str, list[str]] = defaultdict(list)
    stages: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    used: dict[str, float] = {}
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:  # cut off by a kill
            continue
        kind = event.pop("event")
        if kind == "sample":
            samples[event["measure"]].append(round(event["value"], 6))
            items[event["measure"]].append(event["item"])
            units[event["measure"]] = event["unit"]
        elif kind == "span":
            for key in ("item", "cpu_ms", "wall_ms", "rss_mib"):
                value = event[key]
                stages[event["stage"]][key].append(value if key == "item" else round(value, 6))
        elif kind == "fact":
            facts[event["name"]] = event["value"]
        else:
            used = event
    return Round(dict(samples), dict(items), {k: dict(v) for k, v in stages.items()}, used, timeline)
