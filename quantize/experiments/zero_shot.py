"""Zero-shot transfer: a teacher with labels in English alone, its student, and what both understand elsewhere.

The student learns from the teacher's soft labels of sentences in every language; no label of another language than
English is used for anything but the measurement.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from edge.errors import ConfigError
from quantize.data.datasets import (
    SlotSpan,
    Utterance,
    sentences_without_leaks,
    without_leaks,
    write_utterances,
)
from quantize.data.metrics import measure_locales
from quantize.evaluate.bundle import predict
from quantize.evaluate.home import Case, sampled_cases
from quantize.evaluate.retrieval import aligned_cases, draw_clusters, retrieval
from quantize.loop import Schedule, accelerator
from quantize.pipeline import claim, finish
from quantize.recipe import Recipe
from quantize.student.distill import student_input
from quantize.student.massive import taught_student
from quantize.student.network import Student
from quantize.teacher.encoders import load_encoder
from quantize.teacher.train import SoftLabels, Teacher, TrainedTeacher, predictions, soft_labels, train_teacher
from quantize.templates.package import package_languages
from quantize.templates.sampler import slot_of

log = logging.getLogger(__name__)
TAUGHT = "en"
_MODELS = ("teacher", "student")
_LABELLED_PER_UNLABELLED = 15
_TESTED = 100


def zero_shot(recipe: Recipe, out: Path) -> dict[str, Any]:
    """Train teacher and student, measure both on every language; write the bundle, ``test.jsonl``, ``clusters.png``.

    Args:
        recipe: of source ``home``, with a teacher; ``sentences`` without labels are drawn of each language, and
            fifteen times as many with labels of English.
        out: folder; what an earlier, killed run finished is used again.

    Returns:
        ``languages``: for each code the metrics of ``teacher`` and int8 ``student``; ``retrieval``: how well the states
        of the ``encoder`` before it was taught, of ``teacher`` and float ``student`` find the same frame in English.

    Raises:
        ConfigError: the recipe has no teacher or another source, or ``out`` holds another recipe's work.
    """
    if recipe.teacher is None or recipe.data.source != "home":
        raise ConfigError(f"recipe {recipe.name}: zero-shot needs data of source 'home' and a [teacher] table")
    work = claim(recipe, out)
    run = accelerator()
    others = [name for name in recipe.data.languages or package_languages() if name != TAUGHT]
    labelled, unlabelled, tested = _sentences(recipe, others)
    write_utterances(out / "test.jsonl", tested)
    plan = recipe.teacher
    schedule = Schedule(plan.epochs, plan.batch, plan.rate, average_decay=0.995, seed=recipe.seed)
    teacher = train_teacher(plan.encoder, labelled, schedule, work / "teacher.pt", run)
    texts = {u.text: TAUGHT for u in labelled}
    for language, sentences in unlabelled.items():
        texts |= {text: language for text in sentences if text not in texts}
    soft = _labels(teacher, list(texts), work, run)
    english = [u for u in tested if u.locale == TAUGHT]
    trained = taught_student(recipe, teacher, soft, list(texts.values()), labelled, english, work, run)
    bundle = finish(recipe, trained, work, out, Path())
    said = soft_labels(teacher, [u.text for u in tested], run)
    by_teacher = measure_locales(tested, predictions(said, teacher.intents, teacher.tags))
    by_student = measure_locales(tested, predict(bundle, tested))
    cases = aligned_cases([TAUGHT, *others])
    states: dict[str, NDArray[Any]] = {
        "encoder": encoder_states(plan.encoder, [case.sample.text for case in cases], run),
        "teacher": soft_labels(teacher, [case.sample.text for case in cases], run).sentences,
        "student": student_states(trained.student, cases),
    }
    draw_clusters(out / "clusters.png", cases, states)
    return {
        "languages": {
            name: {"teacher": vars(by_teacher[name]), "student": vars(by_student[name]), "n": by_teacher[name].n}
            for name in (TAUGHT, *others)
        },
        "retrieval": {name: retrieval(cases, rows) for name, rows in states.items()},
    }


def encoder_states(encoder_name: str, texts: Sequence[str], run: Accelerator) -> NDArray[np.float16]:
    """Sentence states [N, 2C] of an encoder that nobody taught the task."""
    encoder, tokenizer = load_encoder(encoder_name)
    return soft_labels(TrainedTeacher(Teacher(encoder, 1, 1), tokenizer, [], []), texts, run).sentences


def student_states(student: Student, cases: Sequence[Case]) -> NDArray[np.float32]:
    """Pooled states [N, 2C] of the float student; its device program gives none."""
    shape = student.shape
    rows = []
    with torch.no_grad():
        for case in cases:
            made = student_input(case.sample.text, shape.buckets, shape.features, case.sample.language)
            ids, features = torch.from_numpy(made.ids.astype(np.int64)), torch.from_numpy(made.features)
            rows.append(student(ids[None], features[None])[3][0].numpy())
    return np.stack(rows)


def table(report: dict[str, Any]) -> str:
    """The report as a Markdown table: intent accuracy, what is lost against English, and slot F1."""
    languages = report["languages"]
    columns = [f"{who} {what}" for what in ("intent", "loss", "slot F1") for who in _MODELS]
    lines = [f"| language | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    others = [row for name, row in languages.items() if name != TAUGHT]
    mean = {
        who: {key: sum(row[who][key] for row in others) / len(others) for key in ("intent_accuracy", "slot_f1")}
        for who in _MODELS
    }
    for name, row in [("mean of the others", mean), *languages.items()]:
        intents = [row[who]["intent_accuracy"] for who in _MODELS]
        losses = [languages[TAUGHT][who]["intent_accuracy"] - row[who]["intent_accuracy"] for who in _MODELS]
        slots = [row[who]["slot_f1"] for who in _MODELS]
        lines.append(f"| {name} | {' | '.join(f'{value:.1%}' for value in (*intents, *losses, *slots))} |")
    return "\n".join(lines)


def _sentences(recipe: Recipe, others: Sequence[str]) -> tuple[list[Utterance], dict[str, list[str]], list[Utterance]]:
    """Labelled English, unlabelled sentences of each other language, and the sentences to measure."""
    count = recipe.data.sentences
    tested = [u for name in (TAUGHT, *others) for u in utterances(sampled_cases(name, _TESTED))]
    labelled = without_leaks(utterances(sampled_cases(TAUGHT, _LABELLED_PER_UNLABELLED * count, recipe.seed)), tested)
    known = {u.intent for u in labelled}
    unlabelled = {
        name: sentences_without_leaks((u.text for u in utterances(sampled_cases(name, count, recipe.seed))), tested)
        for name in others
    }
    return labelled, unlabelled, [u for u in tested if u.intent in known]


def utterances(cases: Iterable[Case]) -> list[Utterance]:
    """Sampled sentences in the form of labelled data; the locale is the language."""
    found: dict[str, Utterance] = {}
    for case in cases:
        sample = case.sample
        slots = sorted(
            (SlotSpan(slot_of(slot.tag), slot.start, slot.end) for slot in sample.slots if slot.start < slot.end),
            key=lambda slot: slot.start,
        )
        found[sample.text] = Utterance(
            f"{sample.language}-{len(found)}", sample.language, "test", "home", case.intent, sample.text, tuple(slots)
        )
    return list(found.values())


def _labels(teacher: TrainedTeacher, texts: list[str], work: Path, run: Accelerator) -> SoftLabels:
    path = work / "soft_labels.npz"
    if not path.is_file():
        log.info("the teacher labels %d sentences", len(texts))
        soft_labels(teacher, texts, run).save(path)
    return SoftLabels.load(path)
