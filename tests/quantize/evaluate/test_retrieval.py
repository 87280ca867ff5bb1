"""Cross-lingual retrieval: what is counted as found, and what the shipped program finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.bundle.format import open_bundle
from quantize.evaluate.home import Case
from quantize.evaluate.retrieval import aligned_cases, draw_clusters, frame_scores, retrieval, table


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return aligned_cases(["de", "ko"], drawn=150)


def one_hot(values: list[str]) -> np.ndarray:
    names = sorted(set(values))
    return np.eye(len(names))[[names.index(value) for value in values]]


def test_each_frame_stands_once_in_a_language_and_once_in_english(cases: list[Case]) -> None:
    keys = [(case.sample.language, case.sample.frame) for case in cases]
    assert len(set(keys)) == len(keys)
    english = {frame for language, frame in keys if language == "en"}
    assert {language for language, _ in keys} == {"en", "de", "ko"}
    assert {frame for _, frame in keys} == english


def test_states_of_pure_meaning_find_everything_and_those_of_pure_language_nothing(cases: list[Case]) -> None:
    rng = np.random.default_rng(0)
    meaning = one_hot([case.sample.frame for case in cases]) + 0.01 * rng.normal(size=(len(cases), 1))
    assert all(
        row["precision_at_1"] == row["mrr"] == row["intent_at_1"] == 1.0 for row in retrieval(cases, meaning).values()
    )
    noise = rng.normal(size=(len(cases), 16))
    language = 9 * one_hot([case.sample.language for case in cases])
    found = retrieval(cases, np.concatenate([noise, language], 1))
    assert list(found) == ["de", "ko"]
    assert all(row["precision_at_1"] < 0.2 for row in found.values())


def test_states_that_say_nothing_find_nothing(cases: list[Case]) -> None:
    found = retrieval(cases, np.ones((len(cases), 4)))
    assert all(row["precision_at_1"] == 0.0 and row["mrr"] < 0.05 for row in found.values())


def test_the_shipped_program_brings_languages_together(cases: list[Case], tmp_path: Path) -> None:
    bundle = open_bundle("home")
    scores = frame_scores(bundle, cases)
    assert scores.shape == (len(cases), len(bundle.manifest.student.frames))  # type: ignore[union-attr]
    report = retrieval(cases, scores)
    assert all(row["precision_at_1"] > 0.85 for row in report.values())
    assert [line.split("|")[1].strip() for line in table({"home": report}).splitlines()[2:]] == ["mean", "de", "ko"]
    draw_clusters(tmp_path / "c.png", cases, {"home": scores})
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
