from __future__ import annotations

import numpy as np
import pytest

from edge.audio.gain import AutomaticGain
from edge.types import AudioFrame


def frames(peak: float, seconds: float) -> list[AudioFrame]:
    audio = (peak * np.sin(2 * np.pi * 300 * np.arange(int(16000 * seconds)) / 16000)).astype(np.int16)
    return [AudioFrame(audio[start : start + 512], 16000, start / 16) for start in range(0, len(audio) - 511, 512)]


def test_quiet_speech_reaches_the_target() -> None:
    gain = AutomaticGain(target_peak_dbfs=-6, highest_gain_db=30)
    amplified = [gain.accept(frame) for frame in frames(1000, 10)]
    assert np.abs(amplified[-1].pcm).max() == pytest.approx(32767 * 10 ** (-6 / 20), rel=0.02)


def test_gain_is_limited_so_that_noise_stays_quiet() -> None:
    gain = AutomaticGain(highest_gain_db=20)
    amplified = [gain.accept(frame) for frame in frames(20, 20)]
    assert gain.gain_db == pytest.approx(20)
    assert np.abs(amplified[-1].pcm).max() <= 200


def test_loud_speech_is_unchanged() -> None:
    gain = AutomaticGain()
    for frame in frames(30000, 1):
        assert np.array_equal(gain.accept(frame).pcm, frame.pcm)


def test_a_sudden_shout_after_a_whisper_does_not_clip() -> None:
    gain = AutomaticGain(highest_gain_db=30)
    for frame in frames(300, 10):
        gain.accept(frame)
    assert gain.gain_db > 20
    shout = [gain.accept(frame) for frame in frames(31000, 0.5)]
    for before, after in zip(frames(31000, 0.5), shout, strict=True):
        assert np.array_equal(before.pcm, after.pcm)


def test_the_gain_moves_without_steps() -> None:
    gain = AutomaticGain(highest_gain_db=30, release_db_per_s=60)
    audio = np.concatenate([gain.accept(frame).pcm for frame in frames(1000, 3)]).astype(int)
    original = np.concatenate([frame.pcm for frame in frames(1000, 3)]).astype(int)
    assert np.abs(np.diff(audio)).max() < 40 * np.abs(np.diff(original)).max()
    assert np.abs(np.diff(audio, 2)).max() < 500


def test_silence_empty_and_extreme_frames_are_harmless() -> None:
    gain = AutomaticGain()
    for pcm in (np.zeros(512), np.zeros(0), np.full(512, -32768), np.array([32767])):
        assert len(gain.accept(AudioFrame(pcm.astype(np.int16), 16000)).pcm) == len(pcm)


def test_reset_forgets_the_level() -> None:
    gain = AutomaticGain()
    for frame in frames(300, 10):
        gain.accept(frame)
    gain.reset()
    assert gain.gain_db == 0
