"""The sound of a timer that has run out."""

from __future__ import annotations

import numpy as np

from edge.types import AudioFrame

_BEEPS = 3
_BEEP_S = 0.16
_PAUSE_S = 0.12
_TONE_HZ = 880.0
_LOUDNESS = 0.5


def chime(rate_hz: int = 22_050) -> AudioFrame:
    """Three short beeps as one mono frame; each fades in and out so that it does not click."""
    at_s = np.arange(int(_BEEP_S * rate_hz)) / rate_hz
    envelope = np.sin(np.pi * at_s / _BEEP_S)
    beep = _LOUDNESS * envelope * np.sin(2 * np.pi * _TONE_HZ * at_s)
    period = np.concatenate([beep, np.zeros(int(_PAUSE_S * rate_hz))])
    pcm = (np.tile(period, _BEEPS) * np.iinfo(np.int16).max).astype(np.int16)
    return AudioFrame(pcm, rate_hz)
