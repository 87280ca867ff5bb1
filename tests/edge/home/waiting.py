"""Waits for what happens on another machine's terms."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], within_s: float = 5.0) -> float:
    """Seconds until ``holds``; fails after ``within_s``."""
    begun_s = time.monotonic()
    while not holds():
        assert time.monotonic() - begun_s < within_s, f"not within {within_s} s"
        time.sleep(0.01)
    return time.monotonic() - begun_s
