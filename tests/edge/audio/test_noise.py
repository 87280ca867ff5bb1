from __future__ import annotations

import numpy as np
import pytest

from edge.audio.noise import NoiseSuppression
from edge.types import AudioFrame, Pcm

pytest.importorskip("webrtc_noise_gain", reason="needs pip install 'edge-assistant[noise]'")


def cleaned(pcm: Pcm, length: int, level: int = 3) -> Pcm:
    suppression = NoiseSuppression(level)
    frames = [AudioFrame(pcm[at : at + length], 16000, at / 16) for at in range(0, len(pcm), length)]
    return np.concatenate([suppression.accept(frame).pcm for frame in frames])


def test_steady_noise_becomes_quieter() -> None:
    noise = (np.random.default_rng(1).standard_normal(5 * 16000) * 500).astype(np.int16)
    rest = cleaned(noise, 512)[-16000:]
    assert np.std(rest.astype(float)) < 0.4 * np.std(noise.astype(float))


@pytest.mark.parametrize("length", [1, 100, 160, 512, 1600])
def test_frames_of_any_length_stay_as_long(length: int) -> None:
    audio = np.arange(3200).astype(np.int16)
    assert len(cleaned(audio, length)) == len(audio)
    assert np.array_equal(cleaned(audio, length), cleaned(audio, 512))


def test_a_frame_keeps_its_time() -> None:
    frame = NoiseSuppression(1).accept(AudioFrame(np.zeros(512, np.int16), 16000, 1234.0))
    assert (frame.start_ms, frame.rate_hz) == (1234.0, 16000)
