from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from edge.audio import portaudio
from edge.audio.portaudio import PortAudio
from edge.audio.queues import BlockQueue, Waiting
from edge.audio.soundcard import SoundcardMicrophone, SoundcardSpeaker
from edge.errors import DeviceError
from edge.types import AudioFrame
from tests.soundcard import FakeSounddevice, FakeTime


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr("edge.audio.soundcard.time", clock)
    monkeypatch.setattr("edge.audio.queues.time", clock)
    return clock


def block(value: int, samples: int = 512) -> np.ndarray:
    return np.full(samples, value, np.int16)


def test_a_full_queue_drops_the_oldest_and_counts() -> None:
    queue = BlockQueue(3)
    for value in range(5):
        queue.put(block(value))
    assert queue.dropped == 2
    taken = [queue.get(0.0) for _ in range(4)]
    assert [None if block is None else int(block[0]) for block in taken] == [2, 3, 4, None]


def test_a_reader_waits_for_the_cards_thread() -> None:
    queue = BlockQueue(3)
    threading.Timer(0.05, queue.put, (block(7),)).start()
    taken = queue.get(5.0)
    assert taken is not None
    assert int(taken[0]) == 7


def test_what_waits_is_played_in_order_with_silence_after_it() -> None:
    waiting = Waiting()
    waiting.add(np.arange(10).astype(np.int16))
    waiting.add(np.arange(10, 15).astype(np.int16))
    assert waiting.take(7).tolist() == list(range(7))
    assert waiting.take(10).tolist() == [*range(7, 15), 0, 0]
    assert waiting.samples == 0


def test_microphone_gives_frames_at_16_khz_with_running_times() -> None:
    fake = FakeSounddevice(own_rate_hz=48000, rates_hz=(48000,))
    microphone = SoundcardMicrophone(PortAudio(fake))
    microphone.open()
    tone = (8000 * np.sin(2 * np.pi * 500 * np.arange(48000) / 48000)).astype(np.int16)
    frames = []
    for start in range(0, 48000, 1536):
        fake.streams[0].move(tone[start : start + 1536])
        while (frame := microphone.poll()) is not None:
            frames.append(frame)
    audio = np.concatenate([frame.pcm for frame in frames])
    assert 15000 < len(audio) <= 16000
    assert [frame.start_ms for frame in frames] == [32.0 * index for index in range(len(frames))]
    spectrum = np.abs(np.fft.rfft(audio[-8000:]))
    assert np.fft.rfftfreq(8000, 1 / 16000)[spectrum.argmax()] == 500


def test_a_slow_loop_loses_the_oldest_audio_and_can_tell() -> None:
    fake = FakeSounddevice()
    microphone = SoundcardMicrophone(PortAudio(fake), queue_ms=320)
    microphone.open()
    for value in range(15):
        fake.streams[0].move(block(value))
    frame = microphone.poll()
    assert frame is not None
    assert int(frame.pcm[0]) == 5
    assert microphone.dropped == 5


def test_no_card_at_the_start_is_an_error() -> None:
    fake = FakeSounddevice()
    fake.plugged = fake.known = False
    with pytest.raises(DeviceError, match="plug one in"):
        next(SoundcardMicrophone(PortAudio(fake)).frames())


@pytest.mark.parametrize("loss", ["stream ends", "stream falls silent", "closing hangs"])
def test_a_microphone_that_disappears_and_returns(
    loss: str, clock: FakeTime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "_CLOSE_S", 0.05)
    caplog.set_level(logging.INFO)
    fake = FakeSounddevice()
    fake.silent_loss = loss == "stream falls silent"
    microphone = SoundcardMicrophone(PortAudio(fake))
    microphone.open()
    fake.streams[0].move(block(1))
    assert microphone.poll() is not None

    fake.plugged = False
    if loss == "closing hangs":
        fake.hang.clear()
    for _ in range(200):
        clock.sleep(0.1)
        assert microphone.poll() is None
    fake.plugged = True
    back_s = clock.now_s
    opened = len(fake.streams)
    while len(fake.streams) == opened:
        clock.sleep(0.1)
        microphone.poll()
        assert clock.now_s - back_s <= 5
    fake.streams[-1].move(block(2))
    frame = microphone.poll()
    assert frame is not None
    assert int(frame.pcm[0]) == 2
    assert frame.start_ms == 32.0
    lines = [record.message for record in caplog.records if record.levelno >= logging.INFO]
    assert len(lines) == 2
    assert "microphone was lost" in lines[0]
    assert "microphone is back after 2" in lines[1] or "microphone is back after 1" in lines[1]
    fake.hang.set()


