from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantize.data.datasets import Utterance, read_utterances, without_leaks
from quantize.teacher.baseline import measure_floor, train_floor, with_second_opinion
from quantize.teacher.train import SoftLabels


def utterance(text: str, intent: str) -> Utterance:
    return Utterance("1", "en-US", "train", "s", intent, text)


TRAIN = [
    utterance("turn on the light", "on"),
    utterance("lights on please", "on"),
    utterance("turn off the light", "off"),
    utterance("lights off please", "off"),
    utterance("play some jazz", "play"),
    utterance("play the radio", "play"),
]


def test_floor_learns_spellings() -> None:
    result = measure_floor(TRAIN, [utterance("lamp on", "on"), utterance("lamp off", "off"), utterance("offf", "off")])
    assert result.intent_accuracy == 1.0


def test_second_opinion_moves_an_undecided_teacher() -> None:
    empty = np.zeros((0, 1), np.float16)
    soft = SoftLabels(["lamp off", "lamp on"], np.zeros((2, 3), np.float16), empty, empty, empty, np.array([0, 0, 0]))
    joined = with_second_opinion(soft, train_floor(TRAIN), ["off", "on", "play"], 3.0)
    assert joined.intents.argmax(1).tolist() == [0, 1]
    with pytest.raises(ValueError, match="different intents"):
        with_second_opinion(soft, train_floor(TRAIN), ["on", "off", "play"], 3.0)


@pytest.mark.slow
def test_floor_on_slurp(data_dir: Path) -> None:
    dev = read_utterances(data_dir / "slurp" / "en-US.dev.jsonl")
    train = without_leaks(read_utterances(data_dir / "slurp" / "en-US.train.jsonl"), dev)
    assert measure_floor(train, dev).intent_accuracy == pytest.approx(0.8254, abs=0.003)
