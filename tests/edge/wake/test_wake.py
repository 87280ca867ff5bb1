from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edge.audio.wav import read_wav
from edge.errors import ConfigError
from edge.types import AudioFrame
from edge.wake.microwakeword import WAKE_WORDS, MicroWakeWordDetector
from edge.wake.push_to_talk import AlwaysAwake, PushToTalk, enter_pressed
from edge.wake.refractory import Refractory
from tests.speech import spoken

SILENCE = np.zeros(16000, np.int16)


def wakes(detector: MicroWakeWordDetector | Refractory, pcm: np.ndarray, samples: int = 512) -> list[float]:
    """Seconds at which the detector woke."""
    return [
        (start + samples) / 16000
        for start in range(0, len(pcm) - samples + 1, samples)
        if detector.accept(AudioFrame(pcm[start : start + samples], 16000, start / 16))
    ]


def around(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([piece for part in parts for piece in (SILENCE, part)] + [SILENCE])


@pytest.fixture(autouse=True)
def engine() -> None:
    pytest.importorskip("pymicro_wakeword", reason="needs the speech extra")


@pytest.mark.parametrize("voice", ["en-us", "en-gb"])
@pytest.mark.parametrize(
    ("word", "said"), [("alexa", "alexa"), ("okay_nabu", "okay nabu"), ("hey_mycroft", "hey mycroft")]
)
def test_its_own_word_wakes_and_no_other_does(word: str, said: str, voice: str) -> None:
    speech = around(spoken(said, voice))
    for other in WAKE_WORDS:
        heard = wakes(MicroWakeWordDetector(other), speech)
        assert bool(heard) == (other == word), other


def test_it_wakes_about_the_end_of_the_word_whatever_the_frame_length() -> None:
    speech = spoken("okay nabu")
    end_s = 1 + np.flatnonzero(np.abs(speech.astype(int)) > 300)[-1] / 16000
    for samples in (160, 512, 1000):
        heard = wakes(MicroWakeWordDetector("okay_nabu"), around(speech), samples)
        assert abs(heard[0] - end_s) < 0.4


@pytest.mark.parametrize("word", WAKE_WORDS)
def test_other_speech_and_noise_do_not_wake(word: str) -> None:
    random = np.random.default_rng(0)
    hiss = random.normal(0, 2000, 16000 * 10).astype(np.int16)
    speech = [spoken(text) for text in ("turn on the kitchen light", "okay now what about her", "a lexicon", "hey you")]
    assert wakes(MicroWakeWordDetector(word), around(hiss, *speech)) == []


@pytest.mark.parametrize("word", WAKE_WORDS)
def test_kitchen_noise_does_not_wake(word: str, data_dir: Path) -> None:
    noise = data_dir / "speech_commands" / "kitchen_noise.wav"
    if not noise.is_file():
        pytest.skip(f"no {noise}")
    assert wakes(MicroWakeWordDetector(word), read_wav(noise)) == []


def test_the_threshold_decides() -> None:
    speech = around(spoken("okay nabu"))
    peak = MicroWakeWordDetector("okay_nabu").probability(AudioFrame(speech, 16000))
    assert wakes(MicroWakeWordDetector("okay_nabu", threshold=peak - 0.01), speech)
    assert not wakes(MicroWakeWordDetector("okay_nabu", threshold=peak + (1 - peak) / 2), speech)


def test_reset_forgets_half_a_word() -> None:
    speech = around(spoken("okay nabu"))
    detector = MicroWakeWordDetector("okay_nabu")
    half = wakes(detector, speech)[0]
    detector.reset()
    cut = int((half - 0.15) * 16000) // 512 * 512
    assert wakes(detector, speech[:cut]) == []
    detector.reset()
    assert wakes(detector, speech[cut:]) == []


def test_unknown_word_lists_the_known_and_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="alexa, hey_jarvis, hey_mycroft, okay_nabu.*mean 'okay_nabu'"):
        MicroWakeWordDetector("ok_nabu")
    with pytest.raises(ConfigError, match="choose one of"):
        MicroWakeWordDetector("../../etc/passwd")


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_impossible_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="threshold"):
        MicroWakeWordDetector("alexa", threshold)


def test_refractory_time_lets_one_of_two_through() -> None:
    twice = around(spoken("alexa"), spoken("alexa"))
    assert len(wakes(MicroWakeWordDetector("alexa"), twice)) > 2  # a word counts in several frames
    assert len(wakes(Refractory(MicroWakeWordDetector("alexa"), refractory_ms=4000), twice)) == 1
    assert len(wakes(Refractory(MicroWakeWordDetector("alexa"), refractory_ms=1000), twice)) == 2


def test_muted_it_does_not_hear_itself_and_hears_again_afterwards() -> None:
    own_voice = around(spoken("alexa"))
    detector = Refractory(MicroWakeWordDetector("alexa"))
    detector.mute(True)
    assert wakes(detector, own_voice) == []
    detector.mute(False)
    assert len(wakes(detector, own_voice)) == 1


def test_the_echo_after_its_own_voice_does_not_wake() -> None:
    detector = Refractory(AlwaysAwake(), refractory_ms=10_000, echo_ms=320)
    detector.mute(True)
    detector.mute(False)
    heard = [detector.accept(AudioFrame(np.zeros(512, np.int16), 16000)) for _ in range(20)]
    assert heard.index(True) == 10


def test_push_to_talk_wakes_once_per_press() -> None:
    presses = iter([False, True, True, True, False, True])
    detector = PushToTalk(lambda: next(presses))
    frame = AudioFrame(np.zeros(512, np.int16), 16000)
    assert [detector.accept(frame) for _ in range(6)] == [False, True, False, False, False, True]


def test_always_awake() -> None:
    assert AlwaysAwake().accept(AudioFrame(np.zeros(512, np.int16), 16000))


def test_enter_is_noticed_without_waiting() -> None:
    reading, writing = os.pipe()
    with open(reading) as stream, open(writing, "w") as keyboard:
        assert not enter_pressed(stream)
        keyboard.write("\n")
        keyboard.flush()
        assert enter_pressed(stream)
        assert not enter_pressed(stream)
        keyboard.close()
        assert not enter_pressed(stream)
