from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from quantize.data.datasets import SlotSpan, Utterance, parse_annotation
from quantize.data.metrics import (
    Metrics,
    Prediction,
    auroc,
    calibration_error,
    measure,
    measure_locales,
    negative_flips,
    rejection,
    threshold_at_rejection,
)


def utterance(annotated: str, intent: str = "play", locale: str = "en-US") -> Utterance:
    text, slots = parse_annotation(annotated)
    return Utterance("1", locale, "test", "music", intent, text, slots)


GOLD = [
    utterance("play [song : hey jude] by [artist : the beatles]"),
    utterance("stop", "stop"),
    utterance("spiel [artist : nena]", locale="de-DE"),
]


def right(item: Utterance) -> Prediction:
    return Prediction(item.intent, item.slots)


def test_perfect() -> None:
    assert measure(GOLD, [right(item) for item in GOLD]) == Metrics(1.0, 1.0, 1.0, 3)


def test_span_needs_name_and_both_ends() -> None:
    predicted = [
        Prediction("play", (SlotSpan("song", 5, 8), SlotSpan("artist", 17, 28))),
        Prediction("play"),
        Prediction("play", (SlotSpan("song", 6, 10),)),
    ]
    result = measure(GOLD, predicted)
    assert result.intent_accuracy == pytest.approx(2 / 3)
    assert result.slot_f1 == pytest.approx(2 * 1 / (3 + 3))
    assert result.exact_match == 0.0


def test_punctuation_at_the_edge_does_not_count() -> None:
    gold = [utterance("euro in [currency : u. s. d.]"), utterance("what is [date : today]'s weather")]
    predicted = [Prediction("play", (SlotSpan("currency", 8, 15),)), Prediction("play", (SlotSpan("date", 8, 14),))]
    assert measure(gold, predicted).exact_match == 1.0


def test_rejection_is_not_a_right_intent() -> None:
    assert measure(GOLD[1:2], [Prediction(None)]).intent_accuracy == 0.0


def test_no_slots_anywhere() -> None:
    assert measure(GOLD[1:2], [Prediction("stop")]) == Metrics(1.0, 1.0, 1.0, 1)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        measure(GOLD, [])


def test_each_locale_apart() -> None:
    predicted = [right(GOLD[0]), right(GOLD[1]), Prediction("stop")]
    assert measure_locales(GOLD, predicted) == {"de-DE": Metrics(0.0, 0.0, 0.0, 1), "en-US": Metrics(1.0, 1.0, 1.0, 2)}


def test_auroc_agrees_with_sklearn() -> None:
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(2, 12, 50) / 12, rng.integers(0, 9, 40) / 12
    expected = roc_auc_score([1] * 50 + [0] * 40, np.concatenate([inside, outside]))
    assert auroc(inside, outside) == pytest.approx(expected)


def test_threshold_rejects_the_share_asked_for() -> None:
    outside = np.arange(100) / 100
    threshold = threshold_at_rejection(outside, 0.95)
    assert (outside < threshold).mean() == pytest.approx(0.95)
    assert 0.94 < threshold < 0.95


def test_rejection_at_the_wanted_share_and_as_shipped() -> None:
    outside = np.arange(100) / 100
    figures = rejection([0.99, 0.97, 0.90, 0.2], [True, False, True, True], outside, 0.5)
    assert figures["threshold"] == pytest.approx(0.94)
    assert figures["in_scope_accuracy"] == 0.25
    assert figures["rejected_at_shipped_threshold"] == 0.5
    assert figures["in_scope_at_shipped_threshold"] == 0.5
    assert 0.7 < figures["auroc"] < 0.8
    assert (figures["n_in_scope"], figures["n_out_of_scope"]) == (4, 100)


def test_calibration_error() -> None:
    assert calibration_error([1.0, 1.0], [1, 0]) == pytest.approx(0.5)
    assert calibration_error([0.5, 0.5], [1, 0]) == pytest.approx(0.0)


def test_negative_flips_are_regressions_only() -> None:
    old = [right(GOLD[0]), right(GOLD[1]), Prediction("stop")]
    new = [Prediction("play"), right(GOLD[1]), right(GOLD[2])]
    flips = negative_flips(GOLD, old, new)
    assert [(flip.text, flip.now) for flip in flips.found] == [(GOLD[0].text, "play")]
    assert flips.share == pytest.approx(1 / 3)
    assert flips.report()["n"] == 3
