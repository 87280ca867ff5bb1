"""Whatever comes in, out comes a result or an `EdgeError` of one line, within a second of CPU time.

In CI each target gets 40 examples, always the same. ``make fuzz`` gives each its share of an hour, always new ones.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from edge.errors import EdgeError
from tests.fuzz.targets import Target, targets

SECONDS = float(os.environ.get("EDGE_FUZZ_SECONDS", "0"))
LONGEST_S = 1.0
PHASES = (Phase.generate, Phase.target)  # making a slow example smaller takes many slow attempts
NAMES = sorted(targets())


def attempt(target: Target, value: Any) -> None:
    """Hand a value to a target, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="edge-fuzz-") as folder:
        start = time.process_time()
        try:
            target.read(value, Path(folder))
        except (EdgeError, *target.refusals) as error:
            assert "\n" not in str(error)
            assert str(error)
        taken_s = time.process_time() - start
        assert taken_s < LONGEST_S, f"took {taken_s:.1f} s"


@pytest.mark.timeout(int(SECONDS) + 300)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # that an example is long
@pytest.mark.parametrize("name", NAMES)
def test_input_ends_in_a_result_or_in_one_line(name: str) -> None:
    target = targets()[name]
    options = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "phases": PHASES}

    @settings(max_examples=40, derandomize=True, **options)
    @given(target.strategy)
    def known(value: Any) -> None:
        attempt(target, value)

    for warm in ("warm up", b"warm up"):  # loading what every attempt needs is no attempt's time
        try:
            target.read(warm, Path(tempfile.mkdtemp()))
        except Exception:
            continue
    known()
    until_s, round_ = time.monotonic() + SECONDS, int(time.time())
    while time.monotonic() < until_s:
        round_ += 1

        @seed(round_)
        @settings(max_examples=300, **options)
        @given(target.strategy)
        def unknown(value: Any) -> None:
            attempt(target, value)

        unknown()
