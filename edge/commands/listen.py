"""``edge listen``: each recording is one command, understood but not carried out.

A recording goes the way of the microphone: gain, voice detector, recognizer, so that silence before the command,
however long, changes nothing. A pause inside the command does not end it, since nothing else is expected after it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edge import compose
from edge.board.trace import Trace
from edge.commands.output import clean, parse_json, spans_json, write_json
from edge.commands.starts import started
from edge.errors import EdgeError
from edge.parts import Ears
from edge.protocols import Parser, Speech
from edge.types import AudioFrame, Transcript

_PAUSE_MS = 1500
_KEPT_SILENCE_MS = 300


def listen(arguments: argparse.Namespace) -> int:
    """Print a JSON object per file; 1 when a file could not be heard, whose object then says why."""
    profile = compose.profile(arguments)
    with started(profile.bundle):
        bundle = compose.bundle(profile.bundle, profile.allow_unsigned)
        language = arguments.lang or compose.heard_language(profile, bundle)
        parser = compose.spoken_parser(profile, bundle, compose.home(profile.home.named), language)
        ears = compose.ears(profile, wake="none")
    failures = 0
    for name in arguments.files:
        try:
            row = _hear(name, ears, parser)
        except EdgeError as error:
            row = {"transcript": None, "parse": None, "spans": [], "error": str(error)}
            failures += 1
        write_json({"file": clean(name), **row})
    return 1 if failures else 0


def _hear(name: str, ears: Ears, parser: Parser) -> dict[str, Any]:
    trace = Trace()
    ears.segmenter.reset()
    ears.endpointer.wait(_PAUSE_MS)
    transcript = Transcript("")
    for frames in _utterances(name, ears, trace):
        with trace.stage("recognize"):
            for frame in frames:
                ears.recognizer.accept(frame)
            transcript = ears.recognizer.finish()
        if transcript.text:
            break
    with trace.stage("parse"):
        parse = parser.parse(transcript)
    spans = trace.merged()
    return {
        "transcript": transcript.text,
        "transcript_confidence": round(transcript.confidence, 4),
        "parse": parse_json(parse, transcript.text, spans[-1].ms),
        "spans": spans_json(spans),
    }


def _utterances(name: str, ears: Ears, trace: Trace) -> Iterator[list[AudioFrame]]:
    """The frames of each stretch of speech, without most of the silence after it."""
    frames: list[AudioFrame] = []
    silent: list[AudioFrame] = []
    for frame in compose.wav_microphone(name, trailing_silence_ms=_PAUSE_MS + 500).frames():
        with trace.stage("end-point"):
            for improve in ears.front:
                frame = improve.accept(frame)
            speech, given = ears.segmenter.accept(frame)
        if ears.endpointer.silence_ms > _KEPT_SILENCE_MS:
            silent += given
        else:
            frames += [*silent, *given]
            silent = []
        if speech is Speech.ENDED:
            yield frames
            frames, silent = [], []
            ears.segmenter.reset()
            ears.endpointer.wait(_PAUSE_MS)
    if frames:
        yield frames
