"""How often people say what, learned from text without labels (Saerens et al. 2002).

Labelled sets are collected intent by intent and hold as many of each; what people say is not so even. A classifier that
learned from the former adjusts to the latter when its probabilities are weighed by the ratio of the frequencies.
Expectation-maximization estimates these from the classifier's own opinion of the unlabelled sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from quantize.data.datasets import Utterance
from quantize.student.network import Student

_LEAST = 0.5
"""An intent becomes at most twice as rare: what the text never says someone will say."""
_ROUNDS = 100


def prior_shift(logits: NDArray[np.floating], labelled: NDArray[np.floating]) -> NDArray[np.float32]:
    """What to add to intent logits so that their prior is that of the unlabelled sentences.

    Args:
        logits: of N unlabelled sentences [N, I], from a classifier whose prior is that of the labels.
        labelled: share of each intent among the labels [I]; each is above 0.

    Returns:
        Logarithms of the ratios of the frequencies, [I].
    """
    opinion = torch.from_numpy(logits.astype(np.float64)).softmax(1).numpy()
    ratio = np.ones(len(labelled))
    for _ in range(_ROUNDS):
        weighed = opinion * ratio
        ratio = (weighed / weighed.sum(1, keepdims=True)).mean(0) / labelled
        ratio = np.maximum(ratio, _LEAST)
        ratio /= (ratio * labelled).sum()
    return np.log(ratio).astype(np.float32)


def label_shares(labelled: Sequence[Utterance], intents: Sequence[str]) -> NDArray[np.float64]:
    """Share of each intent among the labels [I]."""
    counts = Counter(utterance.intent for utterance in labelled)
    return np.array([counts[intent] for intent in intents]) / len(labelled)


def add_prior(student: Student, shift: NDArray[np.float32]) -> None:
    """Add ``shift`` to what the student says of intents."""
    with torch.no_grad():
        student.frame.bias.add_(torch.from_numpy(shift))
