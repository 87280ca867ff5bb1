"""``edge parse``: text to parse, without ears or mouth, as lean as the device can be."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from edge import compose
from edge.commands.output import clean, parse_json, write_json
from edge.commands.starts import started
from edge.types import Transcript

_MAX_BYTES = 1 << 16
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


def typed_lines() -> Iterator[str]:
    """Lines as they come; only a newline ends one. What is over 64 KiB of a line is left out, and said so once."""
    told = False
    while line := sys.stdin.buffer.readline(_MAX_BYTES + 1):
        if len(line) > _MAX_BYTES and not line.endswith(b"\n"):
            _skip_rest()
            line = line[:_MAX_BYTES]
            if not told:
                sys.stderr.write(f"edge: of a line longer than {_MAX_BYTES} bytes only the beginning is read\n")
                told = True
        yield line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")


def _skip_rest() -> None:
    while rest := sys.stdin.buffer.readline(1 << 16):
        if rest.endswith(b"\n"):
            return
