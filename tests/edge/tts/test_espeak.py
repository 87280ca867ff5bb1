from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import EngineError
from edge.tts.espeak import EspeakVoice, espeak_voice


@pytest.fixture
def installed() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("no espeak-ng: apt-get install espeak-ng")


def apologies() -> dict[str, str]:
    """What the replies' package says in each of its languages when it did not understand."""
    spec = importlib.util.find_spec("home_assistant_intents")
    folder = Path(spec.origin or "").parent / "data" if spec else Path()
    pages = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    return {language: page["responses"]["errors"]["no_intent"] for language, page in sorted(pages.items())}


@pytest.mark.usefixtures("installed")
def test_every_language_of_the_replies_is_spoken() -> None:
    texts = apologies()
    assert len(texts) >= 65
    for language, text in texts.items():
        frames = list(EspeakVoice(language).synthesize(text))
        assert frames and all(np.abs(frame.pcm.astype(int)).max() > 3000 for frame in frames), language


@pytest.mark.usefixtures("installed")
def test_a_sentence_a_frame_one_after_the_other() -> None:
    first, second = EspeakVoice("en").synthesize("The light is on. The door is open.")
    assert first.rate_hz == second.rate_hz == 22050
    assert second.start_ms == pytest.approx(first.duration_ms) and 500 < first.duration_ms < 3000


@pytest.mark.usefixtures("installed")
def test_text_is_never_an_option() -> None:
    for text in ("--version", "-f /etc/passwd", "-v de --stdout", '"; touch /tmp/x', "<voice name='de'>hello</voice>"):
        assert all(len(frame.pcm) > 2000 for frame in EspeakVoice("en").synthesize(text))


@pytest.mark.usefixtures("installed")
def test_odd_text_is_no_crash() -> None:
    voice = EspeakVoice("en")
    assert list(voice.synthesize("")) == [] == list(voice.synthesize("\x00 ... \x1b"))
    assert list(voice.synthesize("lone surrogate \ud800 here"))
    assert len(next(iter(voice.synthesize("word " * 2000))).pcm) > 20_000


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en-us"),
        ("en-GB", "en-gb"),
        ("pt", "pt"),
        ("pt-BR", "pt-br"),
        ("pt_BR", "pt-br"),
        ("zh-CN", "cmn"),
        ("zh-HK", "yue"),
        ("sr-Latn", "sr"),
        ("de-CH", "de"),
        ("nb", "nb"),
        ("gl", "es"),
    ],
)
def test_languages_have_voices(language: str, voice: str) -> None:
    assert espeak_voice(language) == voice


@pytest.mark.parametrize("language", ["", "-v", "../de", "english", "d", "\u0434\u0435", "de;ls"])
def test_what_is_no_language_is_refused(language: str) -> None:
    with pytest.raises(EngineError, match="no language tag"):
        espeak_voice(language)


@pytest.mark.usefixtures("installed")
def test_an_unknown_language_gives_one_line() -> None:
    with pytest.raises(EngineError, match="cannot speak xx: .*does not exist"):
        list(EspeakVoice("xx").synthesize("hello"))


def fake_program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_program(tmp_path, "exec sleep 60", monkeypatch)
    monkeypatch.setattr("edge.tts.espeak.TIMEOUT_S", 0.2)
    with pytest.raises(EngineError, match="did not answer"):
        list(EspeakVoice("en").synthesize("hello"))


def test_a_program_that_gives_no_audio_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_program(tmp_path, "cat >/dev/null; echo hello", monkeypatch)
    with pytest.raises(EngineError, match="no audio"):
        list(EspeakVoice("en").synthesize("hello"))


def test_a_missing_program_names_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="apt install espeak-ng"):
        EspeakVoice("en")
