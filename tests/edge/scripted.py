"""An assistant whose stages follow a script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from edge.assistant import Assistant
from edge.audio.endpoint import EndpointSettings, Segmenter, Utterance
from edge.dialogue.dialogue import Ring
from edge.errors import EngineError
from edge.parts import Ears, Mind, Mouth, Turn
from edge.protocols import Completeness, FrameFilter, Speech
from edge.types import Action, AudioFrame, Parse, Reply, Transcript

FRAME_MS = 32
LOUD, QUIET = 1000, 0


def frames(*parts: tuple[int, int]) -> Iterator[AudioFrame]:
    """Frames of 32 ms: (loudness, how many)."""
    start_ms = 0.0
    for loudness, count in parts:
        for _ in range(count):
            yield AudioFrame(np.full(512, loudness, np.int16), 16000, start_ms)
            start_ms += FRAME_MS


HANGOVERS_MS = {Completeness.UNSURE: 600, Completeness.OPEN: 416, Completeness.COMPLETE: 224}
SENTENCE = ((QUIET, 10), (LOUD, 20), (QUIET, 30))


class LoudnessEndpointer:
    """The real state machine over a loudness instead of a neural network."""

    def __init__(self) -> None:
        self._utterance = Utterance(EndpointSettings(hangover_ms=600))
        self.waits_ms: list[float] = []

    @property
    def silence_ms(self) -> float:
        return self._utterance.silence_ms

    def accept(self, frame: AudioFrame) -> Speech:
        return self._utterance.accept(float(frame.pcm[0] > 0), frame.duration_ms)

    def wait(self, hangover_ms: float) -> None:
        self.waits_ms.append(hangover_ms)
        self._utterance.wait(hangover_ms)

    def reset(self) -> None:
        self._utterance.reset()


class ScriptedRecognizer:
    """Hears the given texts one after the other; an exception among them is raised."""

    def __init__(self, *texts: str | Exception) -> None:
        self.texts = deque(texts)
        self.accepted = 0
        self.lengths: list[int] = []

    def accept(self, frame: AudioFrame) -> None:
        self.accepted += 1

    def partial(self) -> Transcript:
        text = self.texts[0]
        return Transcript(text if isinstance(text, str) else "")

    def finish(self) -> Transcript:
        self.lengths.append(self.accepted)
        self.accepted = 0
        text = self.texts.popleft()
        if isinstance(text, Exception):
            raise text
        return Transcript(text)


class EchoParser:
    """Understands every text as an intent of that name; ``?`` is no command."""

    def parse(self, transcript: Transcript) -> Parse:
        if transcript.text == "broken parser":
            raise EngineError("the parser broke")
        intent = None if transcript.text == "?" else transcript.text
        return Parse(intent, confidence=1.0, text=transcript.text)


@dataclass
class ScriptedSkill:
    """Answers with the intent; remembers what was asked."""

    handled: list[str | None] = field(default_factory=list)
    rings: deque[Ring] = field(default_factory=deque)

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        self.handled.append(parse.intent)
        if parse.intent == "broken skill":
            raise ValueError("a bug\nin the skill")
        action = Action(parse.intent) if parse.intent else None
        return action, Reply(f"did {parse.intent}", expects_answer=parse.intent == "ask")

    def due(self) -> tuple[Ring, ...]:
        rings = tuple(self.rings)
        self.rings.clear()
        return rings


class BeepVoice:
    """One frame per word."""

    def synthesize(self, text: str) -> Iterator[AudioFrame]:
        for _ in text.split():
            yield AudioFrame(np.full(160, 7, np.int16), 16000)


class ListSpeaker:
    """Keeps what is played; asks between frames whether it is interrupted."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.played: list[int] = []
        self.failure = failure

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        self.played.append(0)
        for _ in frames:
            if self.failure is not None:
                raise self.failure
            self.played[-1] += 1
            if interrupted is not None and interrupted():
                break
        return 0.0

    def close(self) -> None:
        pass


@dataclass
class LiveFrames:
    """A microphone that goes on hearing."""

    waiting: deque[AudioFrame] = field(default_factory=deque)
    dropped: int = 0
    flushed: int = 0

    def poll(self, timeout_s: float = 0.0) -> AudioFrame | None:
        return self.waiting.popleft() if self.waiting else None

    def flush(self) -> None:
        self.flushed += 1
        self.waiting.clear()


class CountWake:
    """Wakes at a loudness of exactly 5."""

    def __init__(self) -> None:
        self.heard = 0

    def accept(self, frame: AudioFrame) -> bool:
        self.heard += 1
        return int(frame.pcm[0]) == 5

    def reset(self) -> None:
        pass


class Bench:
    """An assistant and all its scripted parts."""

    def __init__(
        self,
        *texts: str | Exception,
        completeness: Completeness = Completeness.UNSURE,
        wake: CountWake | None = None,
        live: LiveFrames | None = None,
        barge_in: bool = False,
        speaker_failure: Exception | None = None,
        front: tuple[FrameFilter, ...] = (),
    ) -> None:
        self.endpointer, self.recognizer = LoudnessEndpointer(), ScriptedRecognizer(*texts)
        self.skill, self.speaker = ScriptedSkill(), ListSpeaker(speaker_failure)
        voice = BeepVoice()
        mind = Mind(EchoParser(), self.skill, lambda parse: completeness, lambda: Reply("sorry"), self.skill.due)
        segmenter = Segmenter(self.endpointer)
        ears = Ears(self.endpointer, segmenter, self.recognizer, 160, HANGOVERS_MS, wake, live, barge_in, front)
        self.assistant = Assistant(mind, ears, Mouth(lambda language: voice, self.speaker))

    def hear(self, *parts: tuple[int, int]) -> list[Turn]:
        return list(self.assistant.turns(frames(*parts)))
