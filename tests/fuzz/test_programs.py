"""Programs, lexica and grammars with changed bytes and true hashes: none that passes its probe ends the assistant.

``EDGE_FUZZ_PROGRAMS`` says how many, ``EDGE_FUZZ_SEED`` from which on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.bundle.format import open_bundle
from tests.command import CHECKOUT, edge
from tests.fuzz.programs import mutated

COUNT, FIRST = int(os.environ.get("EDGE_FUZZ_PROGRAMS", "40")), int(os.environ.get("EDGE_FUZZ_SEED", "0"))
SAID = "turn on the kitchen light\nhow warm is it\n" + "lamp " * 80 + "\n"


@pytest.mark.timeout(0)
def test_no_program_that_passes_ends_the_assistant() -> None:
    command = [sys.executable, "-m", "tests.fuzz.programs", str(COUNT), str(FIRST)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["programs"] == COUNT
    assert 0 < last["passed"] < COUNT, "mutate more, or less"


@pytest.mark.parametrize("seed", range(3))
def test_the_command_line_survives_them(tmp_path: Path, seed: int) -> None:
    folder = mutated(open_bundle("home"), tmp_path / "bundle", seed)
    done = edge("parse", "--bundle", folder, "--allow-unsigned", "--lang", "en", "-", text=SAID)
    refused = done.returncode == 2 and "failed its probe" in done.stderr and done.stderr.count("\n") == 1
    assert refused or (done.returncode == 0 and done.stdout.count("\n") == 3)
