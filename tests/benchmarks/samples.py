"""Work for the harness with known costs."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.harness.child import Probe
from benchmarks.harness.workloads import typed_turns


def allocate(probe: Probe) -> None:
    """A block of known size, all of its pages touched."""
    with probe.stage("allocate"):
        block = bytearray(b"x") * (probe.parameters["mib"] << 20)
    probe.fact("bytes", len(block))


def start_program(probe: Probe) -> None:
    """Another program with a buffer of known size."""
    subprocess.run(["dd", "if=/dev/zero", "of=/dev/null", f"bs={probe.parameters['mib']}M", "count=20"], check=True)


def spin(probe: Probe) -> None:
    """Three stages of known work."""
    data = bytes(4096)
    for number in range(probe.parameters["repetitions"]):
        item = str(number % 4)
        total = 0.0
        for stage, amount in probe.parameters["amounts"].items():

            def work(amount: int = amount) -> None:
                for _ in range(amount):
                    zlib.crc32(data)

            total += probe.timed(work, item, f"{stage}_ms", stage)
        probe.sample("cpu_ms", total, "ms", item)


def leak(probe: Probe) -> None:
    """Real turns; with ``leak_kib`` the parser keeps that much of each."""
    from dataclasses import replace

    from edge import compose
    from edge.types import Parse, Transcript

    mind = compose.mind(probe.profile, "en")
    parser, kept, size = mind.parser, [], probe.parameters["leak_kib"] << 10

    class Leaking:
        def parse(self, transcript: Transcript) -> Parse:
            kept.append(bytearray(b"x") * size)
            return parser.parse(transcript)

    typed_turns(probe, replace(mind, parser=Leaking()))
