"""Sample-rate conversion of a stream, by libsoxr (LGPL-2.1-or-later, https://sourceforge.net/projects/soxr)."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge.errors import EngineError
from edge.types import Pcm

_SILENCE = np.zeros(0, dtype=np.int16)


class Resampler:
    """Converts int16 mono audio block by block; the result does not depend on how the audio was cut into blocks.

    Equal rates pass through untouched and load no library. Raises EngineError when ``soxr`` is needed and missing.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream: Any = None
        if from_hz == to_hz:
            return
        try:
            import soxr
        except ImportError as error:
            raise EngineError(
                f"audio at {from_hz} Hz has to become {to_hz} Hz: install it with pip install 'edge-assistant[speech]'"
            ) from error
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="HQ")

    def accept(self, pcm: Pcm, last: bool = False) -> Pcm:
        """Resampled int16 [n] that is ready so far; ``last`` flushes the filter and ends the stream."""
        if self._stream is None:
            return pcm
        resampled: Pcm = self._stream.resample_chunk(np.ascontiguousarray(pcm), last=last)
        return resampled

    def finish(self) -> Pcm:
        """The rest of the stream, int16 [n]."""
        return self.accept(_SILENCE, last=True)


def resample(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    """Whole int16 [n] at ``from_hz`` as int16 [m] at ``to_hz``."""
    return Resampler(from_hz, to_hz).accept(pcm, last=True)
