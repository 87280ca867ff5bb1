"""What a bundle says of itself: the types of its ``manifest.json``, with a bound for every number, text and list.

A manifest is read before anything vouches for it. So its size is bounded first, and then every value: what a manifest
can make the program allocate is known beforehand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec

from edge.errors import BundleError

FORMAT_VERSION = 1
MAX_MANIFEST_BYTES = 1024 * 1024
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_BUNDLE_BYTES = 128 * 1024 * 1024
MAX_FILES = 512

_MAX_CHAINS = 2**22
"""Transitions between the tags of each frame, in all; `massive-en`, which allows most, has 760,000."""

_NAME = r"^\w(?:[\w .+-]{0,62}\w)?\Z"
_FILE_NAME = re.compile(r"^\w[\w.+-]*(?:/\w[\w.+-]*)*\Z")
"""A relative path: no ``..``, nothing hidden, no other separator than ``/``."""
_NOT_IN_NAME = re.compile(r"[^\w .+-]+")

BundleName = Annotated[str, msgspec.Meta(pattern=_NAME)]
"""Name under which a bundle is installed: no path, whatever it is joined to."""
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Language = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,34}\Z")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Line = Annotated[str, msgspec.Meta(max_length=1000)]
Page = Annotated[str, msgspec.Meta(max_length=16_384)]
Integer = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Number = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
Fact = Integer | Number | Line | bool | None
Score = Annotated[float, msgspec.Meta(ge=-1e4, le=1e4)]
Scores = Annotated[tuple[Score, ...], msgspec.Meta(max_length=513)]
Labels = Annotated[tuple[Label, ...], msgspec.Meta(max_length=256)]
Languages = Annotated[tuple[Language, ...], msgspec.Meta(max_length=256)]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object whose keys are all known."""


class FileEntry(_Record, frozen=True):
    """Size and hash that a file must have."""

    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]


class Frame(_Record, frozen=True):
    """One class of the student: an intent (None: not a command), what it implies, the slots that it may have.

    ``domains``: kinds of device that its ``name`` may be; ``free``: slots that take any text; ``grounded``: a name
    that the home does not have means that the utterance is about something else.
    """

    label: Label
    intent: Label | None = None
    implied: Annotated[dict[Label, Line | Integer | Number | bool], msgspec.Meta(max_length=64)] = {}
    response: Label = "default"
    slots: Labels = ()
    domains: Labels = ()
    free: Labels = ()
    grounded: bool = False


class StudentSpec(_Record, frozen=True):
    """How to feed and read the student's program.

    ``slots``: tags are O, then B- and I- of each; ``transitions`` [tags, tags] of the CRF; ``numeric``: slots that
    hold numbers; ``temperature`` divides the frame logits; what is a command with a probability below
    ``threshold`` is rejected.
    """

    program: FileName
    buckets: Annotated[int, msgspec.Meta(ge=1, le=2**22)]
    features: Annotated[int, msgspec.Meta(ge=1, le=1024)]
    frames: Annotated[tuple[Frame, ...], msgspec.Meta(min_length=1, max_length=2048)]
    slots: Labels
    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1, max_length=256)]
    transitions: Annotated[tuple[Scores, ...], msgspec.Meta(max_length=513)]
    numeric: Labels = ()
    temperature: Annotated[float, msgspec.Meta(ge=1e-3, le=1e3)] = 1.0
    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.5

    def __post_init__(self) -> None:
        """Check that the parts fit each other; raises ValueError."""
        tags = 1 + 2 * len(self.slots)
        if len(self.transitions) != tags or any(len(row) != tags for row in self.transitions):
            raise ValueError(f"{len(self.slots)} slots need transitions of {tags} by {tags}")
        unknown = {slot for frame in self.frames for slot in frame.slots} - set(self.slots)
        if sum((1 + 2 * len(frame.slots)) ** 2 for frame in self.frames) > _MAX_CHAINS:
            raise ValueError("the frames have more slots than any student's")
        if unknown:
            raise ValueError(f"a frame has the slot {min(unknown)!r}, which the student has not")


class Manifest(_Record, frozen=True):
    """``manifest.json``. ``metrics`` and ``card`` are for people; the device reads the rest.

    ``grammar``: file with the commands whose meaning is read off their sentence; ``hearing``: per language, the file
    with the sentences that the recognizer expects, where those are more than the grammar's. ``replies``: the user's own
    intents with the Jinja templates of what is said once they are understood, by the frame's ``response``.
    ``built``: when it was built, in seconds since 1970; what is installed is not replaced by what is older.
    """

    format_version: int
    name: BundleName
    files: Annotated[dict[FileName, FileEntry], msgspec.Meta(max_length=MAX_FILES)]
    languages: Languages
    student: StudentSpec | None = None
    grammar: FileName | None = None
    hearing: Annotated[dict[Language, FileName], msgspec.Meta(max_length=256)] = {}
    replies: Annotated[
        dict[Label, Annotated[dict[Label, Page], msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=2048)
    ] = {}
    quantization: Line = ""
    recipe_sha256: Line = ""
    licences: Annotated[dict[Line, Line], msgspec.Meta(max_length=256)] = {}
    metrics: Annotated[
        dict[Label, Fact | Annotated[dict[Label, Fact], msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=256)
    ] = {}
    card: Page = ""
    built: Annotated[int, msgspec.Meta(ge=0, le=2**40)] = 0


class _Head(msgspec.Struct):
    """The one field that every version of the format has."""

    format_version: int


def parse_manifest(source: Path, data: bytes) -> Manifest:
    """Manifest of the bundle at ``source`` from its JSON, which is no longer than ``MAX_MANIFEST_BYTES``.

    Raises:
        BundleError: it is damaged, of another format version, or a value is out of its bounds.
    """
    try:
        version = msgspec.json.decode(data, type=_Head).format_version
        if version != FORMAT_VERSION:
            raise BundleError(
                f"{source} has bundle format {version}, this program reads {FORMAT_VERSION}; "
                "install a bundle and a program of one release"
            )
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BundleError(f"the manifest of {source} is damaged ({error}); install the bundle again") from error
    for name in manifest.files:
        if not _FILE_NAME.match(name):
            raise BundleError(f"the manifest of {source} names a file outside the bundle ({name!r}); do not use it")
    total = sum(entry.bytes for entry in manifest.files.values())
    if total > MAX_BUNDLE_BYTES:
        raise BundleError(f"{source} unpacks to {total} bytes, more than any bundle has; do not use it")
    student = [manifest.student.program] if manifest.student is not None else []
    grammars = [manifest.grammar] if manifest.grammar is not None else []
    for name in (*student, *grammars, *manifest.hearing.values()):
        if name not in manifest.files:
            raise BundleError(f"the manifest of {source} uses {name} and does not list it; install the bundle again")
    return manifest


def is_name(text: str) -> bool:
    """Whether a bundle may have this name."""
    return re.match(_NAME, text) is not None


def name_of(text: str) -> str:
    """``text`` as a bundle may be called: a file's stem, with dashes for what no name holds."""
    name = _NOT_IN_NAME.sub("-", text).strip(" .+-")[:64].rstrip(" .+-")
    return name or "commands"
