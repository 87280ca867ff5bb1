"""Keeps what is made of a home's names in step with them while the assistant runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from edge.home.port import HomePort
from edge.protocols import Parser, Recognizer
from edge.types import AudioFrame, HomeState, Parse, Transcript

_Made = TypeVar("_Made")
_Result = TypeVar("_Result")
_LOG = logging.getLogger(__name__)
_PARSE_WAITS_S = 2.0
"""How long a parse that comes right after a change waits for the new names: 60 to 400 ms for 300 entities."""


class Following(Generic[_Made]):
    """Something that ``make`` makes of the home, made again in the background when names change."""

    def __init__(self, home: HomePort, make: Callable[[HomeState], _Made]) -> None:
        self._home, self._make = home, make
        state = home.snapshot()
        self._current = state.names_version, make(state)
        self._making: threading.Thread | None = None

    def look(self) -> None:
        """Begin to make it again where names have changed; cheap, and called often."""
        state = self._home.snapshot()
        if state.names_version != self._current[0] and (self._making is None or not self._making.is_alive()):
            self._making = threading.Thread(target=self._remake, args=(state,), name="names", daemon=True)
            self._making.start()

    def newest(self, wait_s: float = 0.0) -> _Made:
        """The newest one that is ready, after waiting a little for one that is being made."""
        self.look()
        if self._making is not None:
            self._making.join(wait_s)
        return self._current[1]

    def before(self, work: Callable[[], _Result]) -> Callable[[], _Result]:
        """``work`` with a look at the names before it."""

        def looked() -> _Result:
            self.look()
            return work()

        return looked

    def _remake(self, state: HomeState) -> None:
        made = self._current[1]
        try:
            made = self._make(state)
        except Exception:
            _LOG.exception("the home's new names cannot be used; the ones before stay")
        self._current = state.names_version, made


class FollowingParser:
    """A `Parser` that knows the home's names of today."""

    def __init__(self, parsers: Following[Parser]) -> None:
        self._parsers = parsers

    def parse(self, transcript: Transcript) -> Parse:
        """The parse."""
        return self._parsers.newest(_PARSE_WAITS_S).parse(transcript)


class NamesWatch:
    """A `FrameFilter` that changes no frame: with each it looks whether names have changed."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look

    def accept(self, frame: AudioFrame) -> AudioFrame:
        """The frame."""
        self._look()
        return frame


class FollowingRecognizer:
    """A `Recognizer` that expects the home's names of today; it changes between utterances alone.

    ``watch`` is for the frames that nobody speaks in: what it begins is ready when someone does.
    """

    def __init__(self, recognizers: Following[Recognizer]) -> None:
        self._recognizers, self.watch = recognizers, NamesWatch(recognizers.look)
        self._current, self._between = recognizers.newest(), True

    def accept(self, frame: AudioFrame) -> Transcript | None:
        """Take a frame."""
        if self._between:
            self._current, self._between = self._recognizers.newest(), False
        return self._current.accept(frame)

    def partial(self) -> Transcript:
        """Transcript of what was accepted so far."""
        return self._current.partial()

    def finish(self) -> Transcript:
        """Final transcript of what was accepted."""
        self._between = True
        return self._current.finish()
