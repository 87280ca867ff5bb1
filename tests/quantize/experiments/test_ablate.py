"""Ablations of a tiny recipe: what each row leaves out, what it shares, and that a second run trains nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.bundle.format import open_bundle
from edge.errors import ConfigError
from quantize.data.datasets import write_utterances
from quantize.experiments.ablate import WHOLE, ablate, sentence_count, table, variants
from quantize.recipe import Data, Recipe, Release, StudentPlan, TeacherPlan, Training
from tests.quantize.student.test_distill import utterances
from tests.quantize.tiny_encoder import save_tiny_encoder

RECIPE = Recipe(
    name="tiny",
    data=Data(
        source="massive", labelled=("train.jsonl",), unlabelled=("text.txt",), held_out=("dev.jsonl",), recombined=20
    ),
    teacher=TeacherPlan(adaptation_epochs=1, members=2, further=("wider",), epochs=4, batch=8, rate=3e-3, floor=1.0),
    student=StudentPlan(buckets=512, embed=16, hidden=32, layers=1, heads=2, feed_forward=32),
    training=Training(epochs=3, batch=8, rate=5e-3),
    release=Release(min_intent_accuracy=0.99),
)


def test_rows_leave_out_one_part_each() -> None:
    rows = variants(RECIPE)
    assert list(rows) == [
        WHOLE, "without teacher", "without adaptation", "with one teacher", "without augmentation",
        "without unlabelled text",
    ]  # fmt: skip
    assert not rows["without teacher"].training.distilled
    assert rows["without teacher"].data.unlabelled == ()
    plainest = rows["without teacher"].teacher
    assert plainest is not None and (plainest.adaptation_epochs, plainest.members) == (0, 1)
    assert plainest.further == ()
    assert rows["without augmentation"].data == replace(RECIPE.data, recombined=0)
    assert all(row.release.min_intent_accuracy == 0.0 for row in rows.values())


def test_without_unlabelled_text_no_prior_is_learned_from_it() -> None:
    rows = variants(replace(RECIPE, data=replace(RECIPE.data, prior="unlabelled")))
    labels_only = {name for name, row in rows.items() if row.data.prior == "labelled"}
    assert labels_only == {"without teacher", "without unlabelled text", "with the labels' prior"}


def test_nothing_is_refilled_without_adaptation() -> None:
    rows = variants(replace(RECIPE, data=replace(RECIPE.data, refilled=5)))
    assert rows["without adaptation"].data.refilled == 0
    assert rows["with one teacher"].data.refilled == 5


def test_parts_that_a_recipe_lacks_are_not_left_out() -> None:
    plain = replace(RECIPE, teacher=TeacherPlan(), data=replace(RECIPE.data, recombined=0))
    assert list(variants(plain)) == [WHOLE, "without teacher", "without unlabelled text"]


def test_recipes_without_teacher_or_held_out_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="held_out"):
        variants(replace(RECIPE, data=replace(RECIPE.data, held_out=())))
    with pytest.raises(ConfigError, match="no row 'without torch'"):
        ablate(RECIPE, tmp_path, tmp_path, ["without torch"])


def test_everyday_sentences_count_as_sentences(tmp_path: Path) -> None:
    write_utterances(tmp_path / "train.jsonl", utterances(("kitchen",)))
    (tmp_path / "text.txt").write_text("play jazz\n")
    plain = sentence_count(RECIPE, tmp_path)
    with_talk = replace(RECIPE, data=replace(RECIPE.data, talk=("en",)))
    assert sentence_count(with_talk, tmp_path) > plain + 5000


def test_rows_are_built_compared_and_kept(tmp_path: Path) -> None:
    save_tiny_encoder(tmp_path / "encoder")
    rows = utterances(("kitchen", "hall", "bath room"))
    write_utterances(tmp_path / "train.jsonl", rows)
    write_utterances(tmp_path / "dev.jsonl", utterances(("room",)))
    (tmp_path / "text.txt").write_text("turn on the music\nset the lamp to red\nplay jazz\n")
    save_tiny_encoder(tmp_path / "wider", hidden=48)
    encoders = {"encoder": str(tmp_path / "encoder"), "further": (str(tmp_path / "wider"),)}
    recipe = replace(RECIPE, teacher=replace(RECIPE.teacher, **encoders), data=replace(RECIPE.data, prior="unlabelled"))
    out = tmp_path / "out"
    names = [WHOLE, "with one teacher", "without augmentation", "with the labels' prior"]
    report = ablate(recipe, out, tmp_path, names)
    assert list(report) == names
    assert report["without augmentation"]["epochs"] > report[WHOLE]["epochs"] == 3
    assert all(row[kind]["n"] == 4 for row in report.values() for kind in ("float", "int8"))
    works = [out / name / "work" for name in ("whole-recipe", "with-one-teacher", "without-augmentation")]
    for file in ("teacher.pt", "teacher-2.pt", "teacher-3.pt"):
        assert (works[0] / file).read_bytes() == (works[2] / file).read_bytes()
    for file in ("sentences.txt", "labels-1.npz"):
        assert (works[0] / file).read_bytes() == (works[1] / file).read_bytes() != (works[2] / file).read_bytes()
    of_labels = out / "with-the-labels'-prior"
    assert (works[0] / "student.pt").read_bytes() == (of_labels / "work" / "student.pt").read_bytes()
    assert (works[0] / "student.pt").read_bytes() != (works[1] / "student.pt").read_bytes()
    bundle = open_bundle(out / "whole-recipe" / "tiny.edge")
    plain = open_bundle(of_labels / "tiny.edge")
    assert bundle.read("student.pte") != plain.read("student.pte")
    assert 0.0 < bundle.manifest.metrics["held_out_teacher"]["intent_accuracy"] <= 1.0
    assert len(table(report).splitlines()) == 6
    for path in out.glob("*/work/*"):
        path.unlink()
    assert ablate(recipe, out, tmp_path, names) == report
