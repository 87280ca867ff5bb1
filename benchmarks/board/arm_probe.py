"""What one processor makes of the shipped bundle: parses, and the program's raw outputs; JSON on standard output."""

from __future__ import annotations

import json
import platform
import sys

import numpy as np

from edge import compose
from edge.commands.output import parse_json
from edge.nlu.program import Program
from edge.types import Transcript

SENTENCES = {
    "en": ("turn on the kitchen light", "set the living room light to fifty percent", "lock the back door"),
    "de": ("Stelle einen Timer auf zehn Minuten", "mach das Licht in der Küche aus"),
    "fr": ("Éteins toutes les lumières", "quelle heure est-il"),
    "es": ("Apaga todas las luces", "qué hora es"),
    "it": ("Che ore sono?",),
    "nl": ("Zet een timer voor vijf minuten",),
    "pl": ("Która jest godzina",),
    "ko": ("지금 몇 시야",),
    "ja": ("今何時",),
    "fi": ("mitä kello on",),
}
_LENGTHS = (2, 5, 12, 31)


def main() -> int:
    """Print everything that must be the same on every processor."""
    bundle, home = compose.bundle("home"), compose.home(None)
    parses = []
    for language, texts in SENTENCES.items():
        parser = compose.parser(bundle, home, language)
        parses += [parse_json(parser.parse(Transcript(text)), text, 0.0) for text in texts]
    spec = bundle.manifest.student
    outputs = []
    if spec is not None:
        program = Program(bundle.path(spec.program), id_limits=(spec.buckets, None))
        rng = np.random.default_rng(0)
        for length in _LENGTHS:
            ids = rng.integers(0, spec.buckets, (1, length, *program.inputs[0].shape[2:])).astype(
                program.inputs[0].dtype
            )
            features = rng.integers(0, 2, (1, length, *program.inputs[1].shape[2:])).astype(program.inputs[1].dtype)
            outputs.append([array.astype(np.float64).round(5).ravel().tolist() for array in program.run(ids, features)])
    json.dump({"processor": platform.machine(), "parses": parses, "outputs": outputs}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
