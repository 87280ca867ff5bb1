from __future__ import annotations

import numpy as np
import pytest

from edge.audio.framing import Framer
from edge.audio.resample import Resampler, resample

pytest.importorskip("soxr", reason="resampling needs the speech extra")


def tone(rate_hz: int, hz: float, seconds: float = 1.0) -> np.ndarray:
    return np.rint(16000 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.int16)


def level_db(pcm: np.ndarray) -> float:
    """RMS of the middle part, against a full 16,000-peak tone."""
    middle = pcm[len(pcm) // 4 : -len(pcm) // 4].astype(float)
    return float(20 * np.log10(np.sqrt(np.mean(middle**2)) / (16000 / np.sqrt(2)) + 1e-9))


@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(8000, 16000), (22050, 16000), (44100, 16000), (48000, 16000), (22050, 44100), (22050, 48000), (16000, 48000)],
)
@pytest.mark.parametrize("hz", [120, 1000, 3000])
def test_tone_is_preserved(from_hz: int, to_hz: int, hz: float) -> None:
    resampled = resample(tone(from_hz, hz), from_hz, to_hz)
    assert len(resampled) == pytest.approx(to_hz, abs=2)
    assert abs(level_db(resampled)) < 0.1
    window = np.hanning(len(resampled))
    spectrum = np.abs(np.fft.rfft(resampled * window))
    assert np.fft.rfftfreq(len(resampled), 1 / to_hz)[spectrum.argmax()] == pytest.approx(hz, abs=2)


@pytest.mark.parametrize("from_hz", [22050, 44100, 48000])
@pytest.mark.parametrize("hz", [9000, 10500])
def test_what_the_new_rate_cannot_hold_is_suppressed(from_hz: int, hz: float) -> None:
    assert level_db(resample(tone(from_hz, hz), from_hz, 16000)) < -70


@pytest.mark.parametrize("from_hz", [8000, 22050, 44100, 48000])
def test_cutting_into_blocks_changes_nothing(from_hz: int) -> None:
    random = np.random.default_rng(0)
    pcm = random.integers(-20000, 20000, from_hz).astype(np.int16)
    resampler, parts, start = Resampler(from_hz, 16000), [], 0
    while start < len(pcm):
        size = int(random.integers(1, 3000))
        parts.append(resampler.accept(pcm[start : start + size]))
        start += size
    parts.append(resampler.finish())
    streamed, whole = np.concatenate(parts).astype(int), resample(pcm, from_hz, 16000).astype(int)
    assert len(streamed) == len(whole)
    assert np.abs(streamed - whole).max() <= 2  # soxr dithers int16


def test_equal_rates_pass_through() -> None:
    pcm = np.arange(100).astype(np.int16)
    assert Resampler(16000, 16000).accept(pcm) is pcm


def test_framer_loses_and_repeats_nothing() -> None:
    random = np.random.default_rng(0)
    pcm = random.integers(-20000, 20000, 50_001).astype(np.int16)
    framer, frames = Framer(frame_ms=32), []
    for block in np.split(pcm, np.sort(random.integers(0, len(pcm), 40))):
        frames += list(framer.accept(block))
    frames += list(framer.finish())
    audio = np.concatenate([frame.pcm for frame in frames])
    assert np.array_equal(audio[: len(pcm)], pcm)
    assert not audio[len(pcm) :].any()
    assert [frame.start_ms for frame in frames] == [32.0 * index for index in range(len(frames))]
