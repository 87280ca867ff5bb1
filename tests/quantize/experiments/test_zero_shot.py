"""Zero-shot transfer from English with a tiny teacher: who is taught what, and what is reported."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge.bundle.format import open_bundle
from edge.errors import ConfigError
from quantize.data.datasets import read_utterances, same_sentence
from quantize.experiments.zero_shot import table, zero_shot
from quantize.recipe import Data, Recipe, StudentPlan, TeacherPlan, Training
from quantize.teacher.train import SoftLabels
from tests.quantize.tiny_encoder import save_tiny_encoder

LANGUAGES = ("en", "de", "ko")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recipe, dict[str, dict[str, dict[str, float]]]]:
    folder = tmp_path_factory.mktemp("zero-shot")
    save_tiny_encoder(folder / "encoder")
    recipe = Recipe(
        name="tiny",
        data=Data(source="home", languages=LANGUAGES, sentences=20),
        teacher=TeacherPlan(encoder=str(folder / "encoder"), epochs=2, rate=3e-3),
        student=StudentPlan(buckets=2048, embed=16, hidden=32, layers=1, heads=2, feed_forward=64),
        training=Training(epochs=4, batch=32, rate=5e-3),
    )
    recipe = msgspec.structs.replace(recipe, release=msgspec.structs.replace(recipe.release, parity=0.2))
    return folder, recipe, zero_shot(recipe, folder)


def test_every_language_is_reported_beside_english(run: tuple[Path, Recipe, dict]) -> None:
    _, _, report = run
    assert list(report["languages"]) == list(LANGUAGES)
    for row in report["languages"].values():
        assert row["n"] > 50
    lines = table(report).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["mean of the others", *LANGUAGES]
    english, german = (report["languages"][name]["student"]["intent_accuracy"] for name in ("en", "de"))
    assert [line.split("|")[5].strip() for line in lines[3:5]] == ["0.0%", f"{english - german:.1%}"]


def test_the_student_reads_all_languages_and_none_of_the_test(run: tuple[Path, Recipe, dict]) -> None:
    folder, _, _ = run
    tested = read_utterances(folder / "test.jsonl")
    assert {u.locale for u in tested} == set(LANGUAGES)
    texts = SoftLabels.load(folder / "work" / "soft_labels.npz").texts
    assert len(texts) > 200
    assert not {same_sentence(text) for text in texts} & {same_sentence(u.text) for u in tested}
    assert open_bundle(folder / "tiny.edge").manifest.languages == tuple(sorted(LANGUAGES))


def test_a_finished_run_reports_the_same_again(run: tuple[Path, Recipe, dict]) -> None:
    folder, recipe, report = run
    before = (folder / "work" / "teacher.pt").stat().st_mtime_ns
    assert zero_shot(recipe, folder) == report
    assert (folder / "work" / "teacher.pt").stat().st_mtime_ns == before


def test_a_recipe_without_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[teacher\]"):
        zero_shot(Recipe(name="x", data=Data(source="home")), tmp_path)
