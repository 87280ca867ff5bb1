"""Noise suppression by WebRTC's audio processing, through ``webrtc-noise-gain``; optional."""

from __future__ import annotations

import numpy as np

from edge.audio.framing import RATE_HZ
from edge.errors import EngineError
from edge.types import AudioFrame, Pcm

_BLOCK = RATE_HZ // 100


class NoiseSuppression:
    """Lowers steady noise, at a ``level`` from 1 (mild) to 4; what it gives is 10 ms late.

    Raises:
        EngineError: the library is not installed.
    """

    def __init__(self, level: int) -> None:
        try:
            from webrtc_noise_gain import AudioProcessor
        except ImportError as error:
            raise EngineError("noise suppression needs pip install 'edge-assistant[noise]'") from error
        self._processor = AudioProcessor(0, level)
        self._waiting: Pcm = np.zeros(0, np.int16)
        self._cleaned: Pcm = np.zeros(_BLOCK, np.int16)

    def accept(self, frame: AudioFrame) -> AudioFrame:
        """The frame, with less noise; as long as before."""
        waiting = np.concatenate((self._waiting, frame.pcm))
        whole = len(waiting) - len(waiting) % _BLOCK
        blocks = [self._clean(waiting[start : start + _BLOCK]) for start in range(0, whole, _BLOCK)]
        self._waiting = waiting[whole:]
        cleaned = np.concatenate((self._cleaned, *blocks))
        self._cleaned = cleaned[len(frame.pcm) :]
        return AudioFrame(cleaned[: len(frame.pcm)], frame.rate_hz, frame.start_ms)

    def _clean(self, block: Pcm) -> Pcm:
        return np.frombuffer(self._processor.Process10ms(block.tobytes()).audio, np.int16)
