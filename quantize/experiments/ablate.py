"""Ablations: the same recipe with one part left out at a time, each measured on the held-out data as float and int8.

A row is a recipe of its own, built in a folder of its own; its student makes as many steps as that of the whole recipe.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from edge.bundle.format import Bundle, open_bundle
from edge.errors import ConfigError
from edge.files import whole_file
from quantize.data.datasets import Utterance, read_listed, read_sentences
from quantize.data.metrics import measure
from quantize.evaluate.bundle import predict
from quantize.pipeline import build
from quantize.recipe import Recipe, Release
from quantize.variation.not_commands import everyday_sentences

log = logging.getLogger(__name__)
WHOLE = "whole recipe"
_TEACHER_FILES = ("adapt.pt", "teacher*.pt")
_LABEL_FILES = ("sentences.txt", "labels-*.npz")
_STUDENT_FILES = ("student.pt",)
_FIGURES = ("intent_accuracy", "slot_f1", "exact_match")


def variants(recipe: Recipe) -> dict[str, Recipe]:
    """The rows of the table by name; a part that the recipe does not have is not left out.

    Without adaptation there is nothing that could refill sentences either. If the student learns nothing from the
    teacher, the plainest one stands in.

    Raises:
        ConfigError: the recipe has no teacher, or holds nothing out to measure on.
    """
    data, teacher = recipe.data, recipe.teacher
    if teacher is None or not data.held_out:
        raise ConfigError(f"recipe {recipe.name}: ablations need a [teacher] table and data.held_out")
    whole = replace(recipe, release=Release(parity=1.0))
    labels_only = replace(data, unlabelled=(), recombined=0, refilled=0, prior="labelled")
    rows = {
        WHOLE: whole,
        "without teacher": replace(
            whole,
            data=labels_only,
            teacher=replace(teacher, adaptation_epochs=0, members=1, further=()),
            training=replace(recipe.training, distilled=False),
        ),
        "without adaptation": replace(
            whole, data=replace(data, refilled=0), teacher=replace(teacher, adaptation_epochs=0)
        ),
        "with one teacher": replace(whole, teacher=replace(teacher, members=1, further=())),
        "without augmentation": replace(whole, data=replace(data, recombined=0, refilled=0)),
        "without unlabelled text": replace(whole, data=replace(data, unlabelled=(), prior="labelled")),
        "with the labels' prior": replace(whole, data=replace(data, prior="labelled")),
    }
    return {name: row for name, row in rows.items() if name == WHOLE or row != whole}


def ablate(recipe: Recipe, out: Path, data_dir: Path, only: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Build and measure each row; rows that an earlier, killed run finished are only measured.

    Args:
        recipe: of source ``massive``.
        out: a folder per row is made in it.
        data_dir: where the recipe's files are.
        only: names of the rows wanted; all when empty.

    Returns:
        ``{row: {"float": {...}, "int8": {...}, "epochs", "bytes"}}`` with MASSIVE's metrics on the held-out data.

    Raises:
        ConfigError: See ``variants``; or a row is unknown.
    """
    rows = variants(recipe)
    if unknown := sorted(set(only) - set(rows)):
        raise ConfigError(f"no row {unknown[0]!r}: recipe {recipe.name} has {', '.join(rows)}")
    held_out = [u for name in recipe.data.held_out for u in read_listed(data_dir, name)]
    steps = recipe.training.epochs * sentence_count(recipe, data_dir)
    report = {}
    for name, row in rows.items():
        if only and name not in only:
            continue
        epochs = max(1, round(steps / sentence_count(row, data_dir)))
        row = replace(row, training=replace(row.training, epochs=epochs))
        folder = out / name.replace(" ", "-")
        if name != WHOLE and _same_teacher(row, recipe):
            patterns = (
                *_TEACHER_FILES,
                *(_LABEL_FILES if _same_sentences(row, recipe) else ()),
                *(_STUDENT_FILES if _same_student(row, recipe) else ()),
            )
            _inherit(out / WHOLE.replace(" ", "-") / "work", folder / "work", patterns)
        log.info("%s: %d epochs", name, epochs)
        bundle = _built(row, folder, data_dir)
        report[name] = _measured(bundle, held_out) | {"epochs": epochs}
    return report


def table(report: dict[str, dict[str, Any]]) -> str:
    """The report in Markdown; int8 beside float, and what each row loses of intents against the whole recipe."""
    lines = ["| | float intent | slot F1 | exact | int8 intent | slot F1 | exact | lost intents |", "|---" * 8 + "|"]
    for name, row in report.items():
        cells = [f"{row[kind][figure]:.1%}" for kind in ("float", "int8") for figure in _FIGURES]
        whole = report.get(WHOLE)
        cells.append(f"{whole['int8']['intent_accuracy'] - row['int8']['intent_accuracy']:.1%}" if whole else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def sentence_count(recipe: Recipe, data_dir: Path) -> int:
    """About how many sentences the student of a recipe learns from."""
    data = recipe.data
    labelled = {u.text for name in data.labelled for u in read_listed(data_dir, name)}
    plain = {text for name in data.unlabelled for text in read_sentences(data_dir / name)}
    talk = {text for language in data.talk for text in everyday_sentences(language)}
    return len(labelled | plain | talk) + data.recombined + data.refilled


def _same_teacher(row: Recipe, whole: Recipe) -> bool:
    """Whether both train the same first teacher: adaptation reads the unlabelled text, fine-tuning does not."""
    if row.teacher is None or whole.teacher is None:
        return False
    adapted = row.teacher.adaptation_epochs > 0
    alike = replace(row.teacher, members=whole.teacher.members, further=whole.teacher.further) == whole.teacher
    return alike and (not adapted or row.data.unlabelled == whole.data.unlabelled)


def _same_sentences(row: Recipe, whole: Recipe) -> bool:
    return replace(row.data, prior=whole.data.prior) == whole.data


def _same_student(row: Recipe, whole: Recipe) -> bool:
    """Whether both train the same student; the prior is adapted after that."""
    parts = (row.teacher, row.student, row.training, row.seed)
    return _same_sentences(row, whole) and parts == (whole.teacher, whole.student, whole.training, whole.seed)


def _inherit(source: Path, target: Path, patterns: Sequence[str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in (file for pattern in patterns for file in source.glob(pattern)):
        if not (target / file.name).is_file():
            with file.open("rb") as content, whole_file(target / file.name) as stream:
                shutil.copyfileobj(content, stream)


def _built(row: Recipe, folder: Path, data_dir: Path) -> Bundle:
    finished = folder / f"{row.name}.edge"
    if finished.is_file():
        bundle = open_bundle(finished)
        if bundle.manifest.recipe_sha256 == row.sha256:
            return bundle
    return build(row, folder, data_dir)


def _measured(bundle: Bundle, held_out: list[Utterance]) -> dict[str, Any]:
    return {
        "float": bundle.manifest.metrics["held_out_float_student"],
        "int8": vars(measure(held_out, predict(bundle, held_out))),
        "bytes": bundle.source.stat().st_size,
    }
