"""The sound-card code against real PortAudio and a real ALSA device made of files."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.soundcard import AlsaFileCard

pytest.importorskip("sounddevice", reason="needs the speech extra and libportaudio2") if ctypes.util.find_library(
    "portaudio"
) else pytest.skip("no PortAudio: apt-get install libportaudio2", allow_module_level=True)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[AlsaFileCard]:
    card = AlsaFileCard(tmp_path)
    yield card
    card.close()


def run(card: AlsaFileCard, code: str, *arguments: str) -> str:
    """Standard output of ``code`` in a fresh Python whose only card is ``card``."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=card.environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


HEAR = """
import sys
import numpy as np
from edge.audio.portaudio import PortAudio
from edge.audio.soundcard import SoundcardMicrophone
microphone = SoundcardMicrophone(PortAudio(), "filedev")
parts = []
for frame in microphone.frames():
    parts.append(frame.pcm)
    if len(parts) * 512 >= int(sys.argv[2]):
        microphone.close()
np.save(sys.argv[1], np.concatenate(parts))
print(microphone.dropped)
"""


def test_what_goes_into_the_card_is_heard_bit_for_bit(card: AlsaFileCard, tmp_path: Path) -> None:
    pcm = np.random.default_rng(0).integers(-32768, 32768, 32768).astype(np.int16)
    with card.speaking(pcm, speed=2):
        assert run(card, HEAR, str(tmp_path / "heard.npy"), str(len(pcm))) == "0\n"
    assert np.array_equal(np.load(tmp_path / "heard.npy"), pcm)


SPEAK = """
import sys
import numpy as np
from edge.audio.portaudio import PortAudio
from edge.audio.soundcard import SoundcardSpeaker
from edge.types import AudioFrame
speaker = SoundcardSpeaker(PortAudio(), "filedev")
print(speaker.play([AudioFrame(np.load(sys.argv[1]), 22050)]))
"""


def test_what_is_played_comes_out_of_the_card_bit_for_bit(card: AlsaFileCard, tmp_path: Path) -> None:
    pcm = np.random.default_rng(0).integers(1, 32768, 50_000).astype(np.int16)
    np.save(tmp_path / "reply.npy", pcm)
    with card.speaking(np.zeros(0, np.int16)):
        assert 0 < float(run(card, SPEAK, str(tmp_path / "reply.npy"))) < 10_000
    assert np.array_equal(np.trim_zeros(np.fromfile(card.played, "<i2")), pcm)


STANDSTILL = """
import logging, sys, time
from edge.audio.portaudio import PortAudio
from edge.audio.soundcard import SoundcardMicrophone
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.INFO)
microphone = SoundcardMicrophone(PortAudio(), "filedev")
microphone.open()
end_s = time.monotonic() + 30
heard = [0, 0, 0]
stage = 0
while stage < 2 and time.monotonic() < end_s:
    frame = microphone.poll(0.1)
    if frame is not None and int(frame.pcm.max()) in (1, 2):
        heard[int(frame.pcm.max())] += 1
        if heard[1] == 20 and stage == 0:
            print("first", flush=True)
            stage = 1
        if heard[2] == 5:
            stage = 2
print("stage", stage)
microphone.close()
"""


def test_a_card_that_stands_still_is_opened_again(card: AlsaFileCard) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-c", STANDSTILL], env=card.environment(), stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        with card.speaking(np.full(512 * 20, 1, np.int16)):
            assert program.stdout.readline() == "first\n"
        assert "WARNING the microphone was lost" in program.stdout.readline()
        with card.speaking(np.full(512 * 400, 2, np.int16)):
            assert "INFO the microphone is back" in program.stdout.readline()
            assert program.stdout.readline() == "stage 2\n"
        assert program.wait(30) == 0


ABSENT = """
from edge.audio.portaudio import PortAudio
from edge.audio.soundcard import SoundcardMicrophone, SoundcardSpeaker
from edge.errors import DeviceError
from edge.types import AudioFrame
import numpy as np
for attempt in (
    lambda: next(SoundcardMicrophone(PortAudio(), "Yeti").frames()),
    lambda: SoundcardSpeaker(PortAudio(), "Yeti").play([AudioFrame(np.zeros(100, np.int16), 16000)]),
):
    try:
        attempt()
    except DeviceError as error:
        print(error)
"""


def test_an_absent_card_names_those_that_are_there(card: AlsaFileCard) -> None:
    lines = run(card, ABSENT).splitlines()
    assert len(lines) == 2
    assert "no microphone called 'Yeti' found: choose one of:" in lines[0]
    assert "no speaker called 'Yeti' found: choose one of:" in lines[1]
    assert "filedev" in lines[0]
