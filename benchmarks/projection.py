"""From times here to times on the board: always an interval, between work that computes and work that copies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edge.config import Profile, Rates

_REPETITIONS = 5
_SIZE = 512
_COPY_BYTES = 64 * 2**20


def calibrate() -> Rates:
    """Rates of one core of this machine; each kernel's best of five, by CPU time."""
    rng = np.random.default_rng(0)
    single = rng.standard_normal((_SIZE, _SIZE)).astype(np.float32)
    double, source = single.astype(np.float64), np.ones(_COPY_BYTES, np.uint8)
    target = np.empty_like(source)
    operations = 2 * _SIZE**3 / 1e9
    return Rates(
        seven_zip_mips=_seven_zip(),
        memcpy_mb_s=round(_COPY_BYTES / 1e6 / _best(lambda: np.copyto(target, source)), 1),
        dgemm_gflops=round(operations / _best(lambda: double @ double), 3),
        sgemm_gflops=round(operations / _best(lambda: single @ single), 3),
        python_mops=round(0.5 / _best(_count), 3),
        machine=_machine(),
    )


def _count() -> None:
    total = 0
    for number in range(500_000):
        total += number & 7


def _best(work: Callable[[], object]) -> float:
    """Seconds of the quickest run; CPU time, which for kernels on several threads is that of one."""
    work()
    times = []
    for _ in range(_REPETITIONS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return max(min(times), 1e-9)


def _seven_zip() -> float | None:
    """Rating of ``7z b -mmt1``, corrected for the share of the processor that it got."""
    program = next((path for name in ("7z", "7zr", "7zz", "7za") if (path := shutil.which(name))), None)
    if program is None:
        return None
    try:
        command = [program, "b", "1", "-mmt1", "-md22"]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    except (OSError, subprocess.SubprocessError):
        return None
    total = re.search(r"^Tot:\s+\d+\s+(\d+)\s+\d+", output.stdout, re.MULTILINE)
    # The third number is the rating per full use of a core.
    return float(total[1]) if total else None


def _machine() -> str:
    return f"{os.uname().machine}, {np.__version__}"


def project(here: Rates, profile: Profile) -> dict[str, Any]:
    """How many times longer the board's core takes, from the least to the most of the figures that both have.

    Figures that ``edge-bench calibrate`` measured on a board replace the published ones. The least and the most bound
    work that only computes, only copies, or is a mixture of them.
    """
    there = profile.board.rates
    names = ("seven_zip_mips", "memcpy_mb_s", "dgemm_gflops", "sgemm_gflops", "python_mops")
    ratios = {
        name: round(getattr(here, name) / getattr(there, name), 3)
        for name in names
        if getattr(here, name) is not None and getattr(there, name) is not None
    }
    label = "measured on such a board" if there.machine else "projected"
    if not ratios:
        return {"label": "as measured here", "ratios": {}, "low": 1.0, "high": 1.0}
    return {
        "label": label,
        "ratios": ratios,
        "low": min(ratios.values()),
        "high": max(ratios.values()),
        "sources": list(there.sources),
    }
