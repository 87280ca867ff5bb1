"""``edge listen``: each recording is one command, understood but not carried out."""

from __future__ import annotations

import argparse
from typing import Any

from edge import compose
from edge.board.trace import Trace
from edge.commands.output import clean, parse_json, spans_json, write_json
from edge.errors import EdgeError
from edge.protocols import Parser, Recognizer


def listen(arguments: argparse.Namespace) -> int:
    """Print a JSON object per file; 1 when a file could not be heard, whose object then says why."""
    profile = compose.profile(arguments)
    bundle = compose.bundle(profile.bundle)
    language = arguments.lang or compose.heard_language(profile, bundle)
    parser = compose.spoken_parser(profile, bundle, compose.home(profile.home.named), language)
    recognizer = compose.recognizer(profile)
    failures = 0
    for name in arguments.files:
        try:
            row = _hear(name, recognizer, parser)
        except EdgeError as error:
            row = {"transcript": None, "parse": None, "spans": [], "error": str(error)}
            failures += 1
        write_json({"file": clean(name), **row})
    return 1 if failures else 0


def _hear(name: str, recognizer: Recognizer, parser: Parser) -> dict[str, Any]:
    trace = Trace()
    with trace.stage("read"):
        frames = list(compose.wav_microphone(name, trailing_silence_ms=0).frames())
    with trace.stage("recognize"):
        for frame in frames:
            recognizer.accept(frame)
        transcript = recognizer.finish()
    with trace.stage("parse"):
        parse = parser.parse(transcript)
    spans = trace.merged()
    return {
        "transcript": transcript.text,
        "transcript_confidence": round(transcript.confidence, 4),
        "parse": parse_json(parse, transcript.text, spans[-1].ms),
        "spans": spans_json(spans),
    }
