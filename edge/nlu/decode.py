"""From the student's scores to one consistent reading: a frame and the best tag sequence that it allows."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FORBIDDEN = -1e4
_MAX_FRAMES = 4
_MIN_FRAME_LOG_PROBABILITY = log(0.02)

Scores = NDArray[np.float32]


class Span(NamedTuple):
    """Tokens ``first`` to ``last`` (exclusive) are the text of ``slot``."""

    slot: str
    first: int
    last: int


class Reading(NamedTuple):
    """Frame index, its probability, and its spans."""

    frame: int
    probability: float
    spans: tuple[Span, ...]


class Decoder:
    """Joint search over frames and BIO tag sequences.

    The score of a reading is log p(frame) + log p(tags) up to a constant. Tags come from a linear-chain CRF restricted
    to the slots that the frame may have. So likely tags can overrule an unlikely frame.
    """

    def __init__(
        self,
        slots: Sequence[str],
        transitions: Sequence[Sequence[float]],
        allowed: Sequence[Sequence[str]],
        temperature: float,
    ) -> None:
        self._slots = list(slots)
        legal = _legal_transitions(np.array(transitions, np.float32))
        self._chains = [_Chain(legal, self._tag_ids(names)) for names in allowed]
        self._temperature = temperature

    def frame_log_probabilities(self, frame_logits: Scores) -> Scores:
        """Calibrated log p(frame) [frames]."""
        return log_softmax(frame_logits / self._temperature)

    def decode(self, log_p: Scores, tag_scores: Scores) -> list[Reading]:
        """Readings, best first, of log p(frame) [frames] and tag scores [T, tags]."""
        likely = np.flatnonzero(log_p >= _MIN_FRAME_LOG_PROBABILITY).tolist() or [int(log_p.argmax())]
        readings: list[tuple[float, Reading]] = []
        for frame in sorted(likely, key=lambda frame: -log_p[frame])[:_MAX_FRAMES]:
            tags, score = self._chains[frame].best(tag_scores)
            log_probability = float(log_p[frame])
            readings.append((log_probability + score, Reading(frame, exp(log_probability), self._spans(tags))))
        readings.sort(key=lambda item: -item[0])
        return [reading for _, reading in readings]

    def _tag_ids(self, names: Sequence[str]) -> NDArray[np.int64]:
        ids = [0]
        for name in names:
            i = self._slots.index(name)
            ids += [1 + 2 * i, 2 + 2 * i]
        return np.asarray(ids, np.int64)

    def _spans(self, tags: Sequence[int]) -> tuple[Span, ...]:
        spans: list[Span] = []
        for i, tag in enumerate(tags):
            if tag == 0:
                continue
            slot = self._slots[(tag - 1) // 2]
            if tag % 2 == 0 and spans and spans[-1].slot == slot and spans[-1].last == i:
                spans[-1] = Span(slot, spans[-1].first, i + 1)
            else:
                spans.append(Span(slot, i, i + 1))
        return tuple(spans)


def log_softmax(logits: Scores) -> Scores:
    """Log-probabilities of [C] logits."""
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float32)


class _Chain:
    """The linear-chain CRF of a frame's tags ``ids``, with the legal ones of all ``transitions`` [tags, tags]."""

    def __init__(self, transitions: Scores, ids: NDArray[np.int64]) -> None:
        self._ids = ids
        self._into = np.ascontiguousarray(transitions[np.ix_(ids, ids)].T)  # [to, from]
        self._start = np.where((ids > 0) & (ids % 2 == 0), np.float32(_FORBIDDEN), np.float32(0))

    def best(self, tag_scores: Scores) -> tuple[list[int], float]:
        """Best tags [T] for scores [T, tags], and their score (Viterbi 1967)."""
        scores = tag_scores[:, self._ids]
        total = scores[0] + self._start
        back: list[NDArray[np.int64]] = []
        for row in scores[1:]:
            table = self._into + total
            back.append(table.argmax(1))
            total = np.maximum.reduce(table, 1) + row
        path = [int(total.argmax())]
        for pointers in reversed(back):
            path.append(int(pointers[path[-1]]))
        return self._ids[path[::-1]].tolist(), float(total[path[0]])


def _legal_transitions(transitions: Scores) -> Scores:
    """``transitions`` [tags, tags] without those into the inside of a slot from anywhere but that slot."""
    for inside in range(2, len(transitions), 2):
        others = [i for i in range(len(transitions)) if i not in (inside, inside - 1)]
        transitions[others, inside] = _FORBIDDEN
    return transitions
