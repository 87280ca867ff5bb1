"""The build path: data → teacher → student → quantized program → checks → bundle. Every stage is kept and resumed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge.bundle import FORMAT_VERSION, Bundle, Manifest, StudentSpec, write_atomically, write_bundle
from edge.errors import ConfigError, EdgeError
from edge.nlu.program import Program
from quantize.calibrate import Calibration, calibrate
from quantize.export import DeviceStudent, quantize_student, to_program
from quantize.home import Example
from quantize.home_build import home_student
from quantize.massive_build import massive_student
from quantize.recipe import Recipe
from quantize.trained import Trained


class BuildError(EdgeError):
    """A finished build that is not good enough to ship."""


log = logging.getLogger(__name__)
_PROGRAM = "student.pte"


def build(recipe: Recipe, out: Path, data_dir: Path) -> Bundle:
    """Build ``out/NAME.edge``; what an earlier, killed run finished is used again.

    Raises:
        ConfigError: data are missing or malformed, or ``out`` holds another recipe's work.
        BuildError: the programs disagree, or a figure is below what the recipe demands; no bundle is written.
    """
    work = out / "work"
    _claim(work, recipe)
    trained = _train(recipe, work, data_dir)
    log.info("student trained: %d parameters", sum(p.numel() for p in trained.student.parameters()))
    program = _program(trained, work)
    figures = check_parity(trained, program, recipe.release.parity)
    logits = run_program(program, trained.examples)
    has_nothing = trained.frames[0].intent is None
    calibration = calibrate(logits, trained.examples, recipe.release.rejection, has_nothing)
    return _write(recipe, trained, program, calibration, figures, out)


def _train(recipe: Recipe, work: Path, data_dir: Path) -> Trained:
    if recipe.data.source == "home":
        return home_student(recipe, work)
    return massive_student(recipe, work, data_dir)


def _program(trained: Trained, work: Path) -> Path:
    path = work / _PROGRAM
    if not path.is_file():
        log.info("quantizing and lowering the student")
        some = [tensors(example) for example in trained.examples[:64]]
        write_atomically(path, to_program(quantize_student(trained.student, some), trained.student))
    return path


def tensors(example: Example) -> tuple[torch.Tensor, torch.Tensor]:
    """Program inputs of an example: ids [1, 1+T, K], features [1, 1+T, F]."""
    return torch.from_numpy(example.ids)[None], torch.from_numpy(example.features)[None]


def run_program(path: Path, examples: Sequence[Example]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Frame logits [N, frames] of the device program."""
    program = Program(path)
    return np.concatenate([program.run(e.ids[None], e.features[None])[0] for e in examples])


def check_parity(trained: Trained, program: Path, ceiling: float) -> dict[str, Any]:
    """Compare the float student with the device program; more disagreement than ``ceiling`` fails the build."""
    device = run_program(program, trained.examples)
    exact = DeviceStudent(trained.student).eval()
    with torch.no_grad():
        floats = np.concatenate([exact(*tensors(e))[0].numpy() for e in trained.examples])
    differ = float((device.argmax(1) != floats.argmax(1)).mean())
    truth = np.array([e.frame for e in trained.examples])
    figures = {
        "frames_that_differ": differ,
        "largest_logit_difference": float(np.abs(device - floats).max()),
        "frame_accuracy_float": float((floats.argmax(1) == truth).mean()),
        "frame_accuracy_int8": float((device.argmax(1) == truth).mean()),
    }
    if differ > ceiling:
        raise BuildError(
            f"the device program disagrees with the student on {differ:.1%} of sentences, over {ceiling:.1%}: "
            "train longer, or raise release.parity in the recipe with a reason"
        )
    return figures


def _write(
    recipe: Recipe, trained: Trained, program: Path, calibration: Calibration, figures: dict[str, Any], out: Path
) -> Bundle:
    if figures["frame_accuracy_int8"] < recipe.release.min_intent_accuracy:
        raise BuildError(
            f"accuracy {figures['frame_accuracy_int8']:.1%} is below the recipe's "
            f"{recipe.release.min_intent_accuracy:.1%}; no bundle was written"
        )
    spec = StudentSpec(
        program=_PROGRAM,
        buckets=trained.student.shape.buckets,
        features=trained.student.shape.features,
        frames=trained.frames,
        slots=trained.slots,
        languages=trained.languages,
        transitions=tuple(tuple(round(v, 3) for v in row) for row in trained.student.transitions.tolist()),
        numeric=trained.numeric,
        temperature=calibration.temperature,
        threshold=calibration.threshold,
    )
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=recipe.name,
        files={},
        languages=trained.languages,
        student=spec,
        quantization="PT2E int8: linear layers per channel with dynamic activations, embedding per row",
        recipe_sha256=recipe.sha256,
        licences=recipe.release.licences,
        metrics={**trained.metrics, **figures, **calibration.figures},
        card=recipe.release.card,
    )
    bundle = write_bundle(out / f"{recipe.name}.edge", manifest, {**trained.contents, _PROGRAM: program.read_bytes()})
    log.info("wrote %s (%.2f MB)", bundle.source, bundle.source.stat().st_size / 1e6)
    return bundle


def _claim(work: Path, recipe: Recipe) -> None:
    mark = work / "recipe.sha256"
    if mark.is_file() and mark.read_text() != recipe.sha256:
        raise ConfigError(f"{work} holds the work of another recipe: choose another --out, or delete that folder")
    write_atomically(mark, recipe.sha256.encode())
