"""Live microphone and speaker, which outlive the loss and return of their card."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from edge.audio.framing import FRAME_MS, RATE_HZ, Framer
from edge.audio.portaudio import CardStream, Device, PortAudio
from edge.audio.queues import BlockQueue, Waiting
from edge.audio.resample import Resampler
from edge.errors import DeviceError
from edge.types import AudioFrame

_log = logging.getLogger(__name__)
_BLOCK_MS = 32
_RETRY_S = 1.0
_SILENT_S = 2.0
"""A card that delivers or takes nothing for this long is lost, even if PortAudio calls its stream active."""
_POLL_S = 0.02
_AHEAD_S = 10.0
"""So much of a long reply waits for the card before more of it is synthesized."""


class SoundcardMicrophone:
    """Frames at 16 kHz from a card.

    When the card is lost (its stream stops, or nothing comes for 2 s) it is looked for every second until it is back;
    each loss and each return is one line in the log. ``queue_ms`` bounds what waits while the loop is busy.
    """

    def __init__(
        self, cards: PortAudio, device: Device = None, frame_ms: int = FRAME_MS, queue_ms: int = 10_000
    ) -> None:
        self._cards = cards
        self._device = device
        self._queue = BlockQueue(max(1, queue_ms // _BLOCK_MS))
        self._framer = Framer(frame_ms)
        self._ready: deque[AudioFrame] = deque()
        self._stream: CardStream | None = None
        self._resampler = Resampler(RATE_HZ, RATE_HZ)
        self._heard_s = self._tried_s = 0.0
        self._tried_generation = 0
        self._lost_s: float | None = None
        self._closed = False

    @property
    def dropped(self) -> int:
        """Blocks of 32 ms that were lost because the loop was too slow."""
        return self._queue.dropped

    def open(self) -> None:
        """Start listening; raises DeviceError when the card is missing. ``frames`` does it when it was not done."""
        if self._stream is None:
            self._start()

    def frames(self) -> Iterator[AudioFrame]:
        """Frames until ``close``; raises DeviceError when the card cannot be opened at all."""
        self.open()
        while not self._closed:
            frame = self.poll(0.1)
            if frame is not None:
                yield frame

    def poll(self, timeout_s: float = 0.0) -> AudioFrame | None:
        """The next frame if there is one in time; used to listen while speaking. Also brings a lost card back."""
        if self._ready:
            return self._ready.popleft()
        block = self._queue.get(timeout_s)
        if block is not None:
            self._hear()
            self._ready.extend(self._framer.accept(self._resampler.accept(block)))
            return self._ready.popleft() if self._ready else None
        if not self._closed:
            self._watch()
        return None

    def flush(self) -> None:
        """Forget what was heard so far and not taken, for instance the assistant's own voice."""
        self._queue.clear()
        self._ready.clear()
        self._heard_s = time.monotonic()

    def close(self) -> None:
        """Stop listening and end ``frames``."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()

    def _start(self) -> None:
        self._tried_s = self._heard_s = time.monotonic()
        self._tried_generation = self._cards.generation
        self._stream = self._cards.open_input(self._device, RATE_HZ, _BLOCK_MS, self._queue.put)
        self._resampler = Resampler(self._stream.rate_hz, RATE_HZ)

    def _hear(self) -> None:
        self._heard_s = time.monotonic()
        if self._lost_s is not None:
            _log.info("the microphone is back after %.1f s", self._heard_s - self._lost_s)
            self._lost_s = None

    def _watch(self) -> None:
        """Notice a lost card; once a second, try to have it back, but not while that would cut the speaker off.

        In a new generation the card itself is well: the speaker had PortAudio look for cards.
        """
        now = time.monotonic()
        stream = self._stream
        if stream is None or (stream.active and now - self._heard_s < _SILENT_S):
            return
        stream.close()
        if self._tried_generation == self._cards.generation:
            if self._lost_s is None:
                self._lost_s = now
                _log.warning("the microphone was lost: plug it in again, listening goes on by itself")
            if now - self._tried_s < _RETRY_S or self._cards.in_use:
                return
            self._cards.refresh()
        try:
            self._start()
        except DeviceError as error:
            _log.debug("%s", error)


class SoundcardSpeaker:
    """Plays through a card that is opened for each reply; the sound can be cut off at any moment.

    A card that is lost while it speaks is looked for every second until ``longest_wait_s`` have passed.
    """

    def __init__(self, cards: PortAudio, device: Device = None, longest_wait_s: float = 5.0) -> None:
        self._cards = cards
        self._device = device
        self._longest_wait_s = longest_wait_s
        self._stream: CardStream | None = None
        self._waiting = Waiting()

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        """Play all frames in order; returns the ms from the call to the first sound (0 when there was none).

        ``interrupted`` is asked every 20 ms while sound is waiting to go out; once it says True the speaker falls
        silent at once. Raises DeviceError when the card cannot be opened, or was lost and stays away.
        """
        start_s = time.monotonic()
        self._waiting = Waiting()
        asked = interrupted or _never
        resampler: Resampler | None = None
        try:
            for frame in frames:
                if self._stream is None:
                    self._stream = self._open_fresh(frame.rate_hz)
                resampler = resampler or Resampler(frame.rate_hz, self._stream.rate_hz)
                self._waiting.add(resampler.accept(frame.pcm))
                if not self._played_down_to(_AHEAD_S, asked):
                    break
            else:
                if resampler is not None:
                    self._waiting.add(resampler.finish())
                    self._drain(asked)
        finally:
            self.close()
        first_s = self._waiting.first_s
        return 0.0 if first_s is None else (first_s - start_s) * 1000

    def close(self) -> None:
        """Fall silent and release the card."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _drain(self, asked: Callable[[], bool]) -> None:
        if self._played_down_to(0.0, asked) and self._stream is not None:
            self._stream.close(drain=True)

    def _played_down_to(self, left_s: float, asked: Callable[[], bool]) -> bool:
        """Wait until at most this much waits for the card; False when it was interrupted."""
        while self._stream is not None:
            if asked():
                return False
            if self._waiting.samples <= left_s * self._stream.rate_hz:
                return True
            if not self._stream.active or time.monotonic() - self._waiting.taken_s > _SILENT_S:
                self._stream = self._reopen(self._stream)
            time.sleep(_POLL_S)
        return False

    def _open(self, rate_hz: int) -> CardStream:
        self._waiting.taken_s = time.monotonic()
        return self._cards.open_output(self._device, rate_hz, _BLOCK_MS, self._waiting.take)

    def _open_fresh(self, rate_hz: int) -> CardStream:
        """Open the card, even if it was plugged in only now."""
        try:
            return self._open(rate_hz)
        except DeviceError:
            self._cards.refresh()
            return self._open(rate_hz)

    def _reopen(self, lost: CardStream) -> CardStream:
        lost.close()
        if lost.generation == self._cards.generation:
            _log.warning("the speaker was lost: plug it in again")
        lost_s = time.monotonic()
        tried_generation = lost.generation
        while True:
            if tried_generation == self._cards.generation:
                self._cards.refresh()
            tried_generation = self._cards.generation
            try:
                stream = self._open(lost.rate_hz)
                if stream.rate_hz != lost.rate_hz:
                    stream.close()
                    raise DeviceError(f"the speaker came back at {stream.rate_hz} Hz")
            except DeviceError as error:
                if time.monotonic() - lost_s > self._longest_wait_s:
                    raise DeviceError("the speaker was lost while it spoke: plug it in again") from error
                time.sleep(_RETRY_S)
                continue
            _log.info("the speaker is back after %.1f s", time.monotonic() - lost_s)
            return stream


def _never() -> bool:
    return False
