"""Cuts a stream of samples into frames of equal length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edge.types import AudioFrame, Pcm

RATE_HZ = 16000
FRAME_MS = 32
"""The voice-activity model takes 512 samples at a time, so this frame length needs no buffering there."""


class Framer:
    """Collects int16 blocks of any length and gives frames of ``frame_ms`` at 16 kHz, their times running on."""

    def __init__(self, frame_ms: int = FRAME_MS, start_ms: float = 0.0) -> None:
        self._samples = RATE_HZ * frame_ms // 1000
        self._rest: Pcm = np.zeros(0, dtype=np.int16)
        self._start_ms = start_ms

    def accept(self, pcm: Pcm) -> Iterator[AudioFrame]:
        """Full frames after taking int16 [n]; what is left waits for the next call."""
        audio = np.concatenate((self._rest, pcm))
        whole = len(audio) - len(audio) % self._samples
        self._rest = audio[whole:]
        for start in range(0, whole, self._samples):
            yield self._frame(audio[start : start + self._samples])

    def finish(self) -> Iterator[AudioFrame]:
        """The last frame, filled up with silence, if samples are waiting."""
        if len(self._rest):
            padded = np.zeros(self._samples, dtype=np.int16)
            padded[: len(self._rest)] = self._rest
            self._rest = self._rest[:0]
            yield self._frame(padded)

    def _frame(self, pcm: Pcm) -> AudioFrame:
        frame = AudioFrame(pcm, RATE_HZ, self._start_ms)
        self._start_ms += frame.duration_ms
        return frame
