"""Time of day and elapsed time, so that tests can set both."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Source of time."""

    def now(self) -> datetime:
        """Local time of day, with its zone."""

    def monotonic_s(self) -> float:
        """Seconds that no correction of the clock moves."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Local time of day, with its zone."""
        return datetime.now().astimezone()

    def monotonic_s(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        """The time that was set, plus what it advanced."""
        return self._now + timedelta(seconds=self._elapsed_s)

    def monotonic_s(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed_s += seconds
