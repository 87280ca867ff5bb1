"""From the student's scores to one consistent reading: a frame and the best tag sequence that it allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FORBIDDEN = -1e4
_MAX_FRAMES = 4
_MIN_FRAME_PROBABILITY = 0.02

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """Tokens ``first`` to ``last`` (exclusive) are the text of ``slot``."""

    slot: str
    first: int
    last: int


@dataclass(frozen=True)
class Reading:
    """Frame index, its probability, and its spans."""

    frame: int
    probability: float
    spans: tuple[Span, ...]


class Decoder:
    """Joint search over frames and BIO tag sequences.

    The score of a reading is log p(frame) + log p(tags) up to a constant, where tags come from a linear-chain CRF
    restricted to the slots that the frame may have (Viterbi 1967); so likely tags can overrule an unlikely frame.
    """

    def __init__(
        self,
        slots: Sequence[str],
        transitions: Sequence[Sequence[float]],
        allowed: Sequence[Sequence[str]],
        temperature: float,
    ) -> None:
        self._slots = list(slots)
        self._transitions = np.asarray(transitions, np.float32)
        self._allowed = [self._tag_ids(names) for names in allowed]
        self._legal = self._legal_transitions()
        self._temperature = temperature

    def frame_log_probabilities(self, frame_logits: Scores) -> Scores:
        """Calibrated log p(frame) [frames]."""
        return log_softmax(frame_logits / self._temperature)

    def decode(self, log_p: Scores, tag_scores: Scores) -> list[Reading]:
        """Readings, best first, of log p(frame) [frames] and tag scores [T, tags]."""
        best = np.argsort(-log_p)[:_MAX_FRAMES]
        readings: list[tuple[float, Reading]] = []
        for frame in best:
            probability = float(np.exp(log_p[frame]))
            if readings and probability < _MIN_FRAME_PROBABILITY:
                break
            ids = self._allowed[frame]
            path, score = _viterbi(tag_scores[:, ids], self._legal[np.ix_(ids, ids)], self._start(ids))
            reading = Reading(int(frame), probability, self._spans(ids[path]))
            readings.append((float(log_p[frame]) + score, reading))
        readings.sort(key=lambda item: -item[0])
        return [reading for _, reading in readings]

    def _tag_ids(self, names: Sequence[str]) -> NDArray[np.int64]:
        ids = [0]
        for name in names:
            i = self._slots.index(name)
            ids += [1 + 2 * i, 2 + 2 * i]
        return np.asarray(ids, np.int64)

    def _legal_transitions(self) -> Scores:
        legal = self._transitions.copy()
        for inside in range(2, len(legal), 2):
            others = [i for i in range(len(legal)) if i not in (inside, inside - 1)]
            legal[others, inside] = _FORBIDDEN
        return legal

    @staticmethod
    def _start(ids: NDArray[np.int64]) -> Scores:
        return np.where((ids > 0) & (ids % 2 == 0), np.float32(_FORBIDDEN), np.float32(0))

    def _spans(self, tags: NDArray[np.int64]) -> tuple[Span, ...]:
        spans: list[Span] = []
        for i, tag in enumerate(tags):
            if tag == 0:
                continue
            slot = self._slots[(int(tag) - 1) // 2]
            if tag % 2 == 0 and spans and spans[-1].slot == slot and spans[-1].last == i:
                spans[-1] = Span(slot, spans[-1].first, i + 1)
            else:
                spans.append(Span(slot, i, i + 1))
        return tuple(spans)


def log_softmax(logits: Scores) -> Scores:
    """Log-probabilities of [C] logits."""
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float32)


def _viterbi(scores: Scores, transitions: Scores, start: Scores) -> tuple[NDArray[np.int64], float]:
    """Best path [T] and its score."""
    total = scores[0] + start
    back: list[NDArray[np.int64]] = []
    for row in scores[1:]:
        table = total[:, None] + transitions
        back.append(table.argmax(0))
        total = table.max(0) + row
    path = [int(total.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return np.asarray(path[::-1], np.int64), float(total.max())
