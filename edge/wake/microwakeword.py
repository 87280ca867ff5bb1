"""Wake words by microWakeWord (https://github.com/kahrendt/microWakeWord) through ``pymicro-wakeword``."""

from __future__ import annotations

import difflib

from edge.errors import ConfigError, EngineError
from edge.types import AudioFrame

WAKE_WORDS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


class MicroWakeWordDetector:
    """Hears one of ``WAKE_WORDS``.

    ``threshold`` in 0..1 is the mean probability over the model's window that counts; None takes the model's own.
    Raises ConfigError for another word or threshold, EngineError when the library is not installed.
    """

    def __init__(self, word: str = "okay_nabu", threshold: float | None = None) -> None:
        if word not in WAKE_WORDS:
            near = difflib.get_close_matches(word, WAKE_WORDS, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"unknown wake word {word!r}: choose one of {', '.join(WAKE_WORDS)}{hint}")
        if threshold is not None and not 0.0 < threshold < 1.0:
            raise ConfigError(f"wake word threshold {threshold} is not between 0 and 1")
        try:
            from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model
        except ImportError as error:
            raise EngineError("no wake words: pip install 'edge-assistant[speech]'") from error
        try:
            self._model = MicroWakeWord.from_builtin(Model(word))
        except (OSError, RuntimeError, ValueError) as error:
            raise EngineError(f"wake word {word!r} cannot be loaded ({error}): reinstall pymicro-wakeword") from error
        self._features = MicroWakeWordFeatures()
        self._threshold = self._model.probability_cutoff if threshold is None else threshold

    def accept(self, frame: AudioFrame) -> bool:
        """True on the frame of 16 kHz audio that completed the wake word."""
        return self.probability(frame) > self._threshold

    def probability(self, frame: AudioFrame) -> float:
        """Highest probability 0..1 of the wake word within this frame of 16 kHz audio."""
        highest = 0.0
        for features in self._features.process_streaming(frame.pcm.tobytes()):
            highest = max(highest, self._model.process_streaming_prob(features) or 0.0)
        return highest

    def reset(self) -> None:
        """Forget the audio so far."""
        self._features.reset()
        self._model.reset()
