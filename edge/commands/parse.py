"""``edge parse``: text to parse, without ears or mouth, as lean as the device can be."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from edge import compose
from edge.commands.output import clean, parse_json, write_json
from edge.types import Transcript

_WARM_UP = "turn on the light"
"""Parsed before the command, so that the time of an English command is not that of loading English words."""


def parse(arguments: argparse.Namespace) -> int:
    """Print a JSON object per command."""
    home = compose.home(arguments.home)
    parser = compose.parser(compose.bundle(arguments.bundle), home, arguments.lang)
    parser.parse(Transcript(_WARM_UP))
    for text in _lines() if arguments.text == "-" else iter((clean(arguments.text),)):
        start_ns = time.perf_counter_ns()
        understood = parser.parse(Transcript(text))
        write_json(parse_json(understood, text, (time.perf_counter_ns() - start_ns) / 1e6))
    return 0


def _lines() -> Iterator[str]:
    """Lines of standard input as they come; only a newline ends one, whatever other control characters it holds."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
