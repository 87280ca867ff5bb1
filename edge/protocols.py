"""What each stage promises to the loop in ``assistant.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Protocol

from edge.types import Action, AudioFrame, Parse, Reply, Transcript


class Speech(Enum):
    """What an end-pointer says of a frame."""

    WAITING = "waiting"
    SPEAKING = "speaking"
    ENDED = "ended"


class Completeness(Enum):
    """How whole a command is: not surely one, one that more words may follow, or one that says everything."""

    UNSURE = "unsure"
    OPEN = "open"
    COMPLETE = "complete"


class Microphone(Protocol):
    """Source of frames: a sound card, a file, or a test's array."""

    def frames(self) -> Iterator[AudioFrame]:
        """Frames at 16 kHz until the source ends; raises DeviceError when it cannot be opened at all."""

    def close(self) -> None:
        """Release the device."""


class LiveMicrophone(Protocol):
    """A microphone that can be asked without waiting."""

    @property
    def dropped(self) -> int:
        """Blocks that were lost so far."""

    def poll(self, timeout_s: float = 0.0) -> AudioFrame | None:
        """The next frame if there is one in time."""

    def flush(self) -> None:
        """Forget what was heard so far and not taken."""


class FrameFilter(Protocol):
    """Makes speech easier to hear before anything listens to it."""

    def accept(self, frame: AudioFrame) -> AudioFrame:
        """The frame, changed; its length and time stay."""


class WakeDetector(Protocol):
    """Says when its wake word was heard."""

    def accept(self, frame: AudioFrame) -> bool:
        """True on the frame that completed the wake word."""

    def reset(self) -> None:
        """Forget the audio so far."""


class Endpointer(Protocol):
    """Finds the beginning and the end of an utterance."""

    @property
    def silence_ms(self) -> float:
        """Audio since the last speech."""

    def accept(self, frame: AudioFrame) -> Speech:
        """State after this frame."""

    def wait(self, hangover_ms: float) -> None:
        """End this utterance after so much silence, since its text so far is known."""

    def reset(self) -> None:
        """Start over for the next utterance."""


class Recognizer(Protocol):
    """Turns frames into text."""

    def accept(self, frame: AudioFrame) -> Transcript | None:
        """Take a frame; a partial transcript when there is a new one."""

    def partial(self) -> Transcript:
        """Transcript of what was accepted so far; ``finish`` without further speech may reuse its work."""

    def finish(self) -> Transcript:
        """Final transcript of what was accepted; the recognizer is ready for the next utterance."""


class Parser(Protocol):
    """Understands a transcript."""

    def parse(self, transcript: Transcript) -> Parse:
        """The parse; a rejection is a parse without an intent, never an exception."""


class Skill(Protocol):
    """Acts on the home."""

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Carry out the parse, or ask, or explain why not."""


class Voice(Protocol):
    """Speaks."""

    def synthesize(self, text: str) -> Iterator[AudioFrame]:
        """Audio sentence by sentence, so that the first sound comes early."""


class Speaker(Protocol):
    """Sink of frames."""

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        """Play all frames in order until ``interrupted`` says so; returns the ms from the call to the first frame."""

    def close(self) -> None:
        """Release the device."""
