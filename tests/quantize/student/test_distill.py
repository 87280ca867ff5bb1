from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.nlu.matching import FEATURES
from edge.nlu.tokens import ngram_ids, tokenize
from quantize.data.datasets import SlotSpan, Utterance, format_annotation, label_names, parse_annotation, tag_tokens
from quantize.data.metrics import measure
from quantize.loop import Schedule, accelerator
from quantize.recipe import Training
from quantize.student.distill import Distillation, distill, lessons, predict, soft_loss, weights_of
from quantize.student.network import Student, StudentShape
from quantize.teacher.train import SoftLabels
from quantize.teacher.word_vectors import fitted_table, word_vectors
from quantize.variation.recombine import Neighbours, recombined
from tests.quantize.tiny_encoder import save_tiny_encoder

ROOMS = ("kitchen", "hall", "bath room", "cellar", "attic", "garden")
TEMPLATES = (
    ("light_on", "turn on the [room : {}] light"),
    ("light_off", "turn off the light in the [room : {}]"),
    ("heat_up", "make the [room : {}] warmer"),
    ("stop", "stop"),
)


def utterances(rooms: tuple[str, ...] = ROOMS) -> list[Utterance]:
    found = {}
    for intent, template in TEMPLATES:
        for room in rooms:
            text, slots = parse_annotation(template.format(room))
            found[text] = Utterance(text, "en-US", "train", "s", intent, text, slots)
    return list(found.values())


def soft_labels_of(rows: list[Utterance], intents: list[str], tags: list[str]) -> SoftLabels:
    """What a teacher that knows the labels would say."""
    token_tags = [tag_tokens(tokenize(row.text), row.slots) for row in rows]
    flat = [tags.index(tag) for row in token_tags for tag in row]
    rng = np.random.default_rng(0)
    return SoftLabels(
        [row.text for row in rows],
        (6 * np.eye(len(intents))[[intents.index(row.intent) for row in rows]]).astype(np.float16),
        (6 * np.eye(len(tags))[flat]).astype(np.float16),
        rng.normal(size=(len(rows), 8)).astype(np.float16),
        rng.normal(size=(len(flat), 4)).astype(np.float16),
        np.cumsum([0, *map(len, token_tags)]),
    )


def fresh_student(intents: list[str], tags: list[str]) -> Student:
    torch.manual_seed(0)
    return Student(StudentShape(len(intents), len(tags), 1, FEATURES, 512, 16, 32, 1, 2, 3, 32))


@pytest.mark.parametrize("weights", [Distillation(), Distillation(intent=0, tag=0, gold=1), Distillation(gold=0)])
def test_student_learns_from_teacher_and_labels(weights: Distillation, tmp_path: Path) -> None:
    rows = utterances()
    intents, tags = label_names(rows)
    student = fresh_student(intents, tags)
    taught = lessons(soft_labels_of(rows, intents, tags), ["en"] * len(rows), rows, intents, tags, student)
    schedule = Schedule(40, 8, 5e-3, 2e-2, average_decay=0.9)
    distill(student, taught, tags, weights, schedule, tmp_path / "student.pt", accelerator())
    seen = measure(rows, predict(student, [row.text for row in rows], intents, tags))
    assert seen.exact_match == 1.0
    told = predict(student, ["turn on the kitchen light"], intents, tags, "en")
    assert (told[0].intent, told[0].slots) == ("light_on", (SlotSpan("room", 12, 19),))


@pytest.mark.parametrize(("word_dropout", "learned"), [(0.1, True), (1.0, False)])
def test_words_left_out_are_not_learned_from(word_dropout: float, learned: bool, tmp_path: Path) -> None:
    rows = utterances()
    intents, tags = label_names(rows)
    student = fresh_student(intents, tags)
    taught = lessons(soft_labels_of(rows, intents, tags), ["en"] * len(rows), rows, intents, tags, student)
    weights = weights_of(Training(word_dropout=word_dropout))
    distill(student, taught, tags, weights, Schedule(40, 8, 5e-3, 2e-2), tmp_path / "student.pt", accelerator())
    seen = measure(rows, predict(student, [row.text for row in rows], intents, tags))
    assert (seen.exact_match == 1.0) == learned


def test_a_recipe_weighs_the_parts_of_the_loss() -> None:
    assert weights_of(Training()) == Distillation()
    assert weights_of(Training(intent_weight=2.0, ngram_dropout=0.2)) == Distillation(intent=2.0, ngram_dropout=0.2)
    labels_only = weights_of(Training(distilled=False))
    assert (labels_only.intent, labels_only.tag, labels_only.hidden, labels_only.gold) == (0.0, 0.0, 0.0, 1.0)


def test_labels_of_unlabelled_sentences_are_not_used() -> None:
    rows = utterances()
    intents, tags = label_names(rows)
    soft = soft_labels_of(rows, intents, tags)
    taught = lessons(soft, ["en"] * len(rows), rows[:3], intents, tags, fresh_student(intents, tags))
    assert (taught.intents[:3] >= 0).all()
    assert (taught.intents[3:] < 0).all()
    assert [given is not None for given in taught.tags] == [i < 3 for i in range(len(rows))]


def test_soft_loss_is_zero_for_the_teacher_s_own_distribution() -> None:
    logits = torch.randn(4, 5)
    assert soft_loss(logits + 3, logits, 2.0).item() == pytest.approx(0, abs=1e-6)
    assert soft_loss(-logits, logits, 2.0).item() > 0.1


def test_fitted_table_keeps_who_is_near_whom() -> None:
    rng = np.random.default_rng(0)
    axes = {"light": 0, "lamp": 0, "music": 1, "song": 1, "kitchen": 2, "cellar": 2}
    vectors = {word: (5 * np.eye(8)[axis] + 0.3 * rng.normal(size=8)).astype(np.float32) for word, axis in axes.items()}
    table = fitted_table(vectors, 1024, 4, steps=200)
    assert table[0].abs().max() == 0
    found = {word: table[list(ngram_ids(word, 1024))].mean(0) for word in axes}

    def near(a: str, b: str) -> float:
        return torch.cosine_similarity(found[a], found[b], dim=0).item()

    assert near("light", "lamp") > 0.9 > 0.3 > near("light", "song")


def test_recombined_sentences_are_new_and_of_the_same_words(tmp_path: Path) -> None:
    encoder = save_tiny_encoder(tmp_path)
    from quantize.teacher.encoders import load_encoder

    _, tokenizer = load_encoder(str(tmp_path))
    table = encoder.get_input_embeddings().weight.detach()
    rows = utterances(("kitchen", "hall"))
    words = {word for row in rows for word in row.text.split()}
    neighbours = Neighbours(table, tokenizer, words, nearest=2)
    rng = random.Random(0)
    assert {neighbours.draw("kitchen", rng) for _ in range(20)} <= words - {"kitchen"}
    assert neighbours.draw("xylophone", rng) == "xylophone"
    tagged = [(row.text, row.slots) for row in rows]
    taken = [row.text for row in rows]
    found = recombined(tagged, neighbours, 50, 1, taken)
    assert len(set(found)) == len(found) > 30
    assert not set(found) & set(taken)
    assert found == recombined(tagged, neighbours, 50, 1, taken)
    assert set(word_vectors(table, tokenizer, ["kitchen"])) == {"kitchen"}
    assert format_annotation(rows[0].text, rows[0].slots) == "turn on the [room : kitchen] light"
