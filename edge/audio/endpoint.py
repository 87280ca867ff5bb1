"""Finds where an utterance begins and ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from edge.audio.vad import SileroVad
from edge.errors import ConfigError
from edge.protocols import Endpointer, Speech
from edge.types import AudioFrame, Pcm


@dataclass(frozen=True)
class EndpointSettings:
    """When an utterance has begun and when it is over.

    Speech has begun when the probability stayed above ``stop_probability`` for ``min_speech_ms``, after reaching
    ``start_probability``. It is over after ``hangover_ms`` below ``stop_probability`` (or what ``wait`` was told, once
    something is known of the text), or after ``max_utterance_ms``. Where nobody speaks for
    ``no_speech_timeout_ms`` the utterance ends without speech; None waits for ever.
    """

    start_probability: float = 0.5
    stop_probability: float = 0.35
    min_speech_ms: float = 96.0
    hangover_ms: float = 600.0
    max_utterance_ms: float = 20_000.0
    no_speech_timeout_ms: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.stop_probability <= self.start_probability < 1.0:
            raise ConfigError("end-pointing needs 0 < stop_probability <= start_probability < 1")
        if self.hangover_ms <= 0:
            raise ConfigError("end-pointing needs 0 < hangover_ms")
        if self.min_speech_ms <= 0 or self.max_utterance_ms <= self.min_speech_ms:
            raise ConfigError("end-pointing needs 0 < min_speech_ms < max_utterance_ms")


class Utterance:
    """The states waiting → speaking → ended, driven by speech probabilities alone; ``state`` is the present one."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self.state = Speech.WAITING
        self._elapsed_ms = self._spoken_ms = self._silence_ms = 0.0
        self._hangover_ms = settings.hangover_ms

    @property
    def heard_speech(self) -> bool:
        """Whether speech began; False when the utterance ended because nobody spoke."""
        return self._spoken_ms >= self._settings.min_speech_ms

    @property
    def silence_ms(self) -> float:
        """Audio since the last speech: at the end, what was waited for it."""
        return self._silence_ms

    def accept(self, probability: float, duration_ms: float) -> Speech:
        """State after ``duration_ms`` of audio with this ``probability`` of speech in 0..1."""
        if self.state is Speech.ENDED:
            return self.state
        self._elapsed_ms += duration_ms
        voiced = probability >= self._settings.start_probability or (
            probability >= self._settings.stop_probability and self._spoken_ms > 0 and self._silence_ms == 0
        )
        self._silence_ms = 0.0 if voiced else self._silence_ms + duration_ms
        if self.state is Speech.WAITING:
            self._begin(voiced, duration_ms)
        else:
            self._speak(duration_ms)
        return self.state

    def wait(self, hangover_ms: float) -> None:
        """End after so much silence, until ``reset``."""
        self._hangover_ms = hangover_ms

    def reset(self) -> None:
        """Start over."""
        self.state = Speech.WAITING
        self._elapsed_ms = self._spoken_ms = self._silence_ms = 0.0
        self._hangover_ms = self._settings.hangover_ms

    def _begin(self, voiced: bool, duration_ms: float) -> None:
        self._spoken_ms = self._spoken_ms + duration_ms if voiced else 0.0
        if self.heard_speech:
            self.state = Speech.SPEAKING
            return
        timeout_ms = self._settings.no_speech_timeout_ms
        if timeout_ms is not None and not voiced and self._elapsed_ms >= timeout_ms:
            self.state = Speech.ENDED

    def _speak(self, duration_ms: float) -> None:
        self._spoken_ms += duration_ms
        if self._silence_ms >= self._hangover_ms or self._spoken_ms >= self._settings.max_utterance_ms:
            self.state = Speech.ENDED


class VadEndpointer:
    """End-points with Silero's voice-activity model; raises EngineError when it is not installed."""

    def __init__(self, settings: EndpointSettings | None = None) -> None:
        self._vad = SileroVad()
        self._utterance = Utterance(settings or EndpointSettings())
        self._rest: Pcm = np.zeros(0, dtype=np.int16)

    @property
    def heard_speech(self) -> bool:
        """Whether speech began; False when the utterance ended because nobody spoke."""
        return self._utterance.heard_speech

    @property
    def silence_ms(self) -> float:
        """Audio since the last speech: at the end, what was waited for it."""
        return self._utterance.silence_ms

    def accept(self, frame: AudioFrame) -> Speech:
        """State after this frame of 16 kHz audio of any length; stays ENDED until ``reset``."""
        audio = np.concatenate((self._rest, frame.pcm))
        samples = SileroVad.CHUNK_SAMPLES
        whole = len(audio) - len(audio) % samples
        self._rest = audio[whole:]
        for start in range(0, whole, samples):
            probability = self._vad.probability(audio[start : start + samples])
            self._utterance.accept(probability, 1000 * samples / frame.rate_hz)
        return self._utterance.state

    def wait(self, hangover_ms: float) -> None:
        """End this utterance after so much silence, since its text so far is known."""
        self._utterance.wait(hangover_ms)

    def reset(self) -> None:
        """Start over for the next utterance; the model keeps its ear for the room."""
        self._utterance.reset()


class Segmenter:
    """Cuts utterances out of a stream without losing their beginning.

    Speech is noticed only after ``min_speech_ms`` of it; the last ``pre_roll_ms`` of frames are kept back and handed
    over when it is, so give it that much and some 300 ms of audio before the speech.
    """

    def __init__(self, endpointer: Endpointer, pre_roll_ms: float = 400.0) -> None:
        self._endpointer = endpointer
        self._pre_roll_ms = pre_roll_ms
        self._kept: deque[AudioFrame] = deque()
        self._kept_ms = 0.0
        self._speaking = False

    def accept(self, frame: AudioFrame) -> tuple[Speech, tuple[AudioFrame, ...]]:
        """State after this frame, and the frames that the recognizer gets now, in order."""
        state = self._endpointer.accept(frame)
        if self._speaking:
            return state, (frame,)
        self._keep(frame)
        if state is not Speech.SPEAKING:
            return state, ()
        self._speaking = True
        frames = tuple(self._kept)
        self._forget()
        return state, frames

    def reset(self) -> None:
        """Start over for the next utterance; audio from before now will not be part of it."""
        self._endpointer.reset()
        self._speaking = False
        self._forget()

    def _keep(self, frame: AudioFrame) -> None:
        self._kept.append(frame)
        self._kept_ms += frame.duration_ms
        while self._kept_ms - self._kept[0].duration_ms >= self._pre_roll_ms:
            self._kept_ms -= self._kept.popleft().duration_ms

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_ms = 0.0
