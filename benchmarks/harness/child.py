"""The measured process: ``python -m benchmarks.harness.child TASK`` does one scenario's work and reports as it goes.

It imports only what the work needs and keeps no sample: each goes to the harness at once, through a pipe, so that the
memory measured is the assistant's. The stage under way stands in a small shared file, which outlives a kill.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import mmap
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from edge.board.memory import peak_rss_mib, pss_mib, rss_mib
from edge.board.trace import cpu_time_ns

if TYPE_CHECKING:
    from edge.config import Profile

STAGE_BYTES = 64


class Probe:
    """What a scenario's work is given: its parameters, and where its measurements go."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.profile_path: str = task["profile"]
        self.parameters: dict[str, Any] = task["parameters"]
        self.bundle: str = task["bundle"]
        self.clips: dict[str, str] = task["clips"]
        self.sentences: dict[str, tuple[str, str]] = task["sentences"]
        self._events = os.fdopen(task["events_fd"], "w", encoding="utf-8", buffering=1)
        self._stage = mmap.mmap(task["stage_fd"], STAGE_BYTES)

    @property
    def profile(self) -> Profile:
        """The board's profile."""
        import msgspec

        from edge.config import Profile

        with open(self.profile_path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Profile)

    def mark(self, stage: str) -> None:
        """Say which stage runs from now on."""
        self._stage[:] = stage.encode()[:STAGE_BYTES].ljust(STAGE_BYTES, b"\0")

    @contextlib.contextmanager
    def stage(self, name: str, item: str = "") -> Iterator[None]:
        """Measure the block as a stage."""
        self.mark(name)
        wall, cpu = time.monotonic_ns(), cpu_time_ns()
        yield
        cpu, wall = cpu_time_ns() - cpu, time.monotonic_ns() - wall
        self.span(name, cpu / 1e6, wall / 1e6, rss_mib(), item)

    def span(self, stage: str, cpu_ms: float, wall_ms: float, rss: float, item: str = "") -> None:
        """A stage that was measured elsewhere."""
        self._send(event="span", stage=stage, item=item, cpu_ms=cpu_ms, wall_ms=wall_ms, rss_mib=rss)

    def sample(self, measure: str, value: float, unit: str, item: str = "") -> None:
        """One measurement; those of the same ``item`` are compared between runs."""
        self._send(event="sample", measure=measure, value=value, unit=unit, item=item)

    def timed(self, work: Callable[[], object], item: str, measure: str = "cpu_ms", stage: str | None = None) -> float:
        """Run ``work``; its CPU ms is a sample of ``measure`` and, with ``stage``, a span."""
        self.mark(stage or measure)
        wall, cpu = time.monotonic_ns(), cpu_time_ns()
        work()
        cpu_ms, wall_ms = (cpu_time_ns() - cpu) / 1e6, (time.monotonic_ns() - wall) / 1e6
        self.sample(measure, cpu_ms, "ms", item)
        if stage is not None:
            self.span(stage, cpu_ms, wall_ms, rss_mib(), item)
        return cpu_ms

    def fact(self, name: str, value: object) -> None:
        """Something to record beside the samples."""
        self._send(event="fact", name=name, value=value)

    def _send(self, **event: object) -> None:
        self._events.write(json.dumps(event) + "\n")

    def finish(self, start_ns: int) -> None:
        """What the process used from its start."""
        cpu_ns, wall_ns = cpu_time_ns(), time.monotonic_ns() - start_ns
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._send(
            event="end",
            cpu_ms=cpu_ns / 1e6,
            wall_ms=wall_ns / 1e6,
            peak_rss_mib=peak_rss_mib(),
            pss_mib=pss_mib(),
            minor_faults=usage.ru_minflt,
            major_faults=usage.ru_majflt,
            switched_out=usage.ru_nivcsw,
        )


def live_mib() -> float:
    """Resident memory after free memory went back to the system: what an allocator keeps does not count as a leak."""
    import ctypes
    import gc

    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)
    return rss_mib()


def main(argv: list[str]) -> int:
    """Do the task that the JSON argument describes."""
    task = json.loads(argv[1])
    probe = Probe(task)
    module, _, function = task["work"].partition(":")
    probe.mark("load")
    try:
        getattr(importlib.import_module(module), function)(probe)
    except Exception as error:
        probe.fact("error", f"{type(error).__name__}: {' '.join(str(error).split())}")
        return 1
    probe.finish(task["start_ns"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
