"""What people say often is learned from text without labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edge.nlu.matching import FEATURES
from quantize.data.datasets import Utterance
from quantize.student.distill import intent_logits
from quantize.student.network import Student, StudentShape
from quantize.student.prior import add_prior, label_shares, prior_shift

LABELLED = np.array([0.5, 0.25, 0.25])
SPOKEN = np.array([0.3, 0.15, 0.55])


def sentences(shares: np.ndarray, n: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Intents [N], and the logits [N, 3] of the best classifier whose prior is that of the labels."""
    rng = np.random.default_rng(0)
    intents = rng.choice(3, n, p=shares)
    seen = np.eye(3)[intents] * 1.5 + rng.normal(size=(n, 3))
    return intents, 1.5 * seen + np.log(LABELLED)


def test_frequencies_are_found_and_make_the_classifier_better() -> None:
    intents, logits = sentences(SPOKEN)
    shift = prior_shift(logits, LABELLED)
    np.testing.assert_allclose(LABELLED * np.exp(shift), SPOKEN, atol=0.03)
    before, after = ((scores.argmax(1) == intents).mean() for scores in (logits, logits + shift))
    assert after > before + 0.02


def test_where_text_is_like_the_labels_nothing_changes() -> None:
    _, logits = sentences(LABELLED)
    np.testing.assert_allclose(prior_shift(logits, LABELLED), 0, atol=0.1)


def test_what_the_text_never_says_stays_possible() -> None:
    _, logits = sentences(np.array([0.0, 0.5, 0.5]))
    shift = prior_shift(logits, LABELLED)
    assert shift[0] == pytest.approx(shift.min()) and -1.0 < shift[0] < -0.5


def test_the_student_says_what_is_frequent_more_often() -> None:
    torch.manual_seed(0)
    student = Student(StudentShape(3, 1, 1, FEATURES, buckets=64, embed=8, hidden=16, layers=1, heads=2)).eval()
    before = intent_logits(student, ["turn on the light", "play"])
    add_prior(student, np.array([0.0, 1.0, -1.0], np.float32))
    np.testing.assert_allclose(
        intent_logits(student, ["turn on the light", "play"]) - before, [[0, 1, -1]] * 2, atol=1e-5
    )


def test_shares_of_labels() -> None:
    rows = [Utterance(str(i), "en-US", "train", "", intent, "x") for i, intent in enumerate("aab")]
    assert label_shares(rows, ["a", "b"]).tolist() == pytest.approx([2 / 3, 1 / 3])
