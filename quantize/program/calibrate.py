"""Confidence that means what it says, and the threshold below which a parse is rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.data.metrics import auroc
from quantize.student.examples import Example

_LEAST, _MOST = 0.5, 0.9
_TEMPERATURES = np.geomspace(0.5, 3.0, 40)


@dataclass(frozen=True)
class Calibration:
    """``temperature`` divides the frame logits; what is a command with less than ``threshold`` is rejected."""

    temperature: float
    threshold: float
    figures: dict[str, Any]


def calibrate(
    logits: NDArray[np.float32], examples: Sequence[Example], rejection: float, outside: Sequence[int] = (0,)
) -> Calibration:
    """Temperature by likelihood (Guo et al. 2017), threshold by the share of unrelated sentences to reject.

    What is thresholded is the probability of being any command, not that of the likeliest one: "kitchen lights" is
    surely a command, though on and off are equally likely.

    Args:
        logits: Frame logits [N, frames] of the device program.
        examples: Their truths. Without examples that are not commands nothing is rejected.
        rejection: Share of unrelated sentences to reject.
        outside: Frames that are not commands; without one, nothing is rejected.
    """
    truth = np.array([example.frame for example in examples])
    losses = [-_log_softmax(logits / t)[np.arange(len(truth)), truth].mean() for t in _TEMPERATURES]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    p = np.exp(_log_softmax(logits / temperature))
    unrelated = np.isin(truth, outside)
    if not unrelated.any():
        return Calibration(round(temperature, 4), 0.0, {"temperature": temperature})
    score = np.where(np.isin(p.argmax(1), outside), 0.0, 1.0 - p[:, list(outside)].sum(1))
    threshold = float(np.quantile(score[unrelated], rejection))
    kept = score[~unrelated] >= threshold
    right = p[~unrelated].argmax(1) == truth[~unrelated]
    return Calibration(
        round(temperature, 4),
        round(min(max(threshold, _LEAST), _MOST), 4),
        {
            "rejection_auroc": auroc(score[~unrelated], score[unrelated]),
            "in_scope_accuracy_at_rejection": float((kept & right).mean()),
            "rejection": rejection,
        },
    )


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = logits - logits.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)), np.float32)
