from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.audio.wav import read_wav, write_wav
from edge.commands.demo import SPOKEN, TYPED, Command, _fits, add_noise
from edge.parts import Turn
from edge.types import Action
from tests.command import edge


def test_the_demo_covers_what_it_promises() -> None:
    assert len({command.text for command in SPOKEN}) >= 8
    assert len({command.language for command in TYPED} - {"en"}) >= 6


def test_noise_has_the_stated_level(tmp_path: Path) -> None:
    tone = (8000 * np.sin(np.arange(32000) * 0.3)).astype(np.int16)
    write_wav(tmp_path / "a.wav", tone)
    add_noise(tmp_path / "a.wav", 20.0, seed=1)
    noisy = read_wav(tmp_path / "a.wav").astype(float)
    assert len(noisy) == len(tone) + 16000
    noise = noisy - np.pad(tone, 8000)
    snr_db = 10 * np.log10(np.mean(tone.astype(float) ** 2) / np.mean(noise**2))
    assert snr_db == pytest.approx(20.0, abs=0.1)


def test_understood_means_the_intent_and_the_device() -> None:
    command = Command("Turn on the kitchen light.", ("HassTurnOn",), "light.kitchen")
    assert _fits(command, Turn(action=Action("HassTurnOn", ("light.kitchen",))))
    assert not _fits(command, Turn(action=Action("HassTurnOff", ("light.kitchen",))))
    assert not _fits(command, Turn(action=Action("HassTurnOn", ("light.hall",))))
    assert not _fits(command, Turn(action=Action("HassTurnOn", ("light.kitchen",)), error="no sound"))
    assert not _fits(command, Turn())


@pytest.mark.slow
def test_the_demo_works_and_leaves_its_replies(tmp_path: Path) -> None:
    if importlib.util.find_spec("piper") is None or shutil.which("espeak-ng") is None:
        pytest.skip("needs the speech and piper-gpl extras and espeak-ng")
    done = edge("demo", "--out", tmp_path / "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("result    ") == len(SPOKEN) + len(TYPED)
    assert "torch in this process: no" in done.stdout
    assert str(tmp_path / "demo") in done.stdout
    replies = sorted((tmp_path / "demo").glob("*-reply.wav"))
    assert len(replies) >= len(TYPED)
    assert all(np.abs(read_wav(reply)).max() > 500 for reply in replies)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = edge("demo", "--out", tmp_path / "file" / "demo")
    assert done.returncode == 2
    assert "name another with --out" in done.stderr
