"""Sound cards for tests: one that a test plugs and unplugs, and a real ALSA device made of files."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FakePortAudioError(Exception):
    """What the vendor raises."""


class FakeStream:
    """A stream as ``sounddevice`` has it, moved on by hand."""

    def __init__(self, owner: FakeSounddevice, kind: str, settings: dict[str, Any]) -> None:
        self.owner, self.kind, self.settings = owner, kind, settings
        self.played: list[NDArray[np.int16]] = []
        self.started = self.closed = self.aborted = self.drained = False

    @property
    def active(self) -> bool:
        if self.closed:
            raise FakePortAudioError("Invalid stream pointer")
        return self.started and (self.owner.plugged or self.owner.silent_loss)

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.drained = True
        self.started = False

    def abort(self) -> None:
        self.aborted = True
        if not self.owner.plugged:
            self.owner.hang.wait()
        self.started = False

    def close(self) -> None:
        self.closed = True

    def move(self, pcm: NDArray[np.int16] | None = None) -> None:
        """One callback: hand over ``pcm``, or take a block."""
        channels = self.settings["channels"]
        if pcm is not None:
            data = np.repeat(pcm[:, np.newaxis], channels, axis=1).tobytes()
            self.settings["callback"](data, len(pcm), None, None)
            return
        room = bytearray(self.settings["blocksize"] * channels * 2)
        self.settings["callback"](memoryview(room), self.settings["blocksize"], None, None)
        self.played.append(np.frombuffer(bytes(room), np.int16).reshape(-1, channels))


class FakeSounddevice:
    """The part of ``sounddevice`` that the adapter uses, with one card.

    As with PortAudio, a card that was plugged in is seen only after ``_terminate`` and ``_initialize``. With
    ``silent_loss`` a lost card's streams still call themselves active; unset ``hang`` to make closing them hang.
    """

    PortAudioError = FakePortAudioError

    def __init__(
        self, own_rate_hz: int = 48000, rates_hz: tuple[int, ...] = (), channels: tuple[int, ...] = (1, 2)
    ) -> None:
        self.own_rate_hz, self.rates_hz, self.channels = own_rate_hz, rates_hz, channels
        self.plugged = self.known = True
        self.silent_loss = False
        self.hang = threading.Event()
        self.hang.set()
        self.streams: list[FakeStream] = []
        self.initialized = 1

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        card = {
            "name": "Fake USB",
            "default_samplerate": float(self.own_rate_hz),
            "max_input_channels": max(self.channels),
            "max_output_channels": max(self.channels),
        }
        if kind is None:
            return [card] if self.known else []
        if not self.known:
            raise FakePortAudioError("Error querying device -1")
        if isinstance(device, str) and device.lower() not in "fake usb":
            raise ValueError(f"No {kind} device matching {device!r}")
        return card

    def RawInputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        return self._stream("input", settings)

    def RawOutputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        return self._stream("output", settings)

    def _stream(self, kind: str, settings: dict[str, Any]) -> FakeStream:
        if not (self.plugged and self.known):
            raise FakePortAudioError("Device unavailable [PaErrorCode -9985]")
        if self.rates_hz and settings["samplerate"] not in self.rates_hz:
            raise FakePortAudioError("Invalid sample rate [PaErrorCode -9997]")
        if settings["channels"] not in self.channels:
            raise FakePortAudioError("Invalid number of channels [PaErrorCode -9998]")
        self.streams.append(FakeStream(self, kind, settings))
        return self.streams[-1]

    def _terminate(self) -> None:
        self.initialized -= 1
        for stream in self.streams:
            stream.closed = True

    def _initialize(self) -> None:
        self.initialized += 1
        self.known = self.plugged

    def _exit_handler(self) -> None:
        """What ``sounddevice`` registers with ``atexit``."""


class FakeTime:
    """Stands for the ``time`` module: sleeping takes no time but is counted, and what is planned happens on the way."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.plans: list[tuple[float, Callable[[], None]]] = []
        self.on_sleep: Callable[[float], None] = lambda seconds: None

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        for plan in [plan for plan in self.plans if plan[0] <= self.now_s]:
            self.plans.remove(plan)
            plan[1]()
        self.on_sleep(seconds)


class AlsaFileCard:
    """A real ALSA device called ``filedev`` in ``home``: set HOME to it before Python starts.

    What is played lands in ``played``; ``speaking`` feeds recordings into the microphone in real time, with silence
    after them. Without anyone speaking the microphone stands still, like a card that hangs.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.played = home, home / "out.raw"
        heard = home / "in.raw"
        os.mkfifo(heard)
        self._pipe = os.open(heard, os.O_RDWR | os.O_NONBLOCK)  # so that it never ends, whoever opens and closes it
        (home / ".asoundrc").write_text(
            f'pcm.filedev {{ type file slave {{ pcm "nullp" }} file "{self.played}" infile "{heard}" format "raw" }}\n'
            "pcm.nullp { type null }\n"
        )

    def environment(self) -> dict[str, str]:
        """For the subprocess that is to find the card."""
        return {**os.environ, "HOME": str(self.home), "PYTHONPATH": os.getcwd()}

    def close(self) -> None:
        """Let go of the microphone's end."""
        os.close(self._pipe)

    @contextmanager
    def speaking(self, pcm: NDArray[np.int16], speed: float = 1.0) -> Iterator[None]:
        """Feed int16 [n] at 16 kHz, ``speed`` times as fast as real time, then silence until the block is left."""
        left = threading.Event()
        feeder = threading.Thread(target=self._feed, args=(pcm, speed, left), daemon=True)
        feeder.start()
        try:
            yield
        finally:
            left.set()
            feeder.join(5)

    def _feed(self, pcm: NDArray[np.int16], speed: float, left: threading.Event) -> None:
        silence = bytes(1024)
        audio = pcm.tobytes()
        blocks = [audio[start : start + 1024] for start in range(0, len(audio), 1024)]
        next_s = time.monotonic()
        while not left.is_set():
            with suppress(BlockingIOError):  # nobody reads at the moment
                os.write(self._pipe, blocks[0] if blocks else silence)
                del blocks[:1]
            next_s += 0.032 / speed
            left.wait(max(0.0, next_s - time.monotonic()))
