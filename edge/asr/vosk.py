"""Streaming speech recognition with Vosk (Kaldi), optionally limited to a list of phrases."""

from __future__ import annotations

import json
import logging
import math
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import EngineError
from edge.types import AudioFrame, Transcript, Word

RATE_HZ = 16000
UNKNOWN = "[unk]"
MAX_PHRASES = 20000
FST_MAGIC = (2125659606).to_bytes(4, "little")

_log = logging.getLogger(__name__)


class VoskRecognizer:
    """A `Recognizer` over a Vosk model folder; ``accept`` returns the text so far whenever it changed."""

    def __init__(self, model_path: Path, phrases: Sequence[str] | None = None, *, alternatives: int = 0) -> None:
        """Load the model.

        With ``phrases`` only their words are recognized; anything else gives no text if the model has the word
        ``[unk]`` (the small models do), otherwise the nearest words. Phrases with words that the model does not know
        are left out and logged; ``unknown_words`` names the words. With ``alternatives`` the transcript carries that
        many further readings, and confidences are posteriors.

        Raises:
            EngineError: vosk or model files are missing, or no phrase is usable.
        """
        check_model(model_path)
        try:
            vosk = _vosk()
        except (ImportError, OSError) as error:
            raise EngineError("Vosk is missing: pip install 'edge-assistant[speech]'") from error
        vosk.SetLogLevel(-1)
        try:
            self._model: Any = vosk.Model(str(model_path))
        except Exception as error:
            raise EngineError(f"{model_path} is damaged: install it again with `edge models install`") from error
        self.unknown_words: tuple[str, ...] = ()
        arguments: list[str] = []
        if phrases is not None:
            if (model_path / "graph" / "HCLG.fst").is_file():
                raise EngineError(f"{model_path.name} has a fixed graph: use a small model, or no grammar")
            arguments = [json.dumps(self._usable(phrases), ensure_ascii=False)]
        try:
            self._recognizer: Any = vosk.KaldiRecognizer(self._model, RATE_HZ, *arguments)
        except Exception as error:
            raise EngineError(f"Vosk refused the grammar of {len(phrases or ())} phrases") from error
        self._recognizer.SetWords(True)
        self._recognizer.SetMaxAlternatives(alternatives)
        self._segments: list[Transcript] = []
        self._partial = Transcript("", 0.0)
        self._fed_ms = self._offset_ms = self._end_ms = 0.0
        self._fresh = True

    def accept(self, frame: AudioFrame) -> Transcript | None:
        """Decode a frame at 16 kHz; the text so far when it changed, without word times.

        Raises:
            EngineError: the frame has another rate, or Vosk failed.
        """
        if frame.rate_hz != RATE_HZ:
            raise EngineError(f"Vosk hears {RATE_HZ} Hz here, not {frame.rate_hz}: resample the audio first")
        if self._fresh:
            self._offset_ms, self._fresh = frame.start_ms - self._fed_ms, False
        self._fed_ms += frame.duration_ms
        self._end_ms = frame.start_ms + frame.duration_ms
        try:
            ended = self._recognizer.AcceptWaveform(frame.pcm.tobytes())
            answer = self._recognizer.Result() if ended else self._recognizer.PartialResult()
        except Exception as error:
            raise EngineError(f"Vosk failed: {error}") from error
        if ended:
            self._segments.append(self._read(answer))
            partial = ""
        else:
            partial = _clean(json.loads(answer).get("partial", ""))
        text = " ".join([segment.text for segment in self._segments if segment.text] + [partial]).strip()
        if text == self._partial.text:
            return None
        self._partial = Transcript(text, end_ms=self._end_ms)
        return self._partial

    def partial(self) -> Transcript:
        """Text of what was accepted so far; costs nothing."""
        return self._partial

    def finish(self) -> Transcript:
        """Text of the whole utterance with words and confidences; the next frame begins another."""
        try:
            self._segments.append(self._read(self._recognizer.FinalResult()))
            self._recognizer.Reset()
        except Exception as error:
            raise EngineError(f"Vosk failed: {error}") from error
        transcript = _join(self._segments, self._end_ms)
        self._segments, self._partial, self._fresh = [], Transcript("", 0.0), True
        return transcript

    def _usable(self, phrases: Sequence[str]) -> list[str]:
        usable: dict[str, None] = {}
        unknown: dict[str, None] = {}
        for phrase in check_phrases(phrases):
            strange = [word for word in phrase.split() if self._model.vosk_model_find_word(word) <= 0]
            unknown.update(dict.fromkeys(strange))
            if not strange:
                usable[phrase] = None
        self.unknown_words = tuple(unknown)
        if unknown:
            _log.warning("Vosk does not know %s: phrases with these words cannot be heard", ", ".join(unknown))
        if not usable:
            raise EngineError("the model knows none of the grammar's phrases: does the language fit?")
        return [*usable, UNKNOWN] if self._model.vosk_model_find_word(UNKNOWN) > 0 else list(usable)

    def _read(self, answer: str) -> Transcript:
        result = json.loads(answer)
        if "alternatives" not in result:
            words = _words(result.get("result", ()), self._offset_ms)
            return Transcript(_clean(result.get("text", "")), _mean(words), words)
        readings = [(_clean(item["text"]), float(item["confidence"]), item) for item in result["alternatives"]]
        best = max((score for _, score, _ in readings), default=0.0)
        weights = [math.exp(score - best) for _, score, _ in readings]
        posteriors = [weight / sum(weights) for weight in weights]
        support: dict[str, float] = {}
        for (text, _, _), posterior in zip(readings, posteriors, strict=True):
            for word in set(text.split()):
                support[word] = support.get(word, 0.0) + posterior
        words = _words(readings[0][2].get("result", ()), self._offset_ms, support)
        others = dict.fromkeys(text for text, _, _ in readings[1:] if text and text != readings[0][0])
        return Transcript(readings[0][0], _mean(words), words, tuple(others))


