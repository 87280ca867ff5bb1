"""Metrics of the MASSIVE paper, rejection, calibration and regressions between two releases."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from quantize.data.datasets import SlotSpan, Utterance

_SHOWN = 20


@dataclass(frozen=True)
class Prediction:
    """What a model says about one utterance; ``intent`` None is a rejection.

    ``in_scope`` is the probability that it is a command at all.
    """

    intent: str | None
    slots: tuple[SlotSpan, ...] = ()
    in_scope: float = 1.0


@dataclass(frozen=True)
class Metrics:
    """Fractions in 0..1 over ``n`` utterances, named as ``edge-quantize evaluate --json`` prints them."""

    intent_accuracy: float
    slot_f1: float
    exact_match: float
    n: int


def measure(gold: Sequence[Utterance], predicted: Sequence[Prediction]) -> Metrics:
    """Intent accuracy, slot micro-F1 over (name, span), and exact match of both.

    Spans are compared from their first to their last letter, digit or mark, since a full stop or an apostrophe at the
    edge is a matter of tokenization. With no slot in gold or prediction, slot F1 is 1.
    """
    hits = found = expected = intents = exact = 0
    for utterance, prediction in zip(gold, predicted, strict=True):
        truth, guess = _cores(utterance.text, utterance.slots), _cores(utterance.text, prediction.slots)
        hits += len(truth & guess)
        expected += len(truth)
        found += len(guess)
        right = utterance.intent == prediction.intent
        intents += right
        exact += right and truth == guess
    n = len(gold)
    f1 = 2 * hits / (expected + found) if expected + found else 1.0
    return Metrics(intents / max(n, 1), f1, exact / max(n, 1), n)


def measure_locales(gold: Sequence[Utterance], predicted: Sequence[Prediction]) -> dict[str, Metrics]:
    """Return the metrics of each locale, sorted by locale."""
    rows: defaultdict[str, list[tuple[Utterance, Prediction]]] = defaultdict(list)
    for utterance, prediction in zip(gold, predicted, strict=True):
        rows[utterance.locale].append((utterance, prediction))
    return {
        locale: measure([utterance for utterance, _ in pairs], [prediction for _, prediction in pairs])
        for locale, pairs in sorted(rows.items())
    }


def auroc(in_scope: ArrayLike, out_of_scope: ArrayLike) -> float:
    """Probability that an in-scope sentence scores above an out-of-scope one (ties count half)."""
    inside, outside = np.asarray(in_scope, float), np.sort(np.asarray(out_of_scope, float))
    below = np.searchsorted(outside, inside, "left") + np.searchsorted(outside, inside, "right")
    return float(below.mean() / (2 * len(outside)))


def threshold_at_rejection(out_of_scope: ArrayLike, rejected: float = 0.95) -> float:
    """Return the lowest threshold at which a share of at least ``rejected`` out-of-scope sentences stays below."""
    scores = np.sort(np.asarray(out_of_scope, float))
    index = int(np.ceil(rejected * len(scores))) - 1
    return float(np.nextafter(scores[max(index, 0)], np.inf))


def rejection(
    inside: ArrayLike, right: ArrayLike, outside: ArrayLike, shipped_threshold: float, rejected: float = 0.95
) -> dict[str, float]:
    """How well its probability of being a command parts commands from other talk.

    Args:
        inside: that probability of each in-scope sentence, 0 where it is rejected anyhow.
        right: whether its intent is right.
        outside: the same of each out-of-scope sentence.
        shipped_threshold: below which the release rejects.
        rejected: share of out-of-scope sentences to reject.

    Returns:
        AUROC; the threshold at which ``rejected`` are rejected and the share of in-scope sentences that are accepted
        and right there; both shares at the shipped threshold; the two counts.
    """
    scores, hits, others = np.asarray(inside, float), np.asarray(right, bool), np.asarray(outside, float)
    threshold = threshold_at_rejection(others, rejected)
    return {
        "auroc": auroc(scores, others),
        "threshold": threshold,
        "in_scope_accuracy": float(((scores >= threshold) & hits).mean()),
        "rejected_at_shipped_threshold": float((others < shipped_threshold).mean()),
        "in_scope_at_shipped_threshold": float(((scores >= shipped_threshold) & hits).mean()),
        "n_in_scope": len(scores),
        "n_out_of_scope": len(others),
    }


def calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error with equal-width bins (Guo et al. 2017)."""
    scores, hits = np.asarray(confidence, float), np.asarray(correct, float)
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [abs(float((hits - scores)[place == b].sum())) for b in range(bins)]
    return sum(gaps) / max(len(scores), 1)


@dataclass(frozen=True)
class Flip:
    """A sentence that went wrong: its true intent, and the one that the new release gives."""

    text: str
    language: str
    intent: str
    now: str | None


@dataclass(frozen=True)
class Flips:
    """The flips among ``n`` sentences."""

    found: tuple[Flip, ...]
    n: int

    @property
    def share(self) -> float:
        """Fraction of all sentences."""
        return len(self.found) / max(1, self.n)

    def report(self) -> dict[str, Any]:
        """As ``edge-quantize evaluate --json`` prints it."""
        return {"share": self.share, "n": self.n, "examples": [vars(flip) for flip in self.found[:_SHOWN]]}


def negative_flips(gold: Sequence[Utterance], old: Sequence[Prediction], new: Sequence[Prediction]) -> Flips:
    """Utterances that the old release parsed exactly and the new one does not (Yan et al. 2021)."""
    found = [
        Flip(utterance.text, utterance.locale, utterance.intent, after.intent)
        for utterance, before, after in zip(gold, old, new, strict=True)
        if _exact(utterance, before) and not _exact(utterance, after)
    ]
    return Flips(tuple(found), len(gold))


def _exact(utterance: Utterance, prediction: Prediction) -> bool:
    text = utterance.text
    return utterance.intent == prediction.intent and _cores(text, utterance.slots) == _cores(text, prediction.slots)


def _cores(text: str, slots: Iterable[SlotSpan]) -> set[SlotSpan]:
    cores = set()
    for slot in slots:
        places = [i for i in range(slot.start, min(slot.end, len(text))) if unicodedata.category(text[i])[0] in "LNM"]
        cores.add(SlotSpan(slot.name, places[0], places[-1] + 1) if places else slot)
    return cores
