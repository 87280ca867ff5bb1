from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.errors import ConfigError
from edge.nlu.tokens import tokenize
from quantize.data.datasets import Utterance, parse_annotation
from quantize.loop import Schedule, accelerator
from quantize.recipe import Data, Recipe, StudentPlan, TeacherPlan, Training
from quantize.student.massive import massive_student, taught_student
from quantize.student.transitions import label_transitions
from quantize.teacher.adapt import adapt_encoder
from quantize.teacher.encoders import load_encoder
from quantize.teacher.train import SoftLabels, averaged, cut, soft_labels, train_teacher
from quantize.variation.refill import refilled
from tests.quantize.tiny_encoder import save_tiny_encoder


def utterances() -> list[Utterance]:
    rows = [
        ("light_on", "turn on the [room : {room}] light", ("kitchen", "hall", "bath")),
        ("light_off", "turn off the light in the [room : {room}]", ("kitchen", "hall", "bath")),
        ("play", "play [genre : {room}] music", ("jazz", "rock")),
        ("stop", "stop the music", ("",)),
    ]
    found = []
    for intent, template, fillers in rows:
        for filler in fillers:
            text, slots = parse_annotation(template.format(room=filler))
            found.append(Utterance(str(len(found)), "en-US", "train", "s", intent, text, slots))
    return found


@pytest.fixture
def encoder(tmp_path: Path) -> str:
    save_tiny_encoder(tmp_path / "encoder")
    return str(tmp_path / "encoder")


def test_first_piece_of_each_token(encoder: str) -> None:
    _, tokenizer = load_encoder(encoder)
    text = "turn on, the kitchen's light"
    pieces = cut(tokenizer, text)
    assert len(pieces.firsts) == len(tokenize(text))
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    for token, place in zip(tokenize(text), pieces.firsts, strict=True):
        assert offsets[place][0] <= token.start < offsets[place][1]


def test_teacher_learns_and_labels(encoder: str, tmp_path: Path) -> None:
    rows = utterances()
    run = accelerator()
    schedule = Schedule(40, batch_size=4, learning_rate=3e-3, head_learning_rate=1e-2)
    teacher = train_teacher(encoder, rows, schedule, tmp_path / "teacher.pt", run)
    labels = soft_labels(teacher, [row.text for row in rows], run, batch_size=3)
    assert [teacher.intents[i] for i in labels.intents.argmax(1)] == [row.intent for row in rows]
    first = labels.tags[labels.offsets[0] : labels.offsets[1]].argmax(1)
    assert [teacher.tags[i] for i in first] == ["O", "O", "O", "B-room", "O"]
    assert labels.sentences.shape == (len(rows), 64)
    assert labels.tokens.shape == (labels.offsets[-1], 32)


def test_the_opinion_of_several_teachers_is_their_mean(encoder: str, tmp_path: Path) -> None:
    run, texts = accelerator(), [row.text for row in utterances()]
    said = []
    for seed in (1, 2):
        schedule = Schedule(2, batch_size=4, seed=seed)
        said.append(
            soft_labels(train_teacher(encoder, utterances(), schedule, tmp_path / f"{seed}.pt", run), texts, run)
        )
    opinion = averaged(said)
    np.testing.assert_allclose(opinion.intents, np.mean([s.intents.astype(float) for s in said], 0), atol=1e-3)
    np.testing.assert_allclose(opinion.tags, np.mean([s.tags.astype(float) for s in said], 0), atol=1e-3)
    assert (opinion.tokens == said[0].tokens).all()
    assert not np.array_equal(said[0].intents, said[1].intents)


def test_one_opinion_beside_the_first_is_in_memory_at_a_time() -> None:
    kept: list[weakref.ref[SoftLabels]] = []

    def members() -> Iterator[SoftLabels]:
        for _ in range(3):
            assert all(ref() is None for ref in kept[1:])
            row = np.zeros((1, 2), np.float16)
            member = SoftLabels(["stop"], row, row, row, row, np.array([0, 1]))
            kept.append(weakref.ref(member))
            yield member
            del member

    averaged(members())
    assert len(kept) == 3


