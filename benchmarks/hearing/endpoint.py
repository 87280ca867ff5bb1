"""Both errors of end-pointing: speakers who are cut off in a pause, and how long they are made to wait at the end.

Recordings go through the assistant's own loop. Each is played unchanged, and again with the pause of a slow speaker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hearing.mixing import Samples, mix, noise_source
from benchmarks.hearing.wake import wav_files
from edge.assistant import Assistant
from edge.audio.framing import FRAME_MS, RATE_HZ
from edge.audio.wav import read_wav
from edge.errors import ConfigError
from edge.parts import Ears, Mind
from edge.types import AudioFrame, Pcm

BEFORE_MS, AFTER_MS = 500, 2500
_FRAME = FRAME_MS * RATE_HZ // 1000
_BLOCK = 20 * RATE_HZ // 1000
_AUDIBLE = 0.05
_MIDDLE = (0.3, 0.7)


@dataclass
class EndpointLevel:
    """Results with one pause in every recording: ``waited_ms`` of each whose end was found after its speech.

    ``cut`` counts those ended before their speech was over, ``unheard`` those without any speech noticed.
    """

    pause_ms: float
    snr_db: float | None
    cut: int = 0
    unheard: int = 0
    waited_ms: list[float] = field(default_factory=list)
    cut_files: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of recordings."""
        return self.cut + self.unheard + len(self.waited_ms)


def measure_endpoint(
    ears: Ears, mind: Mind, places: list[Path], pauses_ms: list[float], noise: str | None, snr_db: float | None
) -> list[EndpointLevel]:
    """Every recording of ``places`` with each of ``pauses_ms`` put into its quietest place near the middle.

    Args:
        ears: without a wake word.
        mind: what decides whether a command is complete.
        places: files or folders of recordings of one sentence each.
        pauses_ms: silence put in; 0 for the recordings as they are.
        noise: a WAV file or ``babble``, also in the pauses; None for silence.
        snr_db: mean power of each recording over that of the noise.

    Raises:
        ConfigError: no recordings, or only one of noise and ratio.
    """
    if (noise is None) != (snr_db is None):
        raise ConfigError("--snr needs --noise and --noise needs --snr")
    paths = wav_files(places)
    source = noise_source(noise, paths) if noise is not None else None
    levels = []
    for pause_ms in pauses_ms:
        level = EndpointLevel(pause_ms, snr_db)
        for path in paths:
            audio, end_ms = with_pause(read_wav(path), pause_ms)
            heard_ms = _end_heard_ms(ears, mind, _in_noise(audio, source, snr_db, f"{path.name} {pause_ms:g}"))
            if heard_ms is None:
                level.unheard += 1
            elif heard_ms < end_ms:
                level.cut += 1
                level.cut_files.append(path.name)
            else:
                level.waited_ms.append(heard_ms - end_ms)
        levels.append(level)
    return levels


def with_pause(speech: Pcm, pause_ms: float) -> tuple[Pcm, float]:
    """``speech`` int16 [n] with the pause and quiet around it, and where its last audible 20 ms end, in ms.

    Audible is what has a twentieth of the loudest block's amplitude. The pause is put into the quietest block between
    30 and 70 % of the audible part, which is mostly between two words.

    Raises:
        ConfigError: the recording is silent.
    """
    blocks = speech[: len(speech) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float32)
    loudness = np.sqrt(np.mean(np.square(blocks), axis=1))
    if not len(blocks) or loudness.max() == 0:
        raise ConfigError("a recording is silent: give recordings of speech")
    audible = np.flatnonzero(loudness >= _AUDIBLE * loudness.max())
    first, end = int(audible[0]), int(audible[-1]) + 1
    low, high = (first + int(share * (end - first)) for share in _MIDDLE)
    at = (low + int(loudness[low : max(high, low + 1)].argmin())) * _BLOCK + _BLOCK // 2
    parts = [_silence(BEFORE_MS), speech[:at], _silence(pause_ms), speech[at:], _silence(AFTER_MS)]
    return np.concatenate(parts), BEFORE_MS + pause_ms + 1000 * end * _BLOCK / RATE_HZ


def _silence(duration_ms: float) -> Pcm:
    return np.zeros(int(duration_ms * RATE_HZ / 1000), np.int16)


def _in_noise(audio: Pcm, source: Samples | None, snr_db: float | None, key: str) -> Pcm:
    """The ratio holds for the speech alone: the quiet around it does not count for its power."""
    if source is None or snr_db is None:
        return audio
    loud = int(np.count_nonzero(audio))
    return mix(audio, source, snr_db + 10 * float(np.log10(len(audio) / max(loud, 1))), key)


def _end_heard_ms(ears: Ears, mind: Mind, audio: Pcm) -> float | None:
    """When the first utterance in ``audio`` was taken for finished; None where none was."""
    read_ms = 0.0

    def frames() -> Iterator[AudioFrame]:
        nonlocal read_ms
        for start in range(0, len(audio), _FRAME):
            frame = AudioFrame(audio[start : start + _FRAME], RATE_HZ, 1000 * start / RATE_HZ)
            read_ms = frame.start_ms + frame.duration_ms
            yield frame

    turn = next(iter(Assistant(mind, ears).turns(frames())), None)
    ears.segmenter.reset()
    return read_ms if turn is not None else None


def endpoint_json(levels: list[EndpointLevel]) -> dict[str, Any]:
    """The results for programs."""
    return {
        "levels": [
            {
                "pause_ms": level.pause_ms,
                "snr_db": level.snr_db,
                "n": level.count,
                "cut_off": round(level.cut / level.count, 4),
                "unheard": round(level.unheard / level.count, 4),
                "waited_ms": {f"p{share}": _percentile(level.waited_ms, share) for share in (50, 95)},
                "cut_files": level.cut_files,
            }
            for level in levels
        ]
    }


def endpoint_table(levels: list[EndpointLevel]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| pause | noise | n | cut off | not heard | waited after the end, p50 / p95 |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for level in levels:
        cells = [f"{level.pause_ms:g} ms", "none" if level.snr_db is None else f"{level.snr_db:g} dB", str(level.count)]
        cells += [f"{level.cut / level.count:.3f}", f"{level.unheard / level.count:.3f}"]
        cells.append(" / ".join(f"{_percentile(level.waited_ms, share) or 0:.0f}" for share in (50, 95)) + " ms")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percentile(values: list[float], share: int) -> float | None:
    return round(float(np.percentile(values, share)), 1) if values else None
