"""``edge parse``: text to parse, without ears or mouth, as lean as the device can be."""

from __future__ import annotations

import argparse
import time

from edge import compose
from edge.commands.input import typed_lines
from edge.commands.output import clean, parse_json, write_json
from edge.commands.starts import started
from edge.types import Transcript

_WARM_UP = "turn on the light"
"""Parsed before the command, so that the time of an English command is not that of loading English words."""


def parse(arguments: argparse.Namespace) -> int:
    """Print a JSON object per command."""
    with started(arguments.bundle):
        bundle = compose.bundle(arguments.bundle, arguments.allow_unsigned)
        parser = compose.parser(bundle, compose.home(arguments.home), arguments.lang)
        parser.parse(Transcript(_WARM_UP))
    for text in typed_lines() if arguments.text == "-" else iter((clean(arguments.text),)):
        start_ns = time.perf_counter_ns()
        understood = parser.parse(Transcript(text))
        write_json(parse_json(understood, text, (time.perf_counter_ns() - start_ns) / 1e6))
    return 0
