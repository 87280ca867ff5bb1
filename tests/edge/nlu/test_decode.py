"""Joint decoding against the definition: every tag sequence scored by hand."""

from __future__ import annotations

from itertools import product

import numpy as np

from edge.nlu.decode import Decoder, Span, log_softmax

SLOTS = ["area", "name"]
TAGS = 5


def decoder(transitions: np.ndarray | None = None) -> Decoder:
    table = np.zeros((TAGS, TAGS)) if transitions is None else transitions
    return Decoder(SLOTS, table.tolist(), [["area"], ["area", "name"], []], 1.0)


def test_the_best_path_is_the_one_that_enumeration_finds() -> None:
    rng = np.random.default_rng(3)
    transitions = rng.normal(size=(TAGS, TAGS))
    scores = rng.normal(size=(4, TAGS)).astype(np.float32)
    log_p = np.log(np.array([0.001, 0.998, 0.001], np.float32))
    best = decoder(transitions).decode(log_p, scores)[0]

    def legal(path: tuple[int, ...]) -> bool:
        before = 0
        for tag in path:
            if tag in (2, 4) and before not in (tag, tag - 1):
                return False
            before = tag
        return True

    def score(path: tuple[int, ...]) -> float:
        moves = sum(transitions[a, b] for a, b in zip(path, path[1:], strict=False))
        return float(sum(scores[i, tag] for i, tag in enumerate(path)) + moves)

    expected = max((path for path in product(range(TAGS), repeat=4) if legal(path)), key=score)
    tags = [0] * 4
    for span in best.spans:
        first = 1 + 2 * SLOTS.index(span.slot)
        tags[span.first : span.last] = [first] + [first + 1] * (span.last - span.first - 1)
    assert tuple(tags) == expected


def test_a_frame_never_gets_slots_that_it_cannot_have() -> None:
    scores = np.full((2, TAGS), -5.0, np.float32)
    scores[:, 3] = 5.0
    readings = decoder().decode(np.log(np.array([0.98, 0.01, 0.01], np.float32)), scores)
    assert all(span.slot == "area" for reading in readings if reading.frame == 0 for span in reading.spans)


def test_tags_can_overrule_a_slightly_better_frame() -> None:
    scores = np.full((2, TAGS), -8.0, np.float32)
    scores[0, 3], scores[1, 4] = 8.0, 8.0
    best = decoder().decode(np.log(np.array([0.55, 0.43, 0.02], np.float32)), scores)[0]
    assert best.frame == 1
    assert best.spans == (Span("name", 0, 2),)


def test_log_softmax_sums_to_one() -> None:
    assert np.isclose(np.exp(log_softmax(np.array([900.0, 901.0, -900.0], np.float32))).sum(), 1.0)
