"""Probes programs with changed bytes, and uses those that pass: ``python -m tests.fuzz.programs COUNT [FIRST]``.

Each probe and each use is a process forked from this one, which has everything loaded: that is ten times as fast as
starting them. Writes how they ended as JSON; a line is a hundred programs.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from edge import compose
from edge.bundle.format import MANIFEST, Bundle, open_bundle, open_path, sha256
from edge.bundle.manifest import FileEntry
from edge.commands import probe
from edge.errors import EdgeError
from edge.nlu.student import StudentParser
from edge.types import Transcript

_STRUCTURE_BYTES = 8192
_WORDS = (
    "turn",
    "on",
    "off",
    "the",
    "kitchen",
    "light",
    "lamp",
    "bedroom",
    "fifty",
    "percent",
    "how",
    "it",
    "20",
    "zzz",
)
_REFUSED = 7


def mutated(home: Bundle, folder: Path, seed: int) -> Path:
    """The home bundle in English as a folder, with bytes of its program changed, mostly where its structure is."""
    student = home.manifest.student
    if student is None:
        raise ValueError("the home bundle has a student")
    rng, program = random.Random(seed), bytearray(home.read(student.program))
    for _ in range(rng.choice((1, 2, 8, 64))):
        span = rng.choice((_STRUCTURE_BYTES, len(program) // 8, len(program) - 40))
        at = 40 + rng.randrange(span) if rng.random() < 0.5 else len(program) - 1 - rng.randrange(span)
        program[at] = rng.randrange(256) if rng.random() < 0.5 else program[at] ^ 1 << rng.randrange(8)
    contents = {student.program: bytes(program), "lexicon/en.json": home.read("lexicon/en.json")}
    files = {name: FileEntry(sha256(data).hexdigest(), len(data)) for name, data in contents.items()}
    manifest = msgspec.structs.replace(home.manifest, hearing={}, languages=("en",), files=files)
    for name, data in {**contents, MANIFEST: msgspec.json.encode(manifest)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def ended(work: Callable[[], None]) -> int:
    """How a forked process that does ``work`` ends: 0, ``_REFUSED``, or minus the signal."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 2)
            work()
        except Exception:
            code = _REFUSED
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def try_out(folder: Path) -> None:
    """What the child process of a probe does."""
    probe._bound()
    probe.try_out(open_path(folder))


def use(folder: Path, seed: int) -> None:
    """What the assistant does with the bundle, on other texts than the probe's; its own errors are no harm."""
    rng = random.Random(seed)
    try:
        parser = StudentParser(open_path(folder), compose.home(None), "en")
        for _ in range(100):
            parser.parse(Transcript(" ".join(rng.choice(_WORDS) for _ in range(rng.randint(1, 70)))))
    except EdgeError:
        pass


def main() -> int:
    """Probe and use; 1 where a program passed its probe and ended or broke the assistant."""
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    home, ends, harm = open_bundle("home"), Counter[str](), []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(first, first + count):
            folder = mutated(home, Path(scratch), seed)
            code = ended(partial(try_out, folder))
            if code == 0:
                ends["passed"] += 1
                used = ended(partial(use, folder, seed))
                if used != 0:
                    harm.append([seed, used])
            else:
                ends[f"ended by {signal.Signals(-code).name}" if code < 0 else "refused"] += 1
            if (seed + 1 - first) % 100 == 0 or seed + 1 == first + count:
                print(json.dumps({"programs": seed + 1 - first, **ends, "harm": harm}), flush=True)  # noqa: T201
    return 1 if harm else 0


if __name__ == "__main__":
    sys.exit(main())
