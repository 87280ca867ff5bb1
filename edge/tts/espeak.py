"""Speaks some 130 languages through the espeak-ng program, which is run once per sentence."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator

import numpy as np

from edge.errors import EngineError
from edge.tts.sentences import split_sentences
from edge.tts.spoken_form import spoken_form
from edge.types import AudioFrame

TIMEOUT_S = 10.0
VOICES = {
    "en": "en-us",
    "en-gb": "en-gb",
    "fr": "fr-fr",
    "fr-ch": "fr-ch",
    "fr-be": "fr-be",
    "no": "nb",
    "pt-br": "pt-br",
    "zh": "cmn",
    "zh-cn": "cmn",
    "zh-tw": "cmn",
    "zh-hk": "yue",
    "es-mx": "es-419",
    "gl": "es",
    "kw": "cy",
    "mn": "kk",
}
"""espeak-ng's voice where it is not called as the language; Galician, Cornish and Mongolian borrow the nearest one."""


class EspeakVoice:
    """A `Voice` of 8 MB of memory and 12-22 ms to the first sound, robotic."""

    def __init__(self, language: str = "en", *, words_per_minute: int = 165) -> None:
        """Speak ``language``, a tag like ``de``, ``de-CH``, ``pt-BR`` or ``sr-Latn``.

        Raises:
            EngineError: the program is missing.
        """
        program = shutil.which("espeak-ng")
        if program is None:
            raise EngineError("espeak-ng is missing: sudo apt install espeak-ng")
        self._command = [program, "-v", espeak_voice(language), "-s", str(words_per_minute), "-b", "1", "-z"]
        self._command += ["--stdin", "--stdout"]
        self._language = language

    def synthesize(self, text: str) -> Iterator[AudioFrame]:
        """A frame per sentence, at espeak-ng's 22.05 kHz.

        Raises:
            EngineError: the program failed, hung, or does not know the language.
        """
        start_ms = 0.0
        for sentence in split_sentences(spoken_form(text, self._language)):
            frame = _frame(self._speak(sentence), start_ms)
            start_ms += frame.duration_ms
            yield frame

    def _speak(self, sentence: str) -> bytes:
        try:
            done = subprocess.run(
                self._command, input=sentence.encode("utf-8", "replace"), capture_output=True, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"espeak-ng did not answer within {TIMEOUT_S:.0f} s") from error
        except OSError as error:
            raise EngineError(f"espeak-ng cannot be run: {error}") from error
        if done.returncode != 0:
            reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
            raise EngineError(f"espeak-ng cannot speak {self._language}: {reason or done.returncode}")
        return done.stdout


def espeak_voice(language: str) -> str:
    """Name of espeak-ng's voice for a language tag; region and script fall away where it has none of its own.

    Raises:
        EngineError: This is not a language tag.
    """
    tag = language.lower().replace("_", "-")
    primary = tag.split("-", 1)[0]
    if not (primary.isascii() and primary.isalpha() and 2 <= len(primary) <= 3):
        raise EngineError(f"{language!r} is no language tag: use one like de, pt-BR or zh-HK")
    return VOICES.get(tag) or VOICES.get(primary) or primary


def _frame(wav: bytes, start_ms: float) -> AudioFrame:
    """First and only data chunk of a streamed WAV, whose header does not know its length."""
    at = wav.find(b"data", 12)
    if wav[:4] != b"RIFF" or at < 0:
        raise EngineError("espeak-ng gave no audio: sudo apt install --reinstall espeak-ng espeak-ng-data")
    channels, rate_hz = struct.unpack_from("<HI", wav, 22)
    if channels != 1:
        raise EngineError(f"espeak-ng gave {channels} channels, not one")
    body = wav[at + 8 :]
    return AudioFrame(np.frombuffer(body[: len(body) // 2 * 2], "<i2").astype(np.int16), rate_hz, start_ms)
