"""The build path: data → teacher → student → quantized program → checks → bundle. Every stage is kept and resumed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from edge.bundle.format import Bundle, Signer, open_bundle, write_bundle
from edge.bundle.manifest import FORMAT_VERSION, Manifest, StudentSpec
from edge.bundle.signing import machine_key
from edge.errors import ConfigError
from edge.files import write_file
from edge.nlu.program import Program
from quantize.data.datasets import read_listed
from quantize.data.metrics import Flips, negative_flips
from quantize.errors import BuildError
from quantize.evaluate.bundle import predict
from quantize.evaluate.home import home_flips
from quantize.program.calibrate import Calibration, calibrate
from quantize.program.export import DeviceStudent, quantize_student, to_program
from quantize.recipe import Data, Recipe
from quantize.student.examples import Example
from quantize.student.home import home_student
from quantize.student.massive import massive_student
from quantize.student.trained import Trained
from quantize.templates.package import package_languages, templates_sha256

log = logging.getLogger(__name__)
_PROGRAM = "student.pte"
_FLIP_CASES = 30  # sentences per language


def build(recipe: Recipe, out: Path, data_dir: Path, sign: Signer | None = None) -> Bundle:
    """Build ``out/NAME.edge``, signed by ``sign`` or this machine's key; what a killed run finished is used again.

    Raises:
        ConfigError: data are missing or malformed, or ``out`` holds another recipe's work.
        BuildError: the programs disagree, or a figure is below what the recipe demands; no bundle is written.
    """
    work = claim(recipe, out)
    return finish(recipe, _train(recipe, work, data_dir), work, out, data_dir, sign)


def claim(recipe: Recipe, out: Path) -> Path:
    """The folder for a recipe's work in ``out``.

    Raises:
        ConfigError: it holds another recipe's work, or that of other templates.
    """
    work = out / "work"
    made_from = {"recipe": recipe.sha256}
    if recipe.data.source == "home":
        made_from["templates"] = templates_sha256(recipe.data.languages or package_languages())
    for name, digest in made_from.items():
        mark = work / f"{name}.sha256"
        if mark.is_file() and mark.read_text() != digest:
            other = {"recipe": "another recipe", "templates": "other templates"}[name]
            raise ConfigError(f"{work} holds the work of {other}: choose another --out, or delete that folder")
        write_file(mark, digest.encode())
    return work


def finish(
    recipe: Recipe, trained: Trained, work: Path, out: Path, data_dir: Path, sign: Signer | None = None
) -> Bundle:
    """Trained student → device program → checks → bundle ``out/NAME.edge``.

    Raises:
        BuildError: see ``build``.
    """
    manifest, contents = assemble(recipe, trained, work)
    if recipe.release.against:
        candidate = write_bundle(work / "candidate.edge", manifest, contents)
        share = check_flips(recipe, candidate, data_dir)
        manifest = msgspec.structs.replace(manifest, metrics={**manifest.metrics, "negative_flips": share})
    bundle = write_bundle(out / f"{recipe.name}.edge", manifest, contents, sign or machine_key().sign)
    log.info("wrote %s (%.2f MB)", bundle.source, bundle.source.stat().st_size / 1e6)
    return bundle


def assemble(recipe: Recipe, trained: Trained, work: Path) -> tuple[Manifest, dict[str, bytes]]:
    """What a bundle of the trained student holds: quantized in ``work``, checked and calibrated.

    Raises:
        BuildError: the programs disagree, or the accuracy is below what the recipe demands.
    """
    log.info("student trained: %d parameters", sum(p.numel() for p in trained.student.parameters()))
    program = _program(trained, work)
    figures = check_parity(trained, program, recipe.release.parity)
    logits = run_program(program, trained.examples)
    outside = [number for number, frame in enumerate(trained.frames) if frame.intent is None]
    calibration = calibrate(logits, trained.examples, recipe.release.rejection, outside)
    _check_accuracy(figures["frame_accuracy_int8"], recipe)
    manifest = _manifest(recipe, trained, calibration, figures, built=int(program.stat().st_mtime))
    return manifest, {**trained.contents, _PROGRAM: program.read_bytes()}


def _train(recipe: Recipe, work: Path, data_dir: Path) -> Trained:
    if recipe.data.source == "home":
        return home_student(recipe, work, data_dir)
    return massive_student(recipe, work, data_dir)


def _program(trained: Trained, work: Path) -> Path:
    path = work / _PROGRAM
    if not path.is_file():
        log.info("quantizing and lowering the student")
        some = [tensors(example) for example in trained.examples[:64]]
        write_file(path, to_program(quantize_student(trained.student, some), trained.student))
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


def _check_accuracy(accuracy: float, recipe: Recipe) -> None:
    if accuracy < recipe.release.min_intent_accuracy:
        raise BuildError(
            f"accuracy {accuracy:.1%} is below the recipe's {recipe.release.min_intent_accuracy:.1%}; "
            "no bundle was written"
        )


def check_flips(recipe: Recipe, candidate: Bundle, data_dir: Path) -> float:
    """Share of sentences that the release before parsed right and ``candidate`` does not; too many fail the build."""
    against, ceiling = recipe.release.against, recipe.release.max_negative_flips
    flips = _flips(recipe.data, open_bundle(against), candidate, data_dir)
    log.info("negative flips against %s: %d of %d sentences", against, len(flips.found), flips.n)
    refuse_flips(flips, against, ceiling)
    return flips.share


def refuse_flips(flips: Flips, against: str, ceiling: float) -> None:
    """Fail a build that gets a larger share of sentences than ``ceiling`` wrong that ``against`` parsed right."""
    if flips.share > ceiling:
        first = flips.found[0]
        raise BuildError(
            f"{flips.share:.1%} of {flips.n} sentences that {against} parsed right are wrong now, over {ceiling:.1%} "
            f"(such as {first.text!r}, {first.intent}, now {first.now}); no bundle was written"
        )


def _flips(data: Data, old: Bundle, new: Bundle, data_dir: Path) -> Flips:
    if data.source == "home":
        known = set(old.manifest.languages)
        return home_flips(old, new, [name for name in new.manifest.languages if name in known], _FLIP_CASES)
    held_out = [u for name in data.held_out for u in read_listed(data_dir, name)]
    if not held_out:
        raise ConfigError("release.against needs data.held_out, to compare the two bundles on")
    return negative_flips(held_out, predict(old, held_out), predict(new, held_out))


def _manifest(
    recipe: Recipe, trained: Trained, calibration: Calibration, figures: dict[str, Any], built: int
) -> Manifest:
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
    return Manifest(
        format_version=FORMAT_VERSION,
        name=recipe.name,
        files={},
        languages=trained.languages,
        student=spec,
        hearing=trained.hearing,
        quantization="PT2E int8: linear layers per channel with dynamic activations, embedding per row",
        recipe_sha256=recipe.sha256,
        licences=recipe.release.licences,
        metrics={**trained.metrics, **figures, **calibration.figures},
        card=recipe.release.card,
        built=built,
    )
