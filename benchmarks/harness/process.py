"""Runs a scenario's work in a fresh process, under the board's memory cap and on its cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness.child import STAGE_BYTES
from benchmarks.harness.machine import energy_uj
from benchmarks.report.report import Round
from edge.board.memory import make_group, peak_rss_mib

_POLL_S = 0.005
_POINTS = 300
_PEAKS = ("memory.peak", "memory.max_usage_in_bytes")


class Ended(NamedTuple):
    """A process that ended: what it reported, its exit code, and the stage under way when it did."""

    round: Round
    code: int
    stage: str | None
    units: dict[str, str]
    facts: dict[str, Any]


def run_process(task: dict[str, Any], cap_mib: int | None, cores: int) -> Ended:
    """Do a scenario's work once and wait for its end.

    Args:
        task: what ``benchmarks.harness.child`` is to do: work, parameters, profile, bundle, clips and sentences.
        cap_mib: memory that the process may use; None for no cap.
        cores: how many cores it may use; 0 for all.
    """
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
            [sys.executable, "-m", "benchmarks.harness.child", json.dumps(task)],
            pass_fds=(events.fileno(), stages.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=enter,
        )
        timeline, programs_mib = _watch(process, stages.fileno())
        stage = os.pread(stages.fileno(), STAGE_BYTES, 0).rstrip(b"\0").decode() or None
        events.seek(0)
        ended = _collect(events.read().splitlines(), timeline, process.returncode, stage)
    used = ended.round.used
    if "peak_rss_mib" in used:
        used |= {"programs_mib": programs_mib, "peak_rss_mib": used["peak_rss_mib"] + programs_mib}
    if group is not None:
        peak = next((int((group / name).read_text()) for name in _PEAKS if (group / name).exists()), None)
        if peak is not None:
            used["cgroup_peak_mib"] = peak / 2**20
        group.rmdir()
    after = energy_uj()
    if energy is not None and after is not None and after >= energy:
        used["energy_uj"] = float(after - energy)
    return ended


def _watch(process: subprocess.Popen[bytes], stage_fd: int) -> tuple[list[tuple[float, float, str]], float]:
    """Memory and stage over time (ms, MiB, name; thinned to what a plot shows), and the peak of programs it started."""
    start, points, programs_mib = time.monotonic(), [], 0.0
    proc = Path("/proc") / str(process.pid)
    page_mib, program = os.sysconf("SC_PAGE_SIZE") / 2**20, os.readlink(proc / "exe")
    while process.poll() is None:
        try:
            rss = int((proc / "statm").read_bytes().split()[1]) * page_mib
            children = (proc / "task" / proc.name / "children").read_text().split()
        except (OSError, IndexError):
            break
        programs_mib = max(programs_mib, sum(_program_mib(child, program) for child in children))
        stage = os.pread(stage_fd, STAGE_BYTES, 0).rstrip(b"\0").decode()
        points.append((round(1000 * (time.monotonic() - start), 1), round(rss, 2), stage))
        time.sleep(_POLL_S)
    process.wait()
    width = max(1, -(-len(points) // _POINTS))
    return [
        max(points[at : at + width], key=lambda point: point[1]) for at in range(0, len(points), width)
    ], programs_mib


def _program_mib(child: str, parent: str) -> float:
    """Peak of a child that is another program (one that is not yet still has its parent's memory); 0 if it ended."""
    try:
        return peak_rss_mib(child) if os.readlink(f"/proc/{child}/exe") != parent else 0.0
    except OSError:
        return 0.0


def _collect(lines: list[str], timeline: list[tuple[float, float, str]], code: int, stage: str | None) -> Ended:
    units: dict[str, str] = {}
    facts: dict[str, Any] = {}
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
    done = Round(dict(samples), dict(items), {k: dict(v) for k, v in stages.items()}, used, timeline)
    return Ended(done, code, stage, units, facts)
