"""Sentences spoken into a folder of recordings with labels, the material of ``edge-bench speech``."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio.resample import resample
from edge.audio.wav import write_wav
from edge.errors import ConfigError
from edge.files import write_file
from edge.protocols import Voice
from edge.types import AudioFrame, Pcm

RATE_HZ = 16000
VOICES = ("piper", "espeak")
_PROGRESS_EVERY = 50


def speak(source: Path, out: Path, voice: str, minutes: float, seed: int) -> float:
    """Speak sentences of ``source`` in an order drawn from ``seed`` until ``minutes`` are full; returns the minutes.

    ``source`` is text without commands, a sentence a line; or JSON lines ``{"text", "intent", "slots"}``.
    ``voice`` is ``piper``, or ``espeak`` with a dialect (``espeak:en-gb``). Writes ``0001.wav`` and so on at 16 kHz
    and ``labels.json``; what the voice says nothing of is left out.

    Raises:
        ConfigError: the source holds no sentence, or the voice is unknown.
        EngineError: the voice is not installed.
    """
    said = read_sentences(source)
    random.Random(seed).shuffle(said)
    engine = _voice(voice, seed)
    out.mkdir(parents=True, exist_ok=True)
    labels: dict[str, dict[str, Any]] = {}
    seconds = 0.0
    for number, label in enumerate(said, 1):
        pcm = _pcm(engine.synthesize(label["text"]))
        if not len(pcm):
            sys.stderr.write(f"edge-bench: left out, the voice says nothing of it: {label['text']!r}\n")
            continue
        name = f"{number:04d}.wav"
        write_wav(out / name, pcm)
        labels[name] = label
        seconds += len(pcm) / RATE_HZ
        if number % _PROGRESS_EVERY == 0:
            sys.stderr.write(f"edge-bench: {number} sentences, {seconds / 60:.1f} of {minutes:g} minutes\n")
        if seconds >= 60 * minutes:
            break
    write_file(out / "labels.json", json.dumps(labels, indent=1, ensure_ascii=False))
    return seconds / 60


def read_sentences(source: Path) -> list[dict[str, Any]]:
    """Labels of the sentences in ``source``; those of a plain text have no intent.

    Raises:
        ConfigError: It holds none, or a line is not a label.
    """
    labels: list[dict[str, Any]] = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        if source.suffix != ".jsonl":
            labels.append({"text": line.strip(), "intent": None, "slots": {}})
            continue
        try:
            row = json.loads(line)
            labels.append({"text": str(row["text"]), "intent": row["intent"], "slots": dict(row.get("slots") or {})})
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f'{source}:{number}: expected {{"text": …, "intent": …, "slots": {{…}}}}') from error
    if not labels:
        raise ConfigError(f"{source} holds no sentence: write one a line")
    return labels


def _voice(name: str, seed: int) -> Voice:
    engine, _, dialect = name.partition(":")
    if engine not in VOICES or (dialect and engine == "piper"):
        raise ConfigError(f"unknown voice {name!r}: expected piper, espeak or such as espeak:en-gb")
    if engine == "espeak":
        from edge.tts.espeak import EspeakVoice

        return EspeakVoice(dialect or "en")
    import onnxruntime

    from edge.tts.piper import PiperVoice

    onnxruntime.set_seed(seed)
    return PiperVoice()


def _pcm(frames: Iterable[AudioFrame]) -> Pcm:
    parts = list(frames)
    if not parts:
        return np.zeros(0, np.int16)
    return resample(np.concatenate([frame.pcm for frame in parts]), parts[0].rate_hz, RATE_HZ)
