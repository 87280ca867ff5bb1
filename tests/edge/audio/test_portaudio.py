from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.audio import portaudio
from edge.audio.portaudio import PortAudio
from edge.errors import DeviceError
from tests.soundcard import FakeSounddevice


def ignore(pcm: np.ndarray) -> None:
    """A listener that does not care."""


def test_the_wanted_rate_is_taken_when_the_card_can_do_it() -> None:
    fake = FakeSounddevice()
    assert PortAudio(fake).open_input(None, 16000, 32, ignore).rate_hz == 16000
    assert fake.streams[0].settings["blocksize"] == 512


def test_else_the_cards_own_rate() -> None:
    fake = FakeSounddevice(own_rate_hz=44100, rates_hz=(44100,))
    assert PortAudio(fake).open_input(None, 16000, 32, ignore).rate_hz == 44100


def test_a_card_that_only_does_stereo_is_averaged_and_doubled() -> None:
    fake = FakeSounddevice(channels=(2,))
    cards, heard = PortAudio(fake), []
    cards.open_input(None, 16000, 32, heard.append)
    fake.streams[0].move(np.arange(512).astype(np.int16))
    assert np.array_equal(heard[0], np.arange(512))
    cards.open_output(None, 16000, 32, lambda count: np.arange(count).astype(np.int16))
    fake.streams[1].move()
    assert np.array_equal(fake.streams[1].played[0][:, 0], np.arange(512))
    assert np.array_equal(fake.streams[1].played[0][:, 1], np.arange(512))


def test_what_was_heard_outlives_the_cards_buffer() -> None:
    fake, heard = FakeSounddevice(), []
    PortAudio(fake).open_input(None, 16000, 32, heard.append)
    buffer = bytearray(np.full(512, 5, np.int16).tobytes())
    fake.streams[0].settings["callback"](buffer, 512, None, None)
    buffer[:] = bytes(1024)
    assert set(heard[0]) == {5}


def test_no_card_and_wrong_name_say_what_to_do() -> None:
    fake = FakeSounddevice()
    with pytest.raises(DeviceError, match="no microphone called 'Yeti' found: choose one of: Fake USB"):
        PortAudio(fake).open_input("Yeti", 16000, 32, ignore)
    fake.known = False
    with pytest.raises(DeviceError, match="no speaker found: plug one in"):
        PortAudio(fake).open_output(None, 16000, 32, lambda count: np.zeros(count, np.int16))


def test_a_card_that_is_taken_is_one_clear_line() -> None:
    fake = FakeSounddevice(rates_hz=(1,))
    with pytest.raises(
        DeviceError, match="the microphone 'Fake USB' cannot be opened .* no other program uses it"
    ) as caught:
        PortAudio(fake).open_input(None, 16000, 32, ignore)
    assert "\n" not in str(caught.value)


def test_refresh_finds_new_cards_and_closes_every_stream() -> None:
    fake = FakeSounddevice()
    cards = PortAudio(fake)
    fake.plugged = fake.known = False
    cards.refresh()
    fake.plugged = True
    with pytest.raises(DeviceError):
        cards.open_input(None, 16000, 32, ignore)
    cards.refresh()
    stream = cards.open_input(None, 16000, 32, ignore)
    assert (stream.active, cards.in_use, fake.initialized) == (True, True, 1)
    cards.refresh()
    assert not stream.active
    assert not cards.in_use
    assert stream.generation == cards.generation - 1


def test_a_stream_that_hangs_on_closing_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portaudio, "_CLOSE_S", 0.05)
    fake = FakeSounddevice()
    cards = PortAudio(fake)
    stream = cards.open_input(None, 16000, 32, ignore)
    fake.plugged = False
    fake.hang.clear()
    stream.close()
    assert stream.stuck
    cards.refresh()
    assert fake.initialized == 1, "terminating PortAudio would hang as well"
    fake.plugged = True
    assert cards.open_input(None, 16000, 32, ignore).active
    fake.hang.set()


MISSING = """
import sys
sys.modules["sounddevice"] = None
{patch}
from edge.audio.portaudio import PortAudio
from edge.errors import DeviceError
try:
    PortAudio()
except DeviceError as error:
    print(error)
"""
NO_LIBRARY = """
import ctypes.util
del sys.modules["sounddevice"]
ctypes.util.find_library = lambda name: None
"""


@pytest.mark.parametrize(
    ("patch", "advice"), [("", "pip install 'edge-assistant[speech]'"), (NO_LIBRARY, "apt-get install libportaudio2")]
)
def test_a_missing_library_says_what_to_install(patch: str, advice: str) -> None:
    if patch:
        pytest.importorskip("cffi", reason="needs the speech extra")
    code = MISSING.format(patch=patch)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert advice in run.stdout
    assert run.stdout.count("\n") == 1
