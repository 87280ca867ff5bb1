"""English speech recognition with Moonshine tiny, greedily decoded."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.asr.moonshine_model import END, RATE_HZ, Encoded, FloatArray, MoonshineModel
from edge.errors import EngineError
from edge.types import AudioFrame, Pcm, Transcript, Word

TOKENS_PER_SECOND = 6.5
LONGEST_LOOP = 8
LOOP_REPEATS = 4
SILENCE_RMS = 0.0005
FLOOR_MS = 100
QUIET_ABOVE_FLOOR = 2.0
QUIET_BELOW_PEAK = 0.05
INAUDIBLE_BELOW_SPEECH = 0.01
SHORTEST_MS = 100
MARGIN_MS = 100
SILENCE_MS = 500
BLOCK_MS = 20
_LETTERS = re.compile(r"\b(?:[A-Z]\. ?)+[A-Z]\b\.?")


@dataclass(frozen=True)
class Decoded:
    """Token ids without the end token, and the probability of each (with the end token's last if it was reached)."""

    tokens: tuple[int, ...]
    probabilities: tuple[float, ...]


class MoonshineRecognizer:
    """A `Recognizer` that decodes once per pause.

    ``accept`` only collects audio. ``partial`` decodes what was collected; call it when the voice has paused for some
    200 ms, to see whether the text is a complete command. ``finish`` then decodes again only if something louder than
    that pause followed, so that ending an utterance early costs nothing more.
    """

    def __init__(
        self,
        model: MoonshineModel | None = None,
        *,
        folder: Path | None = None,
        threads: int = 1,
        time_limit_ms: float = 4000.0,
        longest_ms: float = 20000.0,
    ) -> None:
        """Use ``model``, or load it from ``folder`` (by default the one that ``moonshine-voice`` carries).

        A decoding that takes longer than ``time_limit_ms`` returns what it has. Audio after ``longest_ms`` is dropped.

        Raises:
            EngineError: the model or onnxruntime is missing.
        """
        self._model = model or MoonshineModel(folder, threads)
        self._time_limit_ms = time_limit_ms
        self._longest_samples = int(longest_ms * RATE_HZ / 1000)
        self._frames: list[Pcm] = []
        self._decoded: Transcript | None = None
        self._clear()

    def accept(self, frame: AudioFrame) -> Transcript | None:
        """Collect a frame at 16 kHz; always None, see `partial`.

        Raises:
            EngineError: the frame has another rate.
        """
        if frame.rate_hz != RATE_HZ:
            raise EngineError(f"Moonshine hears {RATE_HZ} Hz, not {frame.rate_hz}: resample the audio first")
        if not self._frames:
            self._start_ms = frame.start_ms
        self._end_ms = frame.start_ms + frame.duration_ms
        room = self._longest_samples - self._samples
        pcm = frame.pcm[: max(room, 0)]
        self._frames.append(pcm)
        self._samples += len(pcm)
        return None

    def partial(self) -> Transcript:
        """Text of everything accepted since the last `finish`."""
        if self._decoded is None or not self._quiet_since_decoded():
            audio = self._audio()
            self._decoded = self._decode(audio)
            self._decoded_samples = len(audio)
        return self._decoded

    def finish(self) -> Transcript:
        """Text of the whole utterance; the next frame begins another."""
        transcript = self.partial()
        self._clear()
        return transcript

    def _clear(self) -> None:
        self._frames = []
        self._samples = 0
        self._start_ms = self._end_ms = 0.0
        self._decoded = None
        self._decoded_samples = 0

    def _audio(self) -> FloatArray:
        pcm = np.concatenate(self._frames) if self._frames else np.zeros(0, np.int16)
        return pcm.astype(np.float32) / 32768.0

    def _quiet_since_decoded(self) -> bool:
        audio = self._audio()
        before, after = audio[: self._decoded_samples], audio[self._decoded_samples :]
        if not len(after):
            return True
        floor = _rms(before[-FLOOR_MS * RATE_HZ // 1000 :])
        return _loudest(after) <= max(floor * QUIET_ABOVE_FLOOR, _loudest(before) * QUIET_BELOW_PEAK, SILENCE_RMS)

    def _decode(self, audio: FloatArray) -> Transcript:
        speech = framed(audio)
        if speech is None:
            return Transcript("", 0.0, end_ms=self._end_ms, heard=True)
        return self._transcribe(self._model.encode(speech))

    def _transcribe(self, encoded: Encoded) -> Transcript:
        return self._decode_freely(encoded)

    def _decode_freely(self, encoded: Encoded) -> Transcript:
        decoded = decode_greedily(self._model, encoded, self._time_limit_ms)
        text = joined_letters(self._model.text(decoded.tokens))
        if not any(character.isalnum() for character in text):
            return Transcript("", 0.0, end_ms=self._end_ms, heard=True)
        confidence = float(np.mean(decoded.probabilities))
        return Transcript(text, confidence, self._words(decoded), end_ms=self._end_ms, heard=True)

    def _words(self, decoded: Decoded) -> tuple[Word, ...]:
        """Words with the mean probability of their tokens; Moonshine gives no times, so all span the utterance."""
        groups: list[tuple[list[int], list[float]]] = []
        for token, probability in zip(decoded.tokens, decoded.probabilities, strict=False):
            if not groups or self._model.vocabulary[token].startswith("\u2581".encode()):
                groups.append(([], []))
            groups[-1][0].append(token)
            groups[-1][1].append(probability)
        words = ((self._model.text(tokens), float(np.mean(probabilities))) for tokens, probabilities in groups)
        return tuple(Word(text, confidence, self._start_ms, self._end_ms) for text, confidence in words if text)


def joined_letters(text: str) -> str:
    """Letters said one by one as a word: "T. V." becomes "TV"."""
    return _LETTERS.sub(lambda found: found[0].replace(".", "").replace(" ", ""), text)


def decode_greedily(model: MoonshineModel, encoded: Encoded, time_limit_ms: float) -> Decoded:
    """Most probable token after token of an encoded utterance.

    Stops at the end token, at 6.5 tokens per second (the limit that Moonshine's authors use), after ``time_limit_ms``,
    or when the same tokens came four times in a row; one repetition is kept.
    """
    deadline = time.thread_time() + time_limit_ms / 1000
    most = max(2, int(TOKENS_PER_SECOND * encoded.samples / RATE_HZ) + 1)
    logits, state = model.begin(encoded)
    tokens: list[int] = []
    probabilities: list[float] = []
    while True:
        token = int(logits[0].argmax())
        probabilities.append(float(1.0 / np.exp(logits[0] - logits[0, token]).sum()))
        if token == END:
            break
        tokens.append(token)
        loop = _loop_length(tokens)
        if loop:
            keep = len(tokens) - loop * (LOOP_REPEATS - 1)
            tokens, probabilities = tokens[:keep], probabilities[:keep]
            break
        if len(tokens) >= most or time.thread_time() > deadline:
            break
        logits, state = model.step([token], state)
    return Decoded(tuple(tokens), tuple(probabilities))


def _loop_length(tokens: list[int]) -> int:
    for length in range(1, LONGEST_LOOP + 1):
        tail = tokens[-length * LOOP_REPEATS :]
        if len(tail) == length * LOOP_REPEATS and tail == tail[:length] * LOOP_REPEATS:
            return length
    return 0


def _rms(audio: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(audio)))) if len(audio) else 0.0


def framed(audio: FloatArray) -> FloatArray | None:
    """Float32 [n] at 16 kHz whose ends, where they are 40 dB below its speech, became half a second of silence each.

    The network's time grows with the audio, and recordings may hold more silence than speech; of those that begin or
    end with speech it loses words. Speech is as loud as the loudest blocks that together last as long as the shortest
    word, which a click does not. None where these are silent.
    """
    blocks = _blocks(audio)
    shortest = SHORTEST_MS // BLOCK_MS
    if len(blocks) < shortest or (level := np.sort(blocks)[-shortest]) < SILENCE_RMS:
        return None
    loud = np.flatnonzero(blocks > level * INAUDIBLE_BELOW_SPEECH)
    block, margin = BLOCK_MS * RATE_HZ // 1000, MARGIN_MS * RATE_HZ // 1000
    speech = audio[max(loud[0] * block - margin, 0) : (loud[-1] + 1) * block + margin]
    return np.pad(speech, SILENCE_MS * RATE_HZ // 1000)


def _loudest(audio: FloatArray) -> float:
    blocks = _blocks(audio)
    return float(blocks.max()) if len(blocks) else _rms(audio)


def _blocks(audio: FloatArray) -> FloatArray:
    """Root mean square of each whole block."""
    size = BLOCK_MS * RATE_HZ // 1000
    whole: FloatArray = np.sqrt(np.mean(np.square(audio[: len(audio) // size * size].reshape(-1, size)), axis=1))
    return whole