def test_trained_teacher_is_not_trained_again(encoder: str, tmp_path: Path) -> None:
    run, schedule = accelerator(), Schedule(1, batch_size=4)
    first = train_teacher(encoder, utterances(), schedule, tmp_path / "teacher.pt", run).model.state_dict()
    written = (tmp_path / "teacher.pt").stat().st_mtime_ns
    second = train_teacher(encoder, utterances(), schedule, tmp_path / "teacher.pt", run).model.state_dict()
    assert (tmp_path / "teacher.pt").stat().st_mtime_ns == written
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_word_embeddings_stay_frozen(encoder: str, tmp_path: Path) -> None:
    before = load_encoder(encoder)[0].get_input_embeddings().weight
    teacher = train_teacher(encoder, utterances(), Schedule(1, batch_size=4), tmp_path / "teacher.pt", accelerator())
    torch.testing.assert_close(teacher.model.encoder.get_input_embeddings().weight, before, rtol=0, atol=0)


def test_adaptation_learns_to_fill_masks(encoder: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = ["turn on the kitchen light", "turn on the light"] * 8
    caplog.set_level("INFO", "quantize.loop")
    schedule = Schedule(60, batch_size=4, learning_rate=3e-3, head_learning_rate=2e-2)
    run = accelerator()
    reader = adapt_encoder(encoder, texts, schedule, tmp_path, run)
    plain, tokenizer = load_encoder(encoder)
    table = plain.get_input_embeddings().weight
    torch.testing.assert_close(reader.encoder.get_input_embeddings().weight, table, rtol=0, atol=0)
    loss = float([m for m in caplog.messages if "loss " in m][-1].split("loss ")[1].split(",")[0])
    assert loss < 1.3 < np.log(7)
    fresh = refilled(reader, tokenizer, texts, 5, 1, texts, run)
    assert fresh == refilled(reader, tokenizer, texts, 5, 1, texts, run)
    assert 0 < len(fresh) <= 5
    assert not set(fresh) & set(texts)
    assert {word for text in fresh for word in text.split()} <= {"turn", "on", "the", "kitchen", "light"}
    wider = refilled(reader, tokenizer, [*texts, "play jazz music"], 40, 1, texts, run)
    assert {"jazz", "music"} & {word for text in wider for word in text.split() if "play" not in text}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_student_drops_what_its_recipe_says_and_knows_which_tags_follow(
    dropout: float, encoder: str, tmp_path: Path
) -> None:
    rows, run = utterances(), accelerator()
    teacher = train_teacher(encoder, rows, Schedule(1), tmp_path / "teacher.pt", run)
    labels = soft_labels(teacher, [row.text for row in rows], run)
    sizes = StudentPlan(buckets=64, embed=8, hidden=16, layers=1, heads=2, feed_forward=16)
    recipe = Recipe(
        name="x", data=Data(source="massive"), student=sizes, training=Training(epochs=1, batch=4, dropout=dropout)
    )
    student = taught_student(recipe, teacher, labels, ["en"] * len(rows), rows, [], tmp_path, run).student
    assert {module.p for module in student.modules() if isinstance(module, torch.nn.Dropout)} == {dropout}
    np.testing.assert_array_equal(student.transitions.detach(), label_transitions(rows, teacher.tags))


def test_soft_labels_round_trip(tmp_path: Path) -> None:
    half = np.arange(12, dtype=np.float16)
    labels = SoftLabels(["ein", "двa слова"], half.reshape(2, 6), half.reshape(3, 4), half.reshape(2, 6),
                        half.reshape(3, 4), np.array([0, 1, 3]))  # fmt: skip
    labels.save(tmp_path / "labels.npz")
    again = SoftLabels.load(tmp_path / "labels.npz")
    assert again.texts == labels.texts
    np.testing.assert_array_equal(again.tags, labels.tags)
    (tmp_path / "labels.npz").write_bytes(b"PK not a zip")
    with pytest.raises(ConfigError, match="delete it"):
        SoftLabels.load(tmp_path / "labels.npz")


def test_recipes_need_what_their_sentences_and_prior_come_from(encoder: str, tmp_path: Path) -> None:
    recipe = Recipe(name="x", data=Data(source="massive", refilled=5), teacher=TeacherPlan(encoder=encoder))
    with pytest.raises(ConfigError, match="adaptation_epochs of 1 or more"):
        massive_student(recipe, tmp_path, tmp_path)
    recipe = Recipe(name="x", data=Data(source="massive", prior="unlabelled"), teacher=TeacherPlan(encoder=encoder))
    with pytest.raises(ConfigError, match="data.unlabelled"):
        massive_student(recipe, tmp_path, tmp_path)
    reader = adapt_encoder(encoder, ["turn on the light"], Schedule(1), tmp_path / "teacher.pt", accelerator())
    with pytest.raises(ConfigError, match="marks words"):
        refilled(reader, load_encoder(encoder)[1], ["стол"], 5, 1, [], accelerator())
