"""Automatic gain: quiet or distant speech reaches the level that the recognizers were trained on."""

from __future__ import annotations

import numpy as np

from edge.types import AudioFrame

_FULL_SCALE = 32767.0


class AutomaticGain:
    """Follows the peaks of the stream and raises them towards a target, by no more than a limit, without clipping.

    A peak counts at once and fades by ``release_db_per_s``; the gain moves in a ramp over each frame so that it is
    never heard as a click. Only amplifies: what is louder than the target stays as it is.
    """

    def __init__(
        self, target_peak_dbfs: float = -6.0, highest_gain_db: float = 20.0, release_db_per_s: float = 3.0
    ) -> None:
        self._target = _FULL_SCALE * _ratio(target_peak_dbfs)
        self._highest = _ratio(highest_gain_db)
        self._release_db_per_s = release_db_per_s
        self._peak = self._target
        self._gain = 1.0

    @property
    def gain_db(self) -> float:
        """Gain at the end of the last frame."""
        return float(20 * np.log10(self._gain))

    def accept(self, frame: AudioFrame) -> AudioFrame:
        """The frame, amplified."""
        if len(frame.pcm) == 0:
            return frame
        samples = frame.pcm.astype(np.float32)
        peak = float(np.abs(samples).max())
        self._peak = max(peak, self._peak * _ratio(-self._release_db_per_s * frame.duration_ms / 1000))
        wanted = float(np.clip(self._target / max(self._peak, 1.0), 1.0, self._highest))
        ramp = np.linspace(self._gain, wanted, len(samples), dtype=np.float32)
        if peak * float(ramp.max()) > _FULL_SCALE:
            ramp[:] = wanted
        self._gain = wanted
        amplified = np.clip(np.rint(samples * ramp), -32768, 32767).astype(np.int16)
        return AudioFrame(amplified, frame.rate_hz, frame.start_ms)

    def reset(self) -> None:
        """Forget the level; the next frame starts without gain."""
        self._peak = self._target
        self._gain = 1.0


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))
