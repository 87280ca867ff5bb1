"""What passes between the sound card's thread and the loop: both sides only append or take."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

from edge.types import Pcm


class BlockQueue:
    """A bounded queue from the card's thread: when full, the oldest block goes and is counted."""

    def __init__(self, longest: int) -> None:
        self._blocks: deque[Pcm] = deque()
        self._longest = longest
        self._changed = threading.Condition()
        self.dropped = 0

    def put(self, block: Pcm) -> None:
        """Append int16 [n]; never waits for a reader."""
        with self._changed:
            if len(self._blocks) == self._longest:
                self._blocks.popleft()
                self.dropped += 1
            self._blocks.append(block)
            self._changed.notify()

    def get(self, timeout_s: float) -> Pcm | None:
        """The oldest block, or None when none comes in time."""
        with self._changed:
            if not self._blocks:
                self._changed.wait(timeout_s)
            return self._blocks.popleft() if self._blocks else None

    def clear(self) -> None:
        """Forget what is waiting; that does not count as a drop."""
        with self._changed:
            self._blocks.clear()


class Waiting:
    """Samples waiting for the card's thread to take them; silence when there are none."""

    def __init__(self) -> None:
        self._blocks: deque[Pcm] = deque()
        self._lock = threading.Lock()
        self.samples = 0
        self.first_s: float | None = None
        self.taken_s = time.monotonic()

    def add(self, pcm: Pcm) -> None:
        """Append int16 [n]."""
        with self._lock:
            self._blocks.append(pcm)
            self.samples += len(pcm)

    def take(self, count: int) -> Pcm:
        """Next int16 [count]."""
        self.taken_s = time.monotonic()
        taken = np.zeros(count, dtype=np.int16)
        filled = 0
        with self._lock:
            while filled < count and self._blocks:
                block = self._blocks.popleft()
                part = block[: count - filled]
                taken[filled : filled + len(part)] = part
                filled += len(part)
                if len(part) < len(block):
                    self._blocks.appendleft(block[len(part) :])
            self.samples -= filled
        if filled and self.first_s is None:
            self.first_s = self.taken_s
        return taken
