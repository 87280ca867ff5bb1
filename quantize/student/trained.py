"""What training hands to the rest of the build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge.bundle.manifest import Frame
from quantize.student.examples import Example
from quantize.student.examples import Frame as HomeFrame
from quantize.student.network import Student


@dataclass
class Trained:
    """A trained student with all that the bundle needs beside it.

    ``examples`` are held-out inputs with their frames, for calibration and parity; frame 0 of a student that can
    reject stands for everything else. ``contents`` are further files of the bundle,
    ``hearing`` those of them that hold the sentences its recognizer expects, by language.
    """

    student: Student
    frames: tuple[Frame, ...]
    slots: tuple[str, ...]
    languages: tuple[str, ...]
    numeric: tuple[str, ...]
    examples: list[Example]
    contents: dict[str, bytes]
    metrics: dict[str, Any]
    hearing: dict[str, str] = field(default_factory=dict)


def bundle_frame(f: HomeFrame) -> Frame:
    """A frame as the bundle's manifest holds it."""
    return Frame(f.label, f.intent, dict(f.implied), f.response, f.tags, f.domains, f.free, f.grounded)
