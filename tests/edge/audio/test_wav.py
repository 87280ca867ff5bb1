from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from edge.audio.wav import WavMicrophone, WavSpeaker, read_wav, write_wav
from edge.errors import DeviceError, EdgeError
from edge.types import AudioFrame

soundfile = pytest.importorskip("soundfile", reason="reading WAV needs the speech extra")
pytest.importorskip("soxr", reason="resampling needs the speech extra")


def tone(rate_hz: int, seconds: float = 0.5, hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_kind_of_wav_becomes_the_same_tone(tmp_path: Path, subtype: str, rate_hz: int, channels: int) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, np.repeat(tone(rate_hz)[:, None], channels, axis=1), rate_hz, subtype=subtype)
    pcm = read_wav(path)
    assert pcm.dtype == np.int16
    assert abs(len(pcm) - 8000) <= 2
    middle, expected = pcm[2000:6000] / 32768, tone(16000)[2000:6000]
    assert np.sqrt(np.mean((middle - expected) ** 2)) < 0.02


def test_extensible_header_and_big_endian_are_read(tmp_path: Path) -> None:
    for name, format_ in (("x.wav", "WAVEX"), ("r.wav", "RF64"), ("b.aiff", "AIFF")):
        soundfile.write(tmp_path / name, tone(16000), 16000, format=format_, subtype="PCM_16")
        assert len(read_wav(tmp_path / name)) == 8000


def test_16_bit_mono_16_khz_is_unchanged(tmp_path: Path) -> None:
    pcm = np.random.default_rng(1).integers(-32768, 32768, 20000).astype(np.int16)
    write_wav(tmp_path / "a.wav", pcm)
    assert np.array_equal(read_wav(tmp_path / "a.wav"), pcm)


def test_plain_recordings_need_no_libsndfile(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.full(1600, 7, np.int16))
    code = (
        "import sys; from edge.audio.wav import read_wav; "
        f"assert set(read_wav({str(tmp_path / 'a.wav')!r})) == {{7}}; sys.exit('soundfile' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_channels_are_averaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", np.stack([np.full(1600, 8000), np.zeros(1600)], 1).astype(np.int16), 16000)
    assert set(read_wav(tmp_path / "s.wav")) == {4000}


def test_clipped_and_invalid_floats_stay_in_range(tmp_path: Path) -> None:
    samples = np.array([3.0, -3.0, np.nan, np.inf, -np.inf, 0.5], dtype=np.float32)
    soundfile.write(tmp_path / "f.wav", samples, 16000, subtype="FLOAT")
    assert read_wav(tmp_path / "f.wav").tolist() == [32767, -32768, 0, 32767, -32768, 16384]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"RIFF\x00\x00", "not a readable recording"),
        (b"this is no sound at all" * 50, "not a readable recording"),
        (b"\x00" * 4096, "not a readable recording"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(EdgeError, match=words) as caught:
        read_wav(path)
    assert "bad.wav" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(EdgeError, match="give the path of a WAV recording"):
            list(WavMicrophone(path).frames())


def test_header_without_audio_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "h.wav", np.zeros(0, np.int16))
    with pytest.raises(EdgeError, match="holds no audio"):
        read_wav(tmp_path / "h.wav")


@pytest.mark.parametrize("rate_hz", [0, 1, 2**31 - 1])
def test_senseless_rate_is_refused(tmp_path: Path, rate_hz: int) -> None:
    write_wav(tmp_path / "r.wav", np.zeros(100, np.int16))
    content = bytearray((tmp_path / "r.wav").read_bytes())
    content[24:28] = rate_hz.to_bytes(4, "little")
    (tmp_path / "r.wav").write_bytes(content)
    with pytest.raises(EdgeError, match="r.wav"):
        read_wav(tmp_path / "r.wav")


def test_truncated_recording_is_used_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pcm = np.arange(16000).astype(np.int16)
    write_wav(tmp_path / "t.wav", pcm)
    (tmp_path / "t.wav").write_bytes((tmp_path / "t.wav").read_bytes()[: 44 + 8001])
    with caplog.at_level(logging.WARNING):
        heard = read_wav(tmp_path / "t.wav")
    assert np.array_equal(heard, pcm[: len(heard)])
    assert len(heard) >= 3900
    assert len(caplog.records) == 1
    assert "cut short" in caplog.text


def test_every_truncation_and_damage_ends_in_audio_or_one_clear_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ok.wav", np.stack([tone(8000, 0.1)] * 2, 1), 8000, subtype="PCM_24", format="WAVEX")
    whole = (tmp_path / "ok.wav").read_bytes()
    random = np.random.default_rng(3)
    path = tmp_path / "hurt.wav"
    for trial in range(300):
        hurt = bytearray(whole)
        for place in random.integers(0, 80, 3):
            hurt[place] = random.integers(0, 256)
        path.write_bytes(hurt if trial % 2 else hurt[: random.integers(0, 200)])
        try:
            assert read_wav(path).dtype == np.int16
        except EdgeError as error:
            assert "\n" not in str(error)


