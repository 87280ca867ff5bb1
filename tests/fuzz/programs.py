"""Probes bundles with changed bytes, and uses those that pass: ``python -m tests.fuzz.programs COUNT [FIRST]``.

Of ten bundles eight have a changed program, one a changed lexicon, one a changed grammar; all hashes are true.

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
from edge.grammar.parser import GrammarParser
from edge.nlu.student import StudentParser
from edge.protocols import Parser
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
    """The home bundle in English as a folder, with bytes of one file changed and a true manifest."""
    student, hearing = home.manifest.student, home.manifest.hearing["en"]
    if student is None:
        raise ValueError("the home bundle has a student")
    rng = random.Random(seed)
    changed = ("lexicon/en.json", hearing)[seed % 10] if seed % 10 < 2 else student.program
    contents = {name: home.read(name) for name in {student.program, "lexicon/en.json", changed}}
    contents[changed] = with_changes(contents[changed], rng)
    files = {name: FileEntry(sha256(data).hexdigest(), len(data)) for name, data in contents.items()}
    heard = {"en": hearing} if changed == hearing else {}
    manifest = msgspec.structs.replace(home.manifest, hearing=heard, languages=("en",), files=files)
    for name, data in {**contents, MANIFEST: msgspec.json.encode(manifest)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def with_changes(data: bytes, rng: random.Random) -> bytes:
    """``data`` with some bytes changed, mostly near its ends, where files have their structure."""
    changed, last = bytearray(data), len(data) - 1
    for _ in range(rng.choice((1, 2, 8, 64))):
        span = min(last, rng.choice((_STRUCTURE_BYTES, last // 8, last)))
        at = rng.randrange(span) if rng.random() < 0.5 else last - rng.randrange(span)
        changed[at] = rng.randrange(256) if rng.random() < 0.5 else changed[at] ^ 1 << rng.randrange(8)
    return bytes(changed)


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
        bundle, home = open_path(folder), compose.home(None)
        parsers: list[Parser] = [StudentParser(bundle, home, "en")]
        parsers += [GrammarParser(compose.grammar(bundle, file, home)) for file in bundle.manifest.hearing.values()]
        for _ in range(100):
            text = " ".join(rng.choice(_WORDS) for _ in range(rng.randint(1, 70)))
            for parser in parsers:
                parser.parse(Transcript(text))
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
