"""How often a wake word is heard where nobody said it, and missed where somebody did."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.audio.framing import FRAME_MS, RATE_HZ
from edge.audio.wav import wav_blocks
from edge.errors import ConfigError
from edge.protocols import FrameFilter
from edge.types import AudioFrame
from edge.wake.microwakeword import MicroWakeWordDetector
from edge.wake.refractory import Refractory

_FRAME = FRAME_MS * RATE_HZ // 1000
_SURE = 0.95


@dataclass(frozen=True)
class WakeResult:
    """One wake word: false alarms in ``hours`` of other sound, misses among ``said`` recordings of the word."""

    word: str
    threshold: float | None
    false_alarms: int
    hours: float
    misses: int
    said: int

    @property
    def per_hour(self) -> float | None:
        """False alarms per hour; None if nothing was measured."""
        return self.false_alarms / self.hours if self.hours else None

    @property
    def per_hour_at_most(self) -> float | None:
        """Upper end of the 95 % interval of the rate: the measured hours do not prove a lower one."""
        return poisson_upper(self.false_alarms) / self.hours if self.hours else None


def measure_wake(
    word: str,
    threshold: float | None,
    other: list[Path],
    said: list[Path],
    front: Callable[[], Sequence[FrameFilter]] = tuple,
) -> WakeResult:
    """Stream recordings through the detector of ``word`` as the assistant does, refractory time included.

    Args:
        word: one of ``edge.wake.microwakeword.WAKE_WORDS``.
        threshold: probability that counts; None for the model's own.
        other: files or folders of sound without the word; all of it is one stream.
        said: files or folders with one recording of the word each.
        front: makes what improves the sound before anything listens, for each stream anew.

    Raises:
        ConfigError: an unknown word, or no recordings.
    """
    if not other and not said:
        raise ConfigError("nothing to measure: give recordings with --other, --said or both")
    detector = Refractory(MicroWakeWordDetector(word, threshold))
    alarms = samples = 0
    for frame in _frames(wav_files(other), front()):
        samples += len(frame.pcm)
        alarms += detector.accept(frame)
    recordings = wav_files(said)
    missed = 0
    for path in recordings:
        fresh = Refractory(MicroWakeWordDetector(word, threshold))
        missed += not any([fresh.accept(frame) for frame in _frames([path], front())])
    return WakeResult(word, threshold, alarms, samples / RATE_HZ / 3600, missed, len(recordings))


def wav_files(places: list[Path]) -> list[Path]:
    """The WAV files among ``places`` and in the folders among them.

    Raises:
        ConfigError: a folder without any.
    """
    files: list[Path] = []
    for place in places:
        found = sorted(place.glob("*.wav")) if place.is_dir() else [place]
        if not found:
            raise ConfigError(f"{place} holds no .wav files")
        files += found
    return files


def _frames(files: list[Path], front: Sequence[FrameFilter]) -> Iterator[AudioFrame]:
    for path in files:
        for block in wav_blocks(path):
            for start in range(0, len(block), _FRAME):
                frame = AudioFrame(block[start : start + _FRAME], RATE_HZ)
                for improve in front:
                    frame = improve.accept(frame)
                yield frame


def poisson_upper(count: int) -> float:
    """Upper end of the one-sided 95 % interval of a Poisson mean when ``count`` was seen (Garwood, 1936)."""
    low, high = float(count), count + 5.0 + 5.0 * math.sqrt(count + 1.0)
    while high - low > 1e-6:
        middle = (low + high) / 2
        at_most = sum(math.exp(-middle + k * math.log(middle) - math.lgamma(k + 1)) for k in range(count + 1))
        low, high = (middle, high) if at_most > 1 - _SURE else (low, middle)
    return high


def wake_json(results: list[WakeResult]) -> dict[str, list[dict[str, Any]]]:
    """The results for programs."""
    return {
        "words": [
            {**vars(result), "per_hour": result.per_hour, "per_hour_at_most": result.per_hour_at_most}
            for result in results
        ]
    }


def wake_table(results: list[WakeResult]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| wake word | threshold | false alarms | hours | per hour | at most (95 %) | missed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        threshold = "the model's" if result.threshold is None else f"{result.threshold:g}"
        cells = [result.word, threshold, str(result.false_alarms), f"{result.hours:.2f}"]
        cells += [_rate(result.per_hour), _rate(result.per_hour_at_most)]
        cells.append(f"{result.misses} of {result.said}" if result.said else "not measured")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _rate(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"
