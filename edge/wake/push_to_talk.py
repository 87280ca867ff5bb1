"""Wake without a word: on a press, or always."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from typing import TextIO

from edge.types import AudioFrame


class PushToTalk:
    """Wakes when ``pressed`` turns from False to True: a button, a pin, or ``enter_pressed``."""

    def __init__(self, pressed: Callable[[], bool]) -> None:
        self._pressed = pressed
        self._was_pressed = False

    def accept(self, frame: AudioFrame) -> bool:
        """True on the first frame of a press."""
        pressed, before = self._pressed(), self._was_pressed
        self._was_pressed = pressed
        return pressed and not before

    def reset(self) -> None:
        """A press that is still held will not wake again."""


class AlwaysAwake:
    """The wake word 'none': every utterance is meant for the assistant."""

    def accept(self, frame: AudioFrame) -> bool:
        """Always True."""
        return True

    def reset(self) -> None:
        """There is nothing to forget."""


def enter_pressed(stream: TextIO | None = None) -> bool:
    """Whether a line was typed (on standard input) since the last call; reads it, never waits, False at its end."""
    stream = stream or sys.stdin
    if not select.select([stream], [], [], 0.0)[0]:
        return False
    return stream.readline() != ""
