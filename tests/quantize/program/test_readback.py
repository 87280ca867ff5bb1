"""What is read back from a shipped program is the student that the device runs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.bundle.format import Bundle, open_bundle
from edge.errors import BundleError
from edge.nlu.program import Program

torch = pytest.importorskip("torch", reason="no torch: pip install 'edge-assistant[build]'")
LENGTHS = (2, 12, 31)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["home", "massive-en"])
def test_other_runtimes_agree_with_the_program(name: str, tmp_path: Path) -> None:
    import onnxruntime

    from quantize.program.readback import read_student, write_onnx

    bundle = open_bundle(name)
    spec = bundle.manifest.student
    assert spec is not None
    program = Program(bundle.path(spec.program), id_limits=(spec.buckets, None))
    student = read_student(bundle)
    write_onnx(student, tmp_path / "student.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "student.onnx"))
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        ids = rng.integers(0, spec.buckets, (1, length, *program.inputs[0].shape[2:])).astype(np.int64)
        features = rng.integers(0, 2, (1, length, spec.features)).astype(np.float32)
        device = program.run(ids, features)
        with torch.inference_mode():
            eager = [output.numpy() for output in student(torch.from_numpy(ids), torch.from_numpy(features))[:3]]
        for there, again, onnx in zip(
            device, eager, session.run(None, {"ids": ids, "features": features}), strict=True
        ):
            # float against int8 activations, of about ±12; onnxruntime's weights have 7 bits
            np.testing.assert_allclose(again, there, atol=0.25)
            np.testing.assert_allclose(onnx, there, atol=0.75)


def test_a_bundle_without_a_student_is_refused() -> None:
    from quantize.program.readback import read_student

    opened = open_bundle("home")
    with pytest.raises(BundleError, match="has no student"):
        read_student(Bundle(opened.source, msgspec.structs.replace(opened.manifest, student=None)))
