"""The threshold is of being any command at all, and comes from what is none."""

from __future__ import annotations

import numpy as np
import pytest

from quantize.program.calibrate import calibrate
from quantize.student.examples import Example


def example(frame: int) -> Example:
    return Example(np.zeros((2, 1), np.int64), np.zeros((2, 1), np.float32), frame, np.zeros(1, np.int64), 0)


def log_p(*rows: tuple[float, float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.log(np.array(rows, np.float32))


SURE_BUT_SPLIT, OTHER_TALK = (0.02, 0.49, 0.49), [(1 - share, share, 0.0001) for share in np.linspace(0.05, 0.8, 20)]


def test_a_command_between_two_intents_stays_above_the_threshold() -> None:
    logits = log_p(*[SURE_BUT_SPLIT] * 20, *OTHER_TALK)
    found = calibrate(logits, [example(1)] * 10 + [example(2)] * 10 + [example(0)] * 20, rejection=0.95)
    p = np.exp(logits / found.temperature)
    in_scope = 1 - p[:, 0] / p.sum(1)
    assert (in_scope[:20] > found.threshold).all()
    assert (in_scope[20:] < found.threshold).mean() == pytest.approx(0.95)


def test_without_examples_of_what_is_no_command_nothing_is_rejected() -> None:
    assert calibrate(log_p(SURE_BUT_SPLIT), [example(1)], rejection=0.95).threshold == 0.0


def test_what_no_home_can_do_is_outside_too() -> None:
    logits = log_p(*[(0.02, 0.9, 0.08)] * 4, *[(0.05, 0.05, 0.9)] * 20)
    truths = [*[example(1)] * 4, *[example(2)] * 20]
    assert calibrate(logits, truths, rejection=0.95, outside=(0,)).threshold == 0.0
    found = calibrate(logits, truths, rejection=0.95, outside=(0, 1))
    assert found.threshold > 0.0
    assert found.figures["rejection_auroc"] == 1.0
