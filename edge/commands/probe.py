"""The child process of `edge.bundle.probe`, which tries a bundle out: ``python -m edge.commands.probe PATH``."""

from __future__ import annotations

import os
import random
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge import compose
from edge.bundle.format import Bundle, open_path
from edge.bundle.manifest import MAX_FILE_BYTES, StudentSpec
from edge.bundle.probe import PASSED
from edge.errors import BundleError, EdgeError
from edge.grammar.automaton import Automaton
from edge.grammar.parser import GrammarParser
from edge.nlu.lexicon import read_lexicon
from edge.nlu.program import Program
from edge.nlu.student import StudentParser
from edge.nlu.tokens import MAX_NGRAMS, MAX_TOKENS
from edge.types import Home, Transcript

_MAX_MEMORY_BYTES = 256 * 1024 * 1024
"""Twice what the probe of `home` needs, as Linux counts data; a bundle that passes takes no more when it is used."""
_MAX_CPU_S = 150
_SENTENCES = 20
_FEW = 4
_LONGEST = 200


def main() -> int:
    """Try the bundle; the answer on standard output is ``PASSED``, or why not in one line."""
    _bound()
    try:
        try_out(open_path(Path(sys.argv[1])))
    except EdgeError as error:
        answer = str(error)
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    else:
        os.write(1, PASSED)
        return 0
    os.write(1, answer.encode(errors="replace")[:900])
    return 1


def try_out(opened: Bundle) -> None:
    """Load and run everything that the assistant would; raises whatever goes wrong."""
    manifest, home, rng = opened.manifest, compose.home(None), random.Random(0)
    if manifest.student is None and manifest.grammar is None:
        raise BundleError("it has neither a student nor a grammar")
    said = list(_wordings(home, rng))
    for file in sorted({*manifest.hearing.values(), *([manifest.grammar] if manifest.grammar else [])}):
        _try_grammar(opened, file, home, said, rng)
    for language in manifest.languages:
        read_lexicon(opened, language)
    if manifest.student is not None:
        _try_student(opened, manifest.student, home, said)


def _bound() -> None:
    """Bound memory, time and files of this process; leave no core file."""
    limits = {
        resource.RLIMIT_DATA: _MAX_MEMORY_BYTES,
        resource.RLIMIT_CPU: _MAX_CPU_S,
        resource.RLIMIT_FSIZE: MAX_FILE_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        _, hard = resource.getrlimit(kind)
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (soft, hard))


def _wordings(home: Home, rng: random.Random) -> Iterator[str]:
    """Texts with the home's names, numbers and words that no home has, short and very long ones."""
    names = [*(area.name for area in home.areas), *(entity.name for entity in home.entities)]
    for _ in range(_SENTENCES):
        yield " ".join(rng.choice([*names, "on", "off", "50 %", "1 2 3", "zzz"]) for _ in range(rng.randint(1, 6)))
    yield " ".join(rng.choice(names) for _ in range(_LONGEST))


def _try_grammar(opened: Bundle, file: str, home: Home, said: list[str], rng: random.Random) -> None:
    """Read sentences off the grammar and understand them."""
    sentences = compose.grammar(opened, file, home)
    automaton, parser = Automaton(sentences), GrammarParser(sentences)
    for text in [*said, *(_drawn(automaton, rng) for _ in range(_SENTENCES))]:
        parser.parse(Transcript(text))


def _drawn(automaton: Automaton, rng: random.Random) -> str:
    """A beginning of one of the grammar's sentences, drawn character by character."""
    state, text = 0, ""
    while len(text) < _LONGEST:
        moves = automaton.moves(state)
        if not moves.by_char or (moves.final and rng.random() < 0.5):
            break
        char, state = rng.choice(sorted(moves.by_char.items()))
        text += char
    return text


def _try_student(opened: Bundle, spec: StudentSpec, home: Home, said: list[str]) -> None:
    """Run the program at every length, then parse in every language."""
    handle = os.memfd_create("program")
    with os.fdopen(handle, "wb", closefd=False) as file:
        file.write(opened.read(spec.program))
    program = Program(Path(f"/proc/self/fd/{handle}"), id_limits=(spec.buckets, None))
    rng, answers = np.random.default_rng(0), set[bytes]()
    for length in range(2, MAX_TOKENS + 2):
        ids = rng.integers(0, spec.buckets, (1, length, MAX_NGRAMS), np.int64)
        outputs = program.run(ids, rng.random((1, length, spec.features), np.float32))
        shapes = [output.shape for output in outputs[:3]]
        wanted = [(1, len(spec.frames)), (1, length, len(spec.transitions)), (1, len(spec.languages))]
        if shapes != wanted or not all(np.isfinite(output).all() for output in outputs):
            raise BundleError(f"its program gives {shapes} in place of {wanted}, or no numbers")
        answers.add(outputs[0].tobytes())
    if len(answers) < MAX_TOKENS // 2:
        raise BundleError("its program gives the same answer to different sentences")
    for language in (None, *spec.languages):
        parser = StudentParser(opened, home, language, run=program.run)
        for text in said if language is None else said[:_FEW]:
            parser.parse(Transcript(text))


if __name__ == "__main__":
    sys.exit(main())
