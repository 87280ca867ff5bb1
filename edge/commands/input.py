"""What is typed: lines of standard input, however long they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator

_MAX_BYTES = 1 << 16


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
