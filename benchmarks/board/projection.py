"""From times here to times on the board: always an interval, between work that computes and work that copies."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from edge.config import Profile, Rates
from edge.errors import BundleError

_REPETITIONS = 5
_SIZE = 512
_COPY_BYTES = 64 * 2**20
_LZMA_BYTES = 2**21
_TOKENS = 12
# 7-Zip's single-thread rating per MB/s of _compress: 2,000 to 2,040 on an AMD EPYC core with p7zip 16.02.
_MIPS_PER_LZMA_MB_S = 2020
_FIGURES = (
    "seven_zip_mips", "lzma_mb_s", "memcpy_mb_s", "dgemm_gflops", "sgemm_gflops", "student_runs_s", "python_mops",
)  # fmt: skip


def calibrate() -> Rates:
    """Rates of one core of this machine; each kernel's best of five, by CPU time."""
    rng = np.random.default_rng(0)
    single = rng.standard_normal((_SIZE, _SIZE)).astype(np.float32)
    double, source = single.astype(np.float64), np.ones(_COPY_BYTES, np.uint8)
    target = np.empty_like(source)
    text, student = _text(), _student()
    operations = 2 * _SIZE**3 / 1e9
    return Rates(
        seven_zip_mips=_seven_zip(),
        memcpy_mb_s=round(_COPY_BYTES / 1e6 / _best(lambda: np.copyto(target, source)), 1),
        dgemm_gflops=round(operations / _best(lambda: double @ double), 3),
        sgemm_gflops=round(operations / _best(lambda: single @ single), 3),
        lzma_mb_s=round(_LZMA_BYTES / 1e6 / _best(lambda: _compress(text)), 3),
        student_runs_s=round(1 / _best(student), 1),
        python_mops=round(0.5 / _best(_count), 3),
        machine=_machine(),
    )


def _text() -> bytes:
    """Words drawn by Zipf's law: compresses about as 7-Zip's own test data do, to a quarter."""
    rng = np.random.default_rng(0)
    words = [bytes(rng.integers(97, 123, size).astype(np.uint8)) + b" " for size in rng.integers(2, 10, 4000)]
    weights = 1 / np.arange(1, 4001)
    chosen = rng.choice(4000, _LZMA_BYTES // 4, p=weights / weights.sum())
    return b"".join(words[index] for index in chosen)[:_LZMA_BYTES]


def _compress(text: bytes) -> bytes:
    settings = [{"id": lzma.FILTER_LZMA2, "preset": 5, "dict_size": 1 << 22}]
    return lzma.compress(text, format=lzma.FORMAT_RAW, filters=settings)


def _student() -> Callable[[], object]:
    """A run of the shipped student: int8 matrix products as the device does them."""
    from edge.bundle.format import open_bundle
    from edge.nlu.program import Program

    bundle = open_bundle("home")
    spec = bundle.manifest.student
    if spec is None:
        raise BundleError("the bundle home has no student; install a bundle and a program of one release")
    program = Program(bundle.path(spec.program), id_limits=(spec.buckets, None))
    inputs = [np.zeros((1, _TOKENS, *item.shape[2:]), item.dtype) for item in program.inputs]
    return lambda: program.run(*inputs)


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

    Figures that ``edge-bench calibrate`` measured on a board replace the published ones. Where 7-Zip is not installed
    here, or rates itself higher than liblzma suggests, which runs the same algorithm (on a busy machine its rating
    jumps), its rating is estimated from liblzma. The least and the most bound work that only computes, only
    copies, or is a mixture of them.
    """
    there = profile.board.rates
    estimate = here.lzma_mb_s * _MIPS_PER_LZMA_MB_S if here.lzma_mb_s is not None and there.lzma_mb_s is None else None
    estimated = estimate is not None and estimate < (here.seven_zip_mips or float("inf"))
    if estimated:
        here = msgspec.structs.replace(here, seven_zip_mips=estimate)
    ratios = {
        name: round(getattr(here, name) / getattr(there, name), 3)
        for name in _FIGURES
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
        "estimated": ["seven_zip_mips"] if estimated and "seven_zip_mips" in ratios else [],
        "sources": list(there.sources),
    }
