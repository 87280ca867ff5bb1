"""Timers of the simulated home. They run on the monotonic clock, so that setting the time of day moves none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.home.clock import Clock


@dataclass(frozen=True)
class Timer:
    """A timer; ``left_s`` is what was left at ``since_s`` of the monotonic clock, and only runs while active."""

    id: str
    length_s: int
    left_s: float
    since_s: float
    name: str | None = None
    area_id: str | None = None
    command: str | None = None
    language: str = "en"
    active: bool = True

    def remaining_s(self, now_s: float) -> float:
        """Seconds until it rings."""
        return max(0.0, self.left_s - (now_s - self.since_s)) if self.active else self.left_s

    @property
    def start(self) -> tuple[int, int, int]:
        """Hours, minutes and seconds that it was started with."""
        return split_seconds(self.length_s)


def split_seconds(seconds: float) -> tuple[int, int, int]:
    """Hours, minutes and seconds."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return hours, minutes, left


def rounded(hours: int, minutes: int, seconds: int) -> tuple[int, int, int]:
    """The time as people say it: to the half hour above an hour, to the half minute above a minute."""
    if hours:
        return (hours + 1, 0, 0) if minutes > 45 else (hours, 0 if minutes < 15 else 30, 0)
    if minutes:
        return (0, minutes + 1, 0) if seconds > 45 else (0, minutes, 0 if seconds < 15 else 30)
    return 0, 0, seconds


class Timers:
    """The timers that have not rung yet, in the order of their starts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[str, Timer] = {}
        self._started = 0

    def all(self) -> tuple[Timer, ...]:
        """All timers."""
        return tuple(self._timers.values())

    def start(
        self,
        seconds: int,
        name: str | None = None,
        area_id: str | None = None,
        command: str | None = None,
        language: str = "en",
    ) -> Timer:
        """Start a timer of ``seconds``."""
        self._started += 1
        now_s = self._clock.monotonic_s()
        timer = Timer(f"timer.{self._started}", seconds, seconds, now_s, name, area_id, command, language)
        self._timers[timer.id] = timer
        return timer

    def remaining_s(self, timer: Timer) -> float:
        """Seconds left of a timer."""
        return timer.remaining_s(self._clock.monotonic_s())

    def cancel(self, timer: Timer) -> None:
        """Forget a timer."""
        self._timers.pop(timer.id, None)

    def add(self, timer: Timer, seconds: float) -> Timer:
        """Let a timer ring later, or earlier where ``seconds`` is negative."""
        left_s = max(0.0, self.remaining_s(timer) + seconds)
        return self._put(replace(timer, left_s=left_s))

    def set_active(self, timer: Timer, active: bool) -> Timer:
        """Pause a timer or let it go on."""
        return self._put(replace(timer, left_s=self.remaining_s(timer), active=active))

    def restore(self, timer: Timer) -> Timer:
        """Take a timer of an earlier run; what was left is left now."""
        self._started = max(self._started, int(timer.id.rpartition(".")[2]))
        return self._put(timer)

    def due(self) -> tuple[Timer, ...]:
        """Remove and return the timers whose time is up, the earliest first."""
        now_s = self._clock.monotonic_s()
        over = [timer for timer in self._timers.values() if timer.active and timer.remaining_s(now_s) <= 0]
        for timer in over:
            del self._timers[timer.id]
        return tuple(sorted(over, key=lambda timer: timer.since_s + timer.left_s))

    def _put(self, timer: Timer) -> Timer:
        placed = replace(timer, since_s=self._clock.monotonic_s())
        self._timers[timer.id] = placed
        return placed
