"""``edge run`` as a program of its own, with a sound card and a real Home Assistant that dies and comes back."""

from __future__ import annotations

import ctypes.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge import compose
from edge.audio.wav import read_wav
from edge.config import load_profile
from edge.home.connections import Connection, save_connection
from tests.command import CHECKOUT
from tests.soundcard import AlsaFileCard
from tests.testbed.home_assistant import HomeAssistantServer

KITCHEN = "light.kitchen_lights"
PROFILE = """
name = "files"
[board]
title = "Files"
soc = "-"
core = "-"
cores = 0
clock_mhz = 0
ram_mib = 0
[home]
connection = "flat"
[audio]
microphone = "filedev"
speaker = "filedev"
[wake]
engine = "none"
[tts]
engine = "espeak"
"""


def said(text: str, folder: Path) -> NDArray[np.int16]:
    """Someone who says ``text``, with quiet around it."""
    path = folder / "said.wav"
    speaker = compose.wav_speaker(str(path))
    speaker.play(compose.voices(load_profile("desktop"))("en").synthesize(text))
    speaker.close()
    quiet = np.zeros(8000, np.int16)
    return np.concatenate([quiet, read_wav(path), quiet])


@pytest.mark.slow
@pytest.mark.skipif(ctypes.util.find_library("portaudio") is None, reason="apt-get install libportaudio2")
def test_the_running_assistant_outlives_its_home(
    home_assistant: HomeAssistantServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    save_connection(Connection("flat", home_assistant.url, token=home_assistant.token))
    (tmp_path / "files.toml").write_text(PROFILE)
    with home_assistant.administrator() as administrator:
        administrator.put(KITCHEN, "kitchen")
        administrator.call("light", "turn_off", KITCHEN)
    card, speech = AlsaFileCard(tmp_path), said("turn on the kitchen light", tmp_path)
    command = [sys.executable, "-m", "edge", "run", "--profile", str(tmp_path / "files.toml"), "--lang", "en", "--json"]
    with subprocess.Popen(
        command, env=card.environment(), cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        stdout, stderr = program.stdout, program.stderr
        assert stdout is not None
        assert stderr is not None
        while "listening" not in stderr.readline():
            assert program.poll() is None

        def turn() -> dict[str, Any]:
            with card.speaking(speech):
                found: dict[str, Any] = json.loads(stdout.readline())
            return found

        first = turn()
        with home_assistant.administrator() as administrator:
            lit = administrator.state(KITCHEN)["state"]
        home_assistant.kill()
        try:
            second = turn()
        finally:
            home_assistant.start()
        with home_assistant.administrator() as administrator:  # a server that is killed forgets its last ten seconds
            administrator.put(KITCHEN, "kitchen")
        time.sleep(5)
        third = turn()
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0
        assert "Traceback" not in stderr.read()
    card.close()
    assert lit == "on"
    assert first["action"]["targets"] == [KITCHEN]
    assert second["error"] is None
    assert "reach" in second["reply"]["text"]
    acted = next(span["ms"] for span in second["spans"] if span["stage"] == "act")
    assert acted < 2000
    assert third["action"] is not None, third
    assert third["action"]["targets"] == [KITCHEN]
    assert "reach" not in third["reply"]["text"]
    with home_assistant.administrator() as administrator:
        assert administrator.state(KITCHEN)["state"] == "on"
        administrator.put(KITCHEN, None)
