"""What the assistant is put together from, and what comes out of it: values without behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.audio.endpoint import Segmenter
from edge.protocols import (
    Completeness,
    Endpointer,
    FrameFilter,
    LiveMicrophone,
    Parser,
    Recognizer,
    Skill,
    Speaker,
    Voice,
    WakeDetector,
)
from edge.types import Action, Parse, Reply, StageSpan, Transcript

if TYPE_CHECKING:
    from edge.dialogue.dialogue import Ring


@dataclass(frozen=True)
class Ears:
    """From frames to a transcript; ``wake`` is None where every utterance is meant for the assistant.

    Every frame goes through ``front`` first.

    After ``pause_ms`` of silence the recognizer is asked for its text so far; how whole a command that is decides
    which of ``hangovers_ms`` ends the utterance.
    ``live`` is the microphone that goes on hearing while the assistant speaks. What it heard meanwhile is forgotten,
    for it is the assistant's own voice; with ``barge_in`` (where the microphone cancels echoes) speech stops the reply.
    """

    endpointer: Endpointer
    segmenter: Segmenter
    recognizer: Recognizer
    pause_ms: float
    hangovers_ms: Mapping[Completeness, float]
    wake: WakeDetector | None = None
    live: LiveMicrophone | None = None
    barge_in: bool = False
    front: tuple[FrameFilter, ...] = ()


@dataclass(frozen=True)
class Mind:
    """From a transcript to a reply; ``due`` gives the timers that ring now."""

    parser: Parser
    skill: Skill
    completeness: Callable[[Parse], Completeness]
    apology: Callable[[], Reply]
    due: Callable[[], Iterable[Ring]]


@dataclass(frozen=True)
class Mouth:
    """From a reply to sound; ``voice`` chooses by language."""

    voice: Callable[[str], Voice]
    speaker: Speaker


@dataclass(frozen=True)
class Turn:
    """What happened from one utterance to its reply; without a transcript the assistant spoke of its own accord.

    ``waited_ms`` is the audio time from the end of speech to the decision that it had ended; ``first_audio_ms`` adds
    the CPU time of all stages from the end of speech to the first frame of the reply; ``saved_ms`` is how much of the
    longest hangover was spared because of what had been heard.
    """

    transcript: Transcript | None = None
    parse: Parse | None = None
    action: Action | None = None
    reply: Reply | None = None
    spans: tuple[StageSpan, ...] = ()
    waited_ms: float = 0.0
    saved_ms: float = 0.0
    first_audio_ms: float | None = None
    interrupted: bool = False
    drops: int = 0
    error: str | None = None
