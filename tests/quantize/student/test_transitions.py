"""Neighbouring tags are counted in the labels and keep names whole."""

from __future__ import annotations

import numpy as np

from edge.nlu.decode import Decoder, Span
from quantize.data.datasets import Utterance, label_names, parse_annotation
from quantize.student.transitions import label_transitions

TEMPLATES = ("turn on the [room : living room] light", "light in the [room : living room] off", "play [genre : jazz]")


def utterances() -> list[Utterance]:
    parsed = (parse_annotation(template) for template in TEMPLATES)
    return [Utterance(str(i), "en-US", "train", "s", "x", text, slots) for i, (text, slots) in enumerate(parsed)]


def test_what_follows_what_in_the_labels() -> None:
    rows = utterances()
    tags = label_names(rows)[1]
    score = label_transitions(rows, tags)
    first, inside, outside = tags.index("B-room"), tags.index("I-room"), tags.index("O")
    assert score[first, inside] > 0.2
    assert score[first, first] < 0 and score[first, tags.index("B-genre")] < 0
    assert abs(score[outside, outside]) < 0.2


def test_a_label_that_nobody_gave_is_possible() -> None:
    rows = utterances()
    tags = label_names(rows)[1]
    assert np.isfinite(label_transitions(rows[:1], tags)).all()


def test_a_name_cut_in_two_is_one() -> None:
    rows = utterances()
    tags = label_names(rows)[1]
    slots = [tag[2:] for tag in tags if tag.startswith("B-")]
    scores = np.zeros((5, len(tags)), np.float32)
    scores[[0, 1, 4], tags.index("O")] = 5
    scores[2:4, tags.index("B-room")] = 5
    scores[3, tags.index("I-room")] = 4.8
    alike = np.zeros((len(tags), len(tags)), np.float32)
    spans = {
        name: Decoder(slots, moves.tolist(), [slots], 1.0).decode(np.zeros(1, np.float32), scores)[0].spans
        for name, moves in (("alike", alike), ("counted", label_transitions(rows, tags)))
    }
    assert spans == {"alike": (Span("room", 2, 3), Span("room", 3, 4)), "counted": (Span("room", 2, 4),)}