def test_microphone_gives_equal_frames_and_silence_after_the_recording(tmp_path: Path) -> None:
    pcm = np.full(1000, 99, np.int16)
    write_wav(tmp_path / "m.wav", pcm)
    frames = list(WavMicrophone(tmp_path / "m.wav", frame_ms=20, trailing_silence_ms=100).frames())
    assert {len(frame.pcm) for frame in frames} == {320}
    assert [frame.start_ms for frame in frames] == [20.0 * index for index in range(len(frames))]
    audio = np.concatenate([frame.pcm for frame in frames])
    assert np.array_equal(audio[:1000], pcm)
    assert len(audio) == 2880  # 1000 samples + 100 ms, filled up to whole frames
    assert not audio[1000:].any()


def test_closed_microphone_ends(tmp_path: Path) -> None:
    write_wav(tmp_path / "m.wav", np.zeros(16000, np.int16))
    microphone = WavMicrophone(tmp_path / "m.wav")
    frames = microphone.frames()
    next(frames)
    microphone.close()
    assert list(frames) == []


def test_speaker_appends_replies_and_resamples_to_the_first_rate(tmp_path: Path) -> None:
    speaker = WavSpeaker(tmp_path / "out.wav")
    first = np.arange(2205).astype(np.int16)
    speaker.play([AudioFrame(first, 22050)])
    assert list(tmp_path.glob("*.wav")) == []
    speaker.play([AudioFrame(np.zeros(1600, np.int16), 16000)])
    speaker.close()
    with wave.open(str(tmp_path / "out.wav")) as written:
        assert (written.getframerate(), written.getnchannels(), written.getsampwidth()) == (22050, 1, 2)
        assert abs(written.getnframes() - 4410) <= 2
        assert np.array_equal(np.frombuffer(written.readframes(2205), "<i2"), first)
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


def test_interrupted_speaker_writes_no_more(tmp_path: Path) -> None:
    speaker = WavSpeaker(tmp_path / "out.wav")
    asked = iter([False, False, True])
    speaker.play((AudioFrame(np.ones(160, np.int16), 16000) for _ in range(9)), lambda: next(asked))
    speaker.close()
    assert len(read_wav(tmp_path / "out.wav")) == 320


def test_nothing_played_leaves_no_file(tmp_path: Path) -> None:
    speaker = WavSpeaker(tmp_path / "out.wav")
    assert speaker.play([]) == 0.0
    speaker.close()
    assert list(tmp_path.iterdir()) == []


def test_unwritable_place_is_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "such" / "x.wav", tmp_path):
        with pytest.raises(DeviceError, match="cannot write") as caught:
            write_wav(path, np.ones(10, np.int16))
        assert "\n" not in str(caught.value)


FULL_DISK = """
import resource, sys
import numpy as np
resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
from edge.audio.wav import write_wav
from edge.errors import DeviceError
try:
    write_wav(sys.argv[1], np.ones(int(sys.argv[2]), np.int16))
except DeviceError as error:
    print(error)
"""


@pytest.mark.parametrize("samples", [15000, 100_000])
def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, samples: int) -> None:
    path = tmp_path / "out.wav"
    write_wav(path, np.full(10, 7, np.int16))
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, str(path), str(samples)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot write" in run.stdout
    assert run.stdout.count("\n") == 1
    assert run.stderr == ""
    assert read_wav(path).tolist() == [7] * 10
    assert [left.name for left in tmp_path.iterdir()] == ["out.wav"]


def test_long_recording_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(48000 * 120, np.int16), 48000)
    tracemalloc.start()
    try:
        seconds = sum(frame.duration_ms for frame in WavMicrophone(path, trailing_silence_ms=0).frames()) / 1000
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds == pytest.approx(120, abs=0.1)
    assert peak_bytes < 4_000_000


def unsized(content: bytes) -> bytes:
    """A recording as a program writes it into a pipe: its header states no size."""
    at = content.index(b"data") + 4
    return content[:4] + bytes(4) + content[8:at] + bytes(4) + content[at + 4 :]


@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_a_header_without_a_size_means_all_that_follows(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate_hz), rate_hz, subtype="PCM_16")
    expected = read_wav(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(unsized((tmp_path / "a.wav").read_bytes()))
    assert np.array_equal(read_wav(tmp_path / "b.wav"), expected)


@pytest.mark.parametrize("sized", [True, False])
def test_a_recording_comes_through_a_pipe(tmp_path: Path, sized: bool) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16000), 16000, subtype="PCM_16")
    content = (tmp_path / "a.wav").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(
        target=lambda: (tmp_path / "pipe").write_bytes(content if sized else unsized(content)), daemon=True
    )
    writer.start()
    assert np.array_equal(read_wav(tmp_path / "pipe"), read_wav(tmp_path / "a.wav"))
    writer.join(5)
    code = "from edge.audio.wav import read_wav; print(len(read_wav('/dev/stdin')))"
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert int(done.stdout) == 8000


def test_an_endless_pipe_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.audio.wav._MAX_PIPED", 1 << 20)
    with pytest.raises(EdgeError, match="more than 1 MiB"):
        read_wav("/dev/zero")
