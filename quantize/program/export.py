"""The student as a device program: int8 by PT2E, lowered to XNNPACK, written as an ExecuTorch ``.pte``.

Linear layers are quantized per channel with dynamic activations; the embedding table per row. Lengths stay dynamic,
since the cost of a parse is then the length of the utterance and not that of the longest one.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from edge.nlu.tokens import MAX_NGRAMS, MAX_TOKENS
from quantize.student.network import Student

_LENGTH = torch.export.Dim("length", min=2, max=1 + MAX_TOKENS)


class ByteEmbedding(nn.Module):
    """Mean of int8 rows: the embedding of ``NgramEmbedding`` after per-row quantization."""

    weight: Tensor
    scales: Tensor

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scales = table.abs().amax(1).clamp(min=1e-8) / 127.0
        self.register_buffer("weight", torch.round(table / scales[:, None]).clamp(-127, 127).to(torch.int8))
        self.register_buffer("scales", scales)

    def forward(self, ids: Tensor) -> Tensor:
        """Ids [B, T, K] with 0 as padding → [B, T, embed]."""
        rows = torch.ops.quantized_decomposed.embedding_byte.dtype(
            self.weight, self.scales, None, 0, 0, ids, dtype=torch.float32
        )
        count = (ids != 0).sum(-1, keepdim=True).to(torch.float32).clamp(min=1.0)
        return cast(Tensor, rows.sum(-2) / count)


class DeviceStudent(nn.Module):
    """What the device runs: one utterance, no padding; frame logits, tag scores, language logits."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, ids: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ids [1, 1+T, K], features [1, 1+T, F] → [1, frames], [1, 1+T, tags], [1, languages]."""
        frames, tags, languages, _ = self.student(ids, features)
        return frames, tags, languages


def example_inputs(student: Student, length: int = 12) -> tuple[Tensor, Tensor]:
    """Inputs of the program's types for an utterance of ``length`` rows."""
    generator = torch.Generator().manual_seed(length)
    ids = torch.randint(1, student.shape.buckets, (1, length, MAX_NGRAMS), generator=generator)
    return ids, torch.zeros(1, length, student.shape.features)


def quantize_student(student: Student, calibration: list[tuple[Tensor, Tensor]]) -> nn.Module:
    """The quantized graph of the student. ``calibration`` are (ids, features) of real utterances."""
    device = copy.deepcopy(student).eval()
    device.embedding = ByteEmbedding(device.embedding.table.weight.detach())  # type: ignore[assignment]
    with vendor_warnings_ignored():
        import executorch.kernels.quantized  # noqa: F401 - registers the operators
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        quantizer = XNNPACKQuantizer()
        quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True, is_dynamic=True))
        graph = _export(DeviceStudent(device), example_inputs(student)).module()
        prepared = prepare_pt2e(graph, quantizer)
        for ids, features in calibration:
            prepared(ids, features)
        return cast(nn.Module, convert_pt2e(prepared))


def to_program(quantized: nn.Module, student: Student) -> bytes:
    """The ``.pte`` of a quantized (or float, wrapped in ``DeviceStudent``) graph."""
    with vendor_warnings_ignored():
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import EdgeCompileConfig, ExecutorchBackendConfig, to_edge_transform_and_lower

        lowered = to_edge_transform_and_lower(
            _export(quantized, example_inputs(student)),
            partitioner=[XnnpackPartitioner()],
            compile_config=EdgeCompileConfig(_check_ir_validity=False),
        )
        return bytes(lowered.to_executorch(ExecutorchBackendConfig()).buffer)


@contextmanager
def vendor_warnings_ignored() -> Iterator[None]:
    """Importing and running the exporter warns of its own deprecated calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _export(module: nn.Module, inputs: tuple[Tensor, Tensor]) -> torch.export.ExportedProgram:
    shapes = ({1: _LENGTH}, {1: _LENGTH})
    return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