def _vosk() -> Any:
    """The package without urllib3's look at the network: when imported it opens a socket to see whether IPv6 works."""
    has_ipv6, socket.has_ipv6 = socket.has_ipv6, False
    try:
        import vosk
    finally:
        socket.has_ipv6 = has_ipv6
    return vosk


def check_model(path: Path) -> None:
    """Raise EngineError unless the folder has what Vosk reads: with less, the native code ends the process."""
    flat = (path / "final.mdl").is_file()
    needed = ["final.mdl", "mfcc.conf"] if flat else ["am/final.mdl", "conf/mfcc.conf", "conf/model.conf"]
    graph = path if flat else path / "graph"
    graphs = ["HCLG.fst"] if (graph / "HCLG.fst").is_file() else ["HCLr.fst", "Gr.fst"]
    needed += [str((graph / name).relative_to(path)) for name in graphs]
    if graphs[0] == "HCLr.fst":
        needed.append(str((graph / "disambig_tid.int").relative_to(path)))
    if (path / "ivector" / "final.ie").is_file():
        parts = ("splice.conf", "online_cmvn.conf", "final.mat", "global_cmvn.stats", "final.dubm")
        needed += [f"ivector/{part}" for part in parts]
    for name in needed:
        file = path / name
        if not file.is_file() or not file.stat().st_size:
            raise EngineError(f"{path} is no Vosk model, {name} is missing: see `edge models list`")
    for name in graphs:
        with (graph / name).open("rb") as stream:
            if stream.read(4) != FST_MAGIC:
                raise EngineError(f"{graph / name} is damaged: install the model again with `edge models install`")


def read_phrases(path: Path) -> list[str]:
    """Phrases from a JSON file that holds a list of strings.

    Raises:
        EngineError: the file is missing or holds something else.
    """
    try:
        phrases = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{path} is not a readable JSON list of phrases: {error}") from error
    return check_phrases(phrases)


def check_phrases(phrases: object) -> list[str]:
    """Lower-cased phrases with single spaces; EngineError where Vosk's native parser would end the process."""
    if isinstance(phrases, str) or not isinstance(phrases, Sequence) or not phrases:
        raise EngineError("a Vosk grammar is a list of phrases with at least one phrase")
    if len(phrases) > MAX_PHRASES:
        raise EngineError(f"a Vosk grammar has at most {MAX_PHRASES} phrases, not {len(phrases)}")
    checked = []
    for phrase in phrases:
        if not isinstance(phrase, str) or not phrase.strip() or not phrase.replace(" ", "").isprintable():
            raise EngineError(f"a Vosk grammar holds phrases of printable text, not {phrase!r}")
        checked.append(" ".join(phrase.lower().split()))
    return checked


def _words(
    items: Sequence[dict[str, Any]], offset_ms: float, support: dict[str, float] | None = None
) -> tuple[Word, ...]:
    return tuple(
        Word(
            item["word"],
            min(1.0, float(support.get(item["word"], 0.0) if support is not None else item["conf"])),
            offset_ms + 1000 * float(item["start"]),
            offset_ms + 1000 * float(item["end"]),
        )
        for item in items
        if item["word"] != UNKNOWN
    )


def _mean(words: tuple[Word, ...]) -> float:
    return sum(word.confidence for word in words) / len(words) if words else 0.0


def _clean(text: str) -> str:
    return " ".join(word for word in text.split() if word != UNKNOWN)


def _join(segments: list[Transcript], end_ms: float) -> Transcript:
    words = tuple(word for segment in segments for word in segment.words)
    spoken = [segment for segment in segments if segment.text]
    alternatives = spoken[0].alternatives if len(spoken) == 1 else ()
    return Transcript(" ".join(segment.text for segment in spoken), _mean(words), words, alternatives, end_ms)
