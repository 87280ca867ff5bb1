"""The sound cards of this machine through PortAudio (``sounddevice``).

PortAudio sees cards that were plugged in later only after it was terminated and initialized again
(python-sounddevice issue 125), which closes every open stream: ``PortAudio.refresh`` does that, and ``generation``
tells the owner of another stream why it ended. All methods belong to one thread; only the callbacks run in another.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from edge.errors import DeviceError
from edge.types import Pcm

_log = logging.getLogger(__name__)
_CLOSE_S = 2.0
"""Closing the stream of a card that is gone can hang for ever (PortAudio issue 1037)."""
_MOST_STUCK = 8
_NOUN = {"input": "microphone", "output": "speaker"}

Device = str | int | None
"""Part of a card's name, its number, or None for the system's default."""


class CardStream:
    """A running stream of a card at ``rate_hz``, opened in the ``generation`` of its PortAudio object."""

    def __init__(self, stream: Any, rate_hz: int, generation: int, vendor_error: type[Exception]) -> None:
        self.rate_hz = rate_hz
        self.generation = generation
        self._stream = stream
        self._vendor_error = vendor_error
        self._closing: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """False once the stream stopped, for whatever reason."""
        try:
            return self._closing is None and bool(self._stream.active)
        except self._vendor_error:
            return False

    @property
    def stuck(self) -> bool:
        """Whether PortAudio hangs over closing it, so that it had to be abandoned."""
        return self._closing is not None and self._closing.is_alive()

    def close(self, drain: bool = False) -> None:
        """Stop at once, or after what the card still holds was played (``drain``)."""
        if self._closing is None:
            self._closing = threading.Thread(target=self._release, args=(drain,), daemon=True)
            self._closing.start()
            self._closing.join(_CLOSE_S)

    def _release(self, drain: bool) -> None:
        try:
            if drain:
                self._stream.stop()
            else:
                self._stream.abort()
        except self._vendor_error as error:
            _log.debug("stopping a stream: %s", error)
        self._stream.close()


class PortAudio:
    """Opens streams of int16 mono audio; one object serves the microphone and the speaker.

    ``library`` is the ``sounddevice`` module, or what stands for it in a test. Raises DeviceError when PortAudio is
    not installed.
    """

    def __init__(self, library: Any = None) -> None:
        self._sd = library or _sounddevice()
        self.generation = 0
        self._streams: list[CardStream] = []

    @property
    def in_use(self) -> bool:
        """Whether a stream is running."""
        return any(stream.active for stream in self._streams)

    def open_input(self, device: Device, rate_hz: int, block_ms: int, heard: Callable[[Pcm], None]) -> CardStream:
        """Call ``heard`` with int16 [n] from another thread, at ``rate_hz`` or else at the card's own rate.

        Raises DeviceError when the card is missing or cannot be opened.
        """

        def callback(data: Any, count: int, time: Any, status: Any) -> None:
            audio = np.frombuffer(data, dtype=np.int16).reshape(count, -1)
            heard(audio[:, 0].copy() if audio.shape[1] == 1 else audio.mean(axis=1).astype(np.int16))

        return self._start("input", device, rate_hz, block_ms, callback)

    def open_output(self, device: Device, rate_hz: int, block_ms: int, fill: Callable[[int], Pcm]) -> CardStream:
        """Call ``fill(n)`` for int16 [n] from another thread, at ``rate_hz`` or else at the card's own rate.

        Raises DeviceError when the card is missing or cannot be opened.
        """

        def callback(data: Any, count: int, time: Any, status: Any) -> None:
            room = np.frombuffer(data, dtype=np.int16).reshape(count, -1)
            room[:] = fill(count)[:, np.newaxis]

        return self._start("output", device, rate_hz, block_ms, callback)

    def refresh(self) -> None:
        """Look for cards again; closes every stream. After a stream got stuck only the cards known before are tried."""
        self.generation += 1
        for stream in self._streams:
            stream.close()
        self._streams = [stream for stream in self._streams if stream.stuck]
        if self._streams:
            atexit.unregister(self._sd._exit_handler)
            return
        self._sd._terminate()
        try:
            self._sd._initialize()
        except self._sd.PortAudioError as error:
            _log.debug("starting PortAudio again: %s", error)

    def cards(self, kind: str) -> list[str]:
        """Names of the cards that can do ``kind``: input or output."""
        return [str(card["name"]) for card in self._sd.query_devices() if card[f"max_{kind}_channels"] > 0]

    def _start(
        self, kind: str, device: Device, rate_hz: int, block_ms: int, callback: Callable[..., None]
    ) -> CardStream:
        if sum(stream.stuck for stream in self._streams) >= _MOST_STUCK:
            raise DeviceError("the sound system hangs: restart the assistant")
        card = self._card(kind, device)
        open_stream = self._sd.RawInputStream if kind == "input" else self._sd.RawOutputStream
        own_hz = int(card["default_samplerate"])
        channels = (1, 2) if card[f"max_{kind}_channels"] >= 2 else (1,)
        refusal: Exception | None = None
        for hz, count in [(hz, count) for hz in dict.fromkeys((rate_hz, own_hz)) for count in channels]:
            try:
                stream = open_stream(
                    samplerate=hz,
                    blocksize=hz * block_ms // 1000,
                    device=device,
                    channels=count,
                    dtype="int16",
                    callback=callback,
                )
                stream.start()
            except (self._sd.PortAudioError, ValueError) as error:
                refusal = error
                continue
            opened = CardStream(stream, hz, self.generation, self._sd.PortAudioError)
            self._streams = [known for known in self._streams if known.active or known.stuck] + [opened]
            return opened
        raise DeviceError(
            f"the {_NOUN[kind]} {card['name']!r} cannot be opened ({_line(refusal)}): see that no other program uses it"
        ) from refusal

    def _card(self, kind: str, device: Device) -> Any:
        try:
            return self._sd.query_devices(device, kind)
        except (self._sd.PortAudioError, ValueError) as error:
            found = ", ".join(self.cards(kind))
            wanted = f"no {_NOUN[kind]} found" if device is None else f"no {_NOUN[kind]} called {device!r} found"
            advice = f"choose one of: {found}" if found else "plug one in, or use typed text or a WAV file"
            raise DeviceError(f"{wanted}: {advice}") from error


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise DeviceError("no sound library: pip install 'edge-assistant[speech]'") from error
    except OSError as error:
        raise DeviceError("PortAudio is missing: sudo apt-get install libportaudio2") from error
    return sounddevice


def _line(error: Exception | None) -> str:
    return str(error).replace("\n", " ")