def test_a_microphone_lost_twice_returns_twice(clock: FakeTime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fake = FakeSounddevice()
    microphone = SoundcardMicrophone(PortAudio(fake))
    microphone.open()
    for value in range(2):
        fake.plugged = False
        for _ in range(30):
            clock.sleep(0.1)
            microphone.poll()
        fake.plugged = True
        opened = len(fake.streams)
        while len(fake.streams) == opened:
            clock.sleep(0.1)
            microphone.poll()
        fake.streams[-1].move(block(value))
        assert microphone.poll() is not None
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"] * 2


def test_a_busy_loop_is_no_lost_microphone(clock: FakeTime, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSounddevice()
    microphone = SoundcardMicrophone(PortAudio(fake))
    microphone.open()
    fake.streams[0].move(block(1))
    clock.sleep(7)
    assert microphone.poll() is not None
    assert microphone.poll() is None
    clock.sleep(7)
    microphone.flush()
    assert microphone.poll() is None
    assert not caplog.records
    assert len(fake.streams) == 1


def test_flush_forgets_what_was_heard() -> None:
    fake = FakeSounddevice()
    microphone = SoundcardMicrophone(PortAudio(fake), frame_ms=16)
    microphone.open()
    for value in range(4):
        fake.streams[0].move(block(value))
    microphone.poll()
    microphone.flush()
    assert microphone.poll() is None
    assert microphone.dropped == 0


def test_frames_end_when_the_microphone_is_closed() -> None:
    fake = FakeSounddevice()
    microphone = SoundcardMicrophone(PortAudio(fake))
    frames = microphone.frames()
    microphone.open()
    fake.streams[0].move(block(1))
    assert int(next(frames).pcm[0]) == 1
    microphone.close()
    assert list(frames) == []
    assert fake.streams[0].closed


class Drive:
    """Lets the card's thread take blocks while the speaker sleeps."""

    def __init__(self, fake: FakeSounddevice, clock: FakeTime) -> None:
        self.fake, self.due_s = fake, 0.0
        clock.on_sleep = self.run

    def run(self, seconds: float) -> None:
        self.due_s += seconds
        while self.due_s >= 0.032:
            self.due_s -= 0.032
            for stream in self.fake.streams:
                if self.fake.plugged and stream.kind == "output" and stream.started and not stream.closed:
                    stream.move()

    def played(self) -> np.ndarray:
        """All that came out of the card, without the silence around it."""
        streams = [stream for stream in self.fake.streams if stream.played]
        audio = np.concatenate([piece[:, 0] for stream in streams for piece in stream.played])
        return np.trim_zeros(audio)


def reply(samples: int, rate_hz: int = 22050) -> list[AudioFrame]:
    audio = (np.arange(samples) % 20000 + 1).astype(np.int16)
    return [AudioFrame(part, rate_hz) for part in np.array_split(audio, 5)]


def test_speaker_plays_everything_in_order_and_drains(clock: FakeTime) -> None:
    fake = FakeSounddevice()
    drive = Drive(fake, clock)
    first_ms = SoundcardSpeaker(PortAudio(fake)).play(reply(30_000))
    assert np.array_equal(drive.played(), np.concatenate([frame.pcm for frame in reply(30_000)]))
    assert fake.streams[0].settings["samplerate"] == 22050
    assert 0 < first_ms < 60
    assert fake.streams[0].drained
    assert not fake.streams[0].aborted
    assert fake.streams[0].closed


def test_speaker_resamples_for_a_card_with_one_rate(clock: FakeTime) -> None:
    fake = FakeSounddevice(own_rate_hz=48000, rates_hz=(48000,))
    drive = Drive(fake, clock)
    SoundcardSpeaker(PortAudio(fake)).play(reply(22_050))
    assert len(drive.played()) == pytest.approx(48_000, abs=100)


def test_nothing_to_play_opens_nothing(clock: FakeTime) -> None:
    fake = FakeSounddevice()
    assert SoundcardSpeaker(PortAudio(fake)).play([]) == 0.0
    assert fake.streams == []


def test_speaker_falls_silent_when_interrupted(clock: FakeTime) -> None:
    fake = FakeSounddevice()
    drive = Drive(fake, clock)
    start_s = clock.now_s
    SoundcardSpeaker(PortAudio(fake)).play(reply(22_050 * 5), lambda: clock.now_s - start_s > 1.0)
    assert clock.now_s - start_s < 1.1
    assert fake.streams[0].aborted
    assert fake.streams[0].closed
    assert len(drive.played()) < 22_050 * 1.1


def test_a_long_reply_is_not_synthesized_all_at_once(clock: FakeTime) -> None:
    fake = FakeSounddevice()
    Drive(fake, clock)
    asked_s: list[float] = []

    def sentences() -> list[AudioFrame]:
        for _ in range(10):
            asked_s.append(clock.now_s)
            yield AudioFrame(block(1, 22_050 * 5), 22050)

    SoundcardSpeaker(PortAudio(fake)).play(sentences())
    assert asked_s[1] - asked_s[0] < 0.1
    assert asked_s[-1] - asked_s[0] > 30


def test_a_speaker_that_disappears_and_returns_goes_on(clock: FakeTime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fake = FakeSounddevice()
    drive = Drive(fake, clock)
    clock.plans = [
        (clock.now_s + 1.0, lambda: setattr(fake, "plugged", False)),
        (clock.now_s + 3.5, lambda: setattr(fake, "plugged", True)),
    ]
    SoundcardSpeaker(PortAudio(fake)).play(reply(22_050 * 3))
    assert np.array_equal(drive.played(), np.concatenate([frame.pcm for frame in reply(22_050 * 3)]))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("silent", [True, False])
def test_a_speaker_that_stays_away_is_an_error_and_works_again_later(clock: FakeTime, silent: bool) -> None:
    fake = FakeSounddevice()
    fake.silent_loss = silent
    drive = Drive(fake, clock)
    start_s = clock.now_s
    clock.plans = [(start_s + 1.0, lambda: setattr(fake, "plugged", False))]
    speaker = SoundcardSpeaker(PortAudio(fake))
    with pytest.raises(DeviceError, match="lost while it spoke: plug it in again"):
        speaker.play(reply(22_050 * 3))
    assert clock.now_s - start_s < 10
    fake.plugged = True
    fake.streams.clear()
    speaker.play(reply(2000))
    assert len(drive.played()) == 2000


def test_a_missing_microphone_does_not_disturb_the_speaker(clock: FakeTime) -> None:
    fake = FakeSounddevice()
    drive = Drive(fake, clock)
    cards = PortAudio(fake)
    microphone = SoundcardMicrophone(cards)
    microphone.open()
    fake.streams[0].started = False  # the microphone alone is gone
    monitored: list[bool] = []

    def interrupted() -> bool:
        monitored.append(microphone.poll() is not None)
        return False

    SoundcardSpeaker(cards).play(reply(22_050 * 3), interrupted)
    assert len([stream for stream in fake.streams if stream.kind == "output"]) == 1
    assert np.array_equal(drive.played(), np.concatenate([frame.pcm for frame in reply(22_050 * 3)]))
    for _ in range(15):
        clock.sleep(0.1)
        microphone.poll()
    assert fake.streams[-1].kind == "input"
    assert fake.streams[-1].active


def test_a_lost_speaker_takes_the_microphone_along_only_for_a_moment(
    clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake = FakeSounddevice()
    Drive(fake, clock)
    cards = PortAudio(fake)
    microphone, speaker = SoundcardMicrophone(cards), SoundcardSpeaker(cards)
    microphone.open()
    clock.plans = [(clock.now_s + 1.0, lambda: setattr(fake.streams[1], "started", False))]
    speaker.play(reply(22_050 * 2))
    before = len(fake.streams)
    microphone.poll()
    assert len(fake.streams) == before + 1
    assert fake.streams[-1].kind == "input"
    assert fake.streams[-1].active
    assert "microphone was lost" not in caplog.text
