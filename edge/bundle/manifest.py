"""What a bundle says of itself: the types of its ``manifest.json``."""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT_VERSION = 1


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object whose keys are all known."""


class FileEntry(_Record, frozen=True):
    """Size and hash that a file must have."""

    sha256: str
    bytes: int


class Frame(_Record, frozen=True):
    """One class of the student: an intent (None: not a command), what it implies, the slots that it may have.

    ``domains``: kinds of device that its ``name`` may be; ``free``: slots that take any text; ``grounded``: a name
    that the home does not have means that the utterance is about something else.
    """

    label: str
    intent: str | None = None
    implied: dict[str, str | int | float | bool] = {}
    response: str = "default"
    slots: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    grounded: bool = False


class StudentSpec(_Record, frozen=True):
    """How to feed and read the student's program.

    ``slots``: tags are O, then B- and I- of each; ``transitions`` [tags, tags] of the CRF; ``numeric``: slots that
    hold numbers; ``temperature`` divides the frame logits; what is a command with a probability below
    ``threshold`` is rejected.
    """

    program: str
    buckets: int
    features: int
    frames: tuple[Frame, ...]
    slots: tuple[str, ...]
    languages: tuple[str, ...]
    transitions: tuple[tuple[float, ...], ...]
    numeric: tuple[str, ...] = ()
    temperature: float = 1.0
    threshold: float = 0.5


class Manifest(_Record, frozen=True):
    """``manifest.json``. ``metrics`` and ``card`` are for people; the device reads the rest.

    ``grammar``: file with the commands whose meaning is read off their sentence; ``hearing``: per language, the file
    with the sentences that the recognizer expects, where those are more than the grammar's. ``replies``: the user's own
    intents with the Jinja templates of what is said once they are understood, by the frame's ``response``.
    """

    format_version: int
    name: str
    files: dict[str, FileEntry]
    languages: tuple[str, ...]
    student: StudentSpec | None = None
    grammar: str | None = None
    hearing: dict[str, str] = {}
    replies: dict[str, dict[str, str]] = {}
    quantization: str = ""
    recipe_sha256: str = ""
    licences: dict[str, str] = {}
    metrics: dict[str, Any] = {}
    card: str = ""
