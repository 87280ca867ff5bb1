"""Recordings in files: a microphone that reads one, a speaker that writes one.

Reading is libsndfile's (through ``soundfile``), so that every kind of WAV works, but for plain 16-bit mono at 16 kHz,
which needs none of its 2 MiB; writing is plain 16-bit mono.
"""

from __future__ import annotations

import io
import logging
import time
import wave
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio.framing import FRAME_MS, RATE_HZ, Framer
from edge.audio.resample import Resampler
from edge.errors import DeviceError, EdgeError, EngineError
from edge.files import WholeFile
from edge.types import AudioFrame, Pcm

_log = logging.getLogger(__name__)
_BLOCK_S = 1
_HEADER_BYTES = 44
_LOWEST_HZ, _HIGHEST_HZ = 4000, 384_000
_MAX_HEADER = 4096
_MAX_PIPED = 256 << 20
_UNKNOWN_LENGTH = 0x7FFFF000
"""Programs that write WAV into a pipe put a size of this order into the header."""


def read_wav(path: Path | str) -> Pcm:
    """The whole recording as int16 [n] at 16 kHz, channels averaged; raises EdgeError naming the file and the fix."""
    return np.concatenate(list(wav_blocks(path)))


def wav_blocks(path: Path | str) -> Iterator[Pcm]:
    """The recording in blocks, int16 [n] at 16 kHz, channels averaged; raises EdgeError naming the file and the fix."""
    plain = _open_plain(Path(path))
    if plain is not None:
        with plain:
            while content := plain.readframes(RATE_HZ * _BLOCK_S):
                yield np.frombuffer(content, "<i2").astype(np.int16)
        return
    with _open_sound(Path(path)) as sound:
        if not _LOWEST_HZ <= sound.samplerate <= _HIGHEST_HZ:
            raise EdgeError(f"{path}: a sample rate of {sound.samplerate} Hz; record at {RATE_HZ} Hz")
        resampler = Resampler(sound.samplerate, RATE_HZ)
        samples = 0
        while len(block := sound.read(sound.samplerate * _BLOCK_S, dtype="float32", always_2d=True)):
            samples += len(block)
            yield resampler.accept(_to_int16(block.mean(axis=1)))
        if samples == 0:
            raise EdgeError(f"{path}: holds no audio; record it again")
        yield resampler.finish()


def write_wav(path: Path | str, pcm: Pcm, rate_hz: int = RATE_HZ) -> None:
    """Write int16 [n] as 16-bit mono; the file appears whole or not at all (DeviceError says why)."""
    speaker = WavSpeaker(path)
    speaker.play([AudioFrame(pcm, rate_hz)])
    speaker.close()


