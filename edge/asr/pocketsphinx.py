"""English within a JSGF grammar, for boards with little memory: PocketSphinx with a dictionary cut to the grammar."""

from __future__ import annotations

import importlib.util
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge.errors import EngineError
from edge.types import AudioFrame, Transcript, Word

RATE_HZ = 16000
MAX_GRAMMAR_CHARS = 1_000_000
_HEADER = re.compile(r"\s*#JSGF V1\.0[^;]*;")
_NO_WORD = re.compile(r"/\*.*?\*/|//[^\n]*|\{[^}]*\}|<[^>]*>|/[\d.eE+-]+/|[|()\[\]*+=;]", re.DOTALL)
_SILENCE = re.compile(r"<.*>|\[.*\]|\+.*\+")


class PocketSphinxRecognizer:
    """A `Recognizer` that hears only words in the order of its grammar.

    Other speech becomes the nearest sentence, the beginning of one, or no text: reject what the parser does not know.
    Confidences are PocketSphinx's posteriors, which within a grammar are near 1 for right and wrong alike.
    """

    def __init__(self, grammar: str, *, model_path: Path | None = None, time_limit_ms: float = 1500.0) -> None:
        """Prepare for ``grammar``, a JSGF text with a public rule; by default with the model of the package.

        Decoding that falls more than ``time_limit_ms`` behind the audio stops, and the best sentence so far is taken.

        Raises:
            EngineError: pocketsphinx or its model is missing, the grammar is none, or holds words that the
                pronouncing dictionary does not know.
        """
        words = grammar_words(grammar)
        model = model_path or _packaged_model()
        for name in ("en-us/mdef", "cmudict-en-us.dict"):
            if not (model / name).is_file():
                raise EngineError(f"{model / name} is missing: pip install pocketsphinx")
        try:
            import pocketsphinx
        except ImportError as error:
            raise EngineError("PocketSphinx is missing: pip install pocketsphinx") from error
        entries = _pronunciations(model / "cmudict-en-us.dict", words)
        with tempfile.TemporaryDirectory() as folder:
            dictionary = Path(folder) / "grammar.dict"
            dictionary.write_text("".join(entries), encoding="utf-8")
            try:
                self._decoder: Any = pocketsphinx.Decoder(
                    hmm=str(model / "en-us"), dict=str(dictionary), lm=None, samprate=RATE_HZ, loglevel="FATAL"
                )
                self._decoder.add_jsgf_string("commands", grammar)
                self._decoder.activate_search("commands")
            except (ValueError, RuntimeError, KeyError) as error:
                raise EngineError(f"PocketSphinx refused the grammar or its model: {error}") from error
        self._time_limit_ms = time_limit_ms
        self._running = False
        self._start_ms = self._end_ms = self._lag_ms = 0.0

    def accept(self, frame: AudioFrame) -> Transcript | None:
        """Decode a frame at 16 kHz; never a partial text, see `partial`.

        Raises:
            EngineError: the frame has another rate, or PocketSphinx failed.
        """
        if frame.rate_hz != RATE_HZ:
            raise EngineError(f"PocketSphinx hears {RATE_HZ} Hz, not {frame.rate_hz}: resample the audio first")
        if not self._running:
            self._decoder.start_utt()
            self._running, self._start_ms, self._lag_ms = True, frame.start_ms, 0.0
        self._end_ms = frame.start_ms + frame.duration_ms
        if self._lag_ms > self._time_limit_ms or not len(frame.pcm):
            return None
        begun = time.monotonic()
        try:
            self._decoder.process_raw(frame.pcm.tobytes(), False, False)
        except RuntimeError as error:
            raise EngineError(f"PocketSphinx failed: {error}") from error
        self._lag_ms = max(0.0, self._lag_ms + 1000 * (time.monotonic() - begun) - frame.duration_ms)
        return None

    def partial(self) -> Transcript:
        """Best words so far; they need not be a whole sentence yet. Costs nothing."""
        hypothesis = self._decoder.hyp() if self._running else None
        return Transcript(hypothesis.hypstr if hypothesis else "", 0.0, end_ms=self._end_ms)

    def finish(self) -> Transcript:
        """Best sentence of the utterance; the next frame begins another."""
        if not self._running:
            return Transcript("", 0.0, end_ms=self._end_ms)
        self._running = False
        try:
            self._decoder.end_utt()
            hypothesis = self._decoder.hyp()
            words = self._words() if hypothesis else ()
        except RuntimeError as error:
            raise EngineError(f"PocketSphinx failed: {error}") from error
        if hypothesis is None or not words:
            return Transcript("", 0.0, end_ms=self._end_ms)
        confidence = sum(word.confidence for word in words) / len(words)
        return Transcript(hypothesis.hypstr, confidence, words, end_ms=self._end_ms)

    def _words(self) -> tuple[Word, ...]:
        exp = self._decoder.get_logmath().exp
        return tuple(
            Word(
                re.sub(r"\(\d+\)$", "", segment.word),
                min(1.0, float(exp(segment.prob))),
                self._start_ms + 10.0 * segment.start_frame,
                self._start_ms + 10.0 * (segment.end_frame + 1),
            )
            for segment in self._decoder.seg()
            if not _SILENCE.fullmatch(segment.word)
        )


def grammar_words(grammar: str) -> tuple[str, ...]:
    """Words of a JSGF text in order of appearance.

    Raises:
        EngineError: it has no header, no public rule, no words, or uses a rule that it does not define.
    """
    header = _HEADER.match(grammar)
    if header is None or "public" not in grammar or len(grammar) > MAX_GRAMMAR_CHARS or "\0" in grammar:
        raise EngineError("a PocketSphinx grammar is JSGF: '#JSGF V1.0; grammar name; public <name> = …;'")
    undefined = (
        set(re.findall(r"<([^>]*)>(?!\s*=)", grammar)) - set(re.findall(r"<([^>]*)>\s*=", grammar)) - {"NULL", "VOID"}
    )
    if undefined:
        raise EngineError(f"the PocketSphinx grammar does not define <{'>, <'.join(sorted(undefined))}>")
    body = re.sub(r"\bgrammar\s+[\w.]+\s*;|\bpublic\b(?=\s*<)", " ", grammar[header.end() :])
    words = tuple(dict.fromkeys(_NO_WORD.sub(" ", body).split()))
    if not words:
        raise EngineError("the PocketSphinx grammar has no words")
    return words


def _pronunciations(dictionary: Path, words: Iterable[str]) -> list[str]:
    missing = set(words)
    wanted = frozenset(missing)
    entries = []
    with dictionary.open(encoding="utf-8") as lines:
        for line in lines:
            word = line.split(" ", 1)[0].split("(", 1)[0]
            if word in wanted:
                entries.append(line)
                missing.discard(word)
    if missing:
        raise EngineError(f"the English dictionary does not know {', '.join(sorted(missing))}: leave these words out")
    return entries


def _packaged_model() -> Path:
    spec = importlib.util.find_spec("pocketsphinx")
    for place in (spec.submodule_search_locations if spec else None) or ():
        return Path(place) / "model" / "en-us"
    raise EngineError("PocketSphinx is missing: pip install pocketsphinx")
