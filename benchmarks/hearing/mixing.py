"""Recordings mixed with noise at a wanted ratio, the same way every time."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.audio.wav import read_wav
from edge.errors import ConfigError
from edge.types import Pcm

RATE_HZ = 16000
BABBLE_VOICES = 8
_BABBLE_S = 60

Samples = NDArray[np.float32]


def noise_source(noise: str, recordings: list[Path]) -> Samples:
    """Noise float32 [n] at 16 kHz: a WAV file, or ``babble`` made of up to eight of the recordings themselves."""
    if noise != "babble":
        return read_wav(noise).astype(np.float32)
    chosen = np.random.default_rng(9).permutation(len(recordings))[:BABBLE_VOICES]
    voices = [_of_equal_power(read_wav(recordings[index])) for index in chosen]
    babble: Samples = np.sum([np.resize(voice, _BABBLE_S * RATE_HZ) for voice in voices], axis=0, dtype=np.float32)
    return babble


def _of_equal_power(voice: Pcm) -> Samples:
    samples = voice.astype(np.float32)
    return np.asarray(samples / max(float(np.sqrt(np.mean(np.square(samples)))), 1.0), np.float32)


def mix(speech: Pcm, noise: Samples, snr_db: float, key: str) -> Pcm:
    """``speech`` int16 [n] with noise ``snr_db`` below its mean power, from a place in the noise drawn from ``key``.

    Raises:
        ConfigError: the noise is silent.
    """
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    piece = np.resize(np.roll(noise, -int(rng.integers(len(noise)))), len(speech))
    noise_power = float(np.mean(np.square(piece)))
    if noise_power == 0:
        raise ConfigError("the noise is silent: give a recording of noise")
    clean = speech.astype(np.float32)
    gain = np.sqrt(float(np.mean(np.square(clean))) / noise_power / 10 ** (snr_db / 10))
    mixed: Pcm = np.clip(np.rint(clean + piece * gain), -32768, 32767).astype(np.int16)
    return mixed