class WavMicrophone:
    """A recording heard as if spoken into a microphone, followed by silence so that its end is noticed."""

    def __init__(
        self, path: Path | str, frame_ms: int = FRAME_MS, trailing_silence_ms: int = 1500, leading_silence_ms: int = 0
    ) -> None:
        self._path = Path(path)
        self._frame_ms = frame_ms
        self._leading_silence = np.zeros(RATE_HZ * leading_silence_ms // 1000, dtype=np.int16)
        self._silence = np.zeros(RATE_HZ * trailing_silence_ms // 1000, dtype=np.int16)
        self._closed = False

    def frames(self) -> Iterator[AudioFrame]:
        """Frames of ``frame_ms`` at 16 kHz; raises EdgeError naming the file when it is not a usable recording."""
        framer = Framer(self._frame_ms)
        yield from self._until_closed(framer.accept(self._leading_silence))
        for block in wav_blocks(self._path):
            yield from self._until_closed(framer.accept(block))
        yield from self._until_closed(framer.accept(self._silence))
        yield from self._until_closed(framer.finish())

    def close(self) -> None:
        """End the frames."""
        self._closed = True

    def _until_closed(self, frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
        for frame in frames:
            if self._closed:
                return
            yield frame


class WavSpeaker:
    """Writes what is played into a 16-bit mono file, which appears when the speaker is closed.

    The rate is the first frame's; later frames of another rate are resampled. A full disk or a crash never leaves half
    a file under the given name; see `WholeFile` for links, devices and pipes.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._open: tuple[WholeFile, wave.Wave_write] | None = None

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        """Append the frames until ``interrupted`` says so; returns the ms to the first frame (0 when none came).

        Raises DeviceError when the file cannot be written.
        """
        start, first_ms = time.monotonic(), None
        resamplers: dict[int, Resampler] = {}
        for frame in frames:
            if first_ms is None:
                first_ms = (time.monotonic() - start) * 1000
            if interrupted is not None and interrupted():
                break
            with self._explained():
                wav = self._target(frame.rate_hz)
                resampler = resamplers.setdefault(frame.rate_hz, Resampler(frame.rate_hz, wav.getframerate()))
                wav.writeframes(resampler.accept(frame.pcm).astype("<i2").tobytes())
        with self._explained():
            for rate_hz, resampler in resamplers.items():
                self._target(rate_hz).writeframes(resampler.finish().astype("<i2").tobytes())
        return first_ms or 0.0

    def close(self) -> None:
        """Finish the file and put it in place; without a frame played nothing is written. Raises DeviceError."""
        if self._open is None:
            return
        with self._explained():
            file, wav = self._open
            wav.close()
            file.commit()
            self._open = None

    def _target(self, rate_hz: int) -> wave.Wave_write:
        if self._open is None:
            file = WholeFile(self._path)
            wav = wave.Wave_write(file.stream)
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(rate_hz)
            self._open = (file, wav)
        return self._open[1]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an operating-system error into one line and take the unfinished file away."""
        try:
            yield
        except OSError as error:
            if self._open is not None:
                file, wav = self._open
                self._open = None
                with suppress(OSError):
                    wav.close()
                file.discard()
            raise DeviceError(
                f"cannot write {self._path}: {error.strerror}; free some space or name another file"
            ) from error


def _open_plain(path: Path) -> wave.Wave_read | None:
    """A whole recording of 16-bit mono at 16 kHz; None for any other; libsndfile reads those."""
    if not path.is_file():
        return None
    try:
        recording = wave.Wave_read(str(path))
    except (OSError, EOFError, RuntimeError, wave.Error):
        return None
    channels, width, rate_hz, count, _, _ = recording.getparams()
    if (channels, width, rate_hz) == (1, 2, RATE_HZ) and 0 < 2 * count <= path.stat().st_size - _HEADER_BYTES:
        return recording
    recording.close()
    return None


@contextmanager
def _open_sound(path: Path) -> Iterator[Any]:
    """The recording as an open ``soundfile.SoundFile``, with the vendor's errors in our words."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise EngineError("WAV files cannot be read: pip install 'edge-assistant[speech]'") from error
    source, head, size = _source(path)
    try:
        with soundfile.SoundFile(source) as sound:
            declared = int.from_bytes(head[4:8], "little") + 8
            if head.startswith(b"RIFF") and size < declared < _UNKNOWN_LENGTH:
                _log.warning("%s is cut short: using the %.1f s that are there", path, sound.frames / sound.samplerate)
            yield sound
    except soundfile.SoundFileError as error:
        raise EdgeError(f"{path}: not a readable recording ({_reason(error)}); give a WAV file") from error


def _source(path: Path) -> tuple[Path | io.BytesIO, bytes, int]:
    """What libsndfile can seek in, its first bytes and its size.

    A pipe, and a file whose header states no size for the sound, are read into memory.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_MAX_HEADER)
            if not head:
                raise EdgeError(f"{path}: the file is empty; record it again")
            at = _unsized_data(head)
            if path.is_file() and at is None:
                return path, head, path.stat().st_size
            content = bytearray(head) + file.read(_MAX_PIPED - len(head) + 1)
    except OSError as error:
        raise EdgeError(f"{path}: {error.strerror}; give the path of a WAV recording") from error
    if len(content) > _MAX_PIPED:
        raise EdgeError(f"{path}: more than {_MAX_PIPED >> 20} MiB; give the path of a shorter recording")
    if at is not None:
        content[at : at + 4] = (len(content) - at - 4).to_bytes(4, "little")
        content[4:8] = (len(content) - 8).to_bytes(4, "little")
    return io.BytesIO(content), bytes(content[:8]), len(content)


def _unsized_data(head: bytes) -> int | None:
    """Where the size of a WAV's sound stands, if it is 0: a program that wrote into a pipe could not fill it in."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at = 12
    while at + 8 <= len(head):
        size = int.from_bytes(head[at + 4 : at + 8], "little")
        if head[at : at + 4] == b"data":
            return at + 4 if size == 0 and at + 8 < len(head) else None
        at += 8 + size + size % 2
    return None


def _reason(error: Exception) -> str:
    """What libsndfile has to say, without the path that it puts in front."""
    return str(error).rsplit("': ", 1)[-1].rstrip(".\n")


def _to_int16(samples: np.typing.NDArray[np.float32]) -> Pcm:
    """Float samples [n] in -1..1 as int16 [n]; values out of range clip, and NaN becomes silence."""
    scaled = np.rint(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0) * 32768.0)
    pcm: Pcm = np.clip(scaled, -32768, 32767).astype(np.int16)
    return pcm
