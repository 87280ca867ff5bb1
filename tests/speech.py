"""Speech for tests, made by espeak-ng."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.audio.resample import resample


@lru_cache
def spoken(text: str, voice: str = "en-us", words_per_minute: int = 150) -> NDArray[np.int16]:
    """``text`` as int16 [n] at 16 kHz; skips the test where espeak-ng is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("no espeak-ng: apt-get install espeak-ng")
    command = [program, "-v", voice, "-s", str(words_per_minute), "--stdout", text]
    output = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(output)) as recording:
        pcm = np.frombuffer(recording.readframes(10**9), "<i2")
        return resample(pcm.astype(np.int16), recording.getframerate(), 16000)
