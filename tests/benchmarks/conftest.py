"""Boards and runs for the tests of the harness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.report import Report
from benchmarks.run import run

BOARD = """
name = "test-board"
[board]
title = "Test board 1"
soc = "x"
core = "x"
cores = 1
clock_mhz = 1
ram_mib = 512
{cap}
"""


@pytest.fixture(scope="module")
def run_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Report]]:
    """Runs one scenario of ``samples.py`` (or the workloads') on a board with ``cap`` and ``budgets``."""
    folder = tmp_path_factory.mktemp("board")

    def start(
        name: str,
        work: str,
        parameters: dict[str, Any],
        budgets: dict[str, float] | None = None,
        cap: int | None = None,
        bundle: str | None = None,
        rounds: int = 1,
    ) -> Report:
        text = BOARD.format(cap=f"memory_cap_mib = {cap}" if cap else "")
        for metric, limit in (budgets or {}).items():
            text += f'[[budgets]]\nmetric = "{metric}"\npercentile = 100\nlimit = {limit}\nunit = "MiB"\nwhy = "test"\n'
        profile = folder / "board.toml"
        profile.write_text(text)
        table = ", ".join(f"{key} = {_toml(value)}" for key, value in parameters.items())
        scenarios = folder / "scenarios.toml"
        scenarios.write_text(
            f'[[scenarios]]\nname = "{name}"\nwork = "{work}"\nrounds = {rounds}\nparameters = {{ {table} }}\n'
        )
        return run(str(profile), scenarios, (), force=True, bundle=bundle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        yield start


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)
