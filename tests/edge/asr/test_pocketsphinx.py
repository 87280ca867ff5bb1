from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.asr.pocketsphinx import PocketSphinxRecognizer, grammar_words
from edge.errors import EngineError
from edge.types import AudioFrame
from tests.speech import spoken

pytest.importorskip("pocketsphinx")

GRAMMAR = """#JSGF V1.0;
grammar commands; // a remark
public <command> = <turn> | what time is it | open the /2.0/ garage door {open};
<turn> = turn (on | off) the (lights | television) [please];
"""


def feed(recognizer: PocketSphinxRecognizer, pcm: NDArray[np.int16]) -> None:
    for at in range(0, len(pcm), 512):
        assert recognizer.accept(AudioFrame(pcm[at : at + 512], 16000, at / 16)) is None


def command(text: str) -> NDArray[np.int16]:
    pause = np.zeros(4800, np.int16)
    return np.concatenate([pause, spoken(text, words_per_minute=130), pause])


def test_it_hears_sentences_of_the_grammar() -> None:
    recognizer = PocketSphinxRecognizer(GRAMMAR, time_limit_ms=60_000)
    for text in ("turn on the lights", "what time is it", "open the garage door"):
        feed(recognizer, command(text))
        heard = recognizer.finish()
        assert heard.text == text
        assert [word.text for word in heard.words] == text.split()
        assert 0.0 < heard.confidence <= 1.0
        assert 0.0 <= heard.words[0].start_ms < heard.words[-1].end_ms <= heard.end_ms


def test_silence_gives_no_text() -> None:
    recognizer = PocketSphinxRecognizer(GRAMMAR)
    assert recognizer.finish().text == ""
    feed(recognizer, np.zeros(16000, np.int16))
    assert recognizer.finish().text == ""


def test_a_decoder_that_lags_stops_with_what_it_has() -> None:
    recognizer = PocketSphinxRecognizer(GRAMMAR, time_limit_ms=-1.0)
    feed(recognizer, command("turn on the lights"))
    assert recognizer.finish().text != "turn on the lights"


def test_words_of_a_grammar() -> None:
    expected = "what time is it open the garage door turn on off lights television please"
    assert " ".join(grammar_words(GRAMMAR)) == expected


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("", "JSGF"),
        ("turn on the lights", "JSGF"),
        ("#JSGF V1.0; grammar a; public <a> = ;", "no words"),
        ("#JSGF V1.0; grammar a; <a> = turn;", "JSGF"),
        ("#JSGF V1.0; grammar a; public <a> = turn (on;", "refused"),
        ("#JSGF V1.0; grammar a; public <a> = turn <b>;", "does not define <b>"),
        ("#JSGF V1.0; grammar a; public <a> = xyzzyx frobnicate;", "does not know frobnicate, xyzzyx"),
    ],
)
def test_a_bad_grammar_gives_one_line(grammar: str, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        PocketSphinxRecognizer(grammar)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="mdef is missing"):
        PocketSphinxRecognizer(GRAMMAR, model_path=tmp_path)


def test_another_rate_is_refused() -> None:
    with pytest.raises(EngineError, match="not 8000"):
        PocketSphinxRecognizer(GRAMMAR).accept(AudioFrame(np.zeros(80, np.int16), 8000))
