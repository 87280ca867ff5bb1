"""Exports two small programs: ``python export_program.py FOLDER`` writes them there, and what torch computes.

``program.pte`` with ``expected.npz`` is a quantized tagger; ``kernels.pte`` with ``kernels.npz`` has the operators
for which the package has kernels of its own, in shapes that those take.
"""

from __future__ import annotations

import sys
from pathlib import Path

import executorch.kernels.quantized  # noqa: F401  registers the quantized operators
import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower
from torch import Tensor, nn
from torch.export import Dim, export
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

ROWS, WIDTH, FEATURES, LABELS, LONGEST = 100, 32, 2, 5, 64
ODD = 37  # no multiple of any vector's length


class Tagger(nn.Module):
    """Byte-quantized embedding, two linear layers; logits per token and their mean."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.randn(ROWS, WIDTH)
        scales = weight.abs().amax(1) / 127
        self.register_buffer("weight", (weight / scales[:, None]).round().to(torch.int8))
        self.register_buffer("scales", scales)
        self.hidden = nn.Linear(WIDTH + FEATURES, WIDTH)
        self.labels = nn.Linear(WIDTH, LABELS)

    def forward(self, ids: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        embedded = torch.ops.quantized_decomposed.embedding_byte.dtype(
            self.weight, self.scales, None, 0, 0, ids, dtype=torch.float32
        )
        logits = self.labels(torch.relu(self.hidden(torch.cat([embedded, features], -1))))
        return logits, logits.mean(1)


class Kernels(nn.Module):
    """Embedded n-grams [B, T, K, C] and what layer normalization makes of their sums [B, T, C]."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randint(-128, 128, (ROWS, ODD), dtype=torch.int8))
        self.register_buffer("scales", torch.rand(ROWS) * 0.1)
        self.norm = nn.LayerNorm(ODD)
        nn.init.normal_(self.norm.weight)
        nn.init.normal_(self.norm.bias)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        embedded = torch.ops.quantized_decomposed.embedding_byte.dtype(
            self.weight, self.scales, None, 0, 0, ids, dtype=torch.float32
        )
        return embedded, self.norm(embedded.sum(-2))


def export_kernels(folder: Path) -> None:
    model = Kernels().eval()
    shapes = ({0: Dim("B", min=1, max=3), 1: Dim("T", min=2, max=LONGEST)},)
    exported = export(model, (torch.randint(0, ROWS, (2, 12, 7)),), dynamic_shapes=shapes, strict=False)
    program = to_edge_transform_and_lower(
        exported, compile_config=EdgeCompileConfig(_check_ir_validity=False)
    ).to_executorch()
    ids = torch.randint(0, ROWS, (3, 5, 7))
    with torch.no_grad():
        embedded, normed = model(ids)
    np.savez(folder / "kernels.npz", ids=ids, embedded=embedded, normed=normed)
    (folder / "kernels.pte").write_bytes(program.buffer)


def main(folder: Path) -> None:
    torch.manual_seed(0)
    model = Tagger().eval()
    length = Dim("T", min=2, max=LONGEST)
    dynamic = ({1: length}, {1: length})
    example = (torch.randint(0, ROWS, (1, 12)), torch.randn(1, 12, FEATURES))
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True, is_dynamic=True))
    prepared = prepare_pt2e(export(model, example, dynamic_shapes=dynamic, strict=False).module(), quantizer)
    prepared(*example)
    program = to_edge_transform_and_lower(
        export(convert_pt2e(prepared), example, dynamic_shapes=dynamic, strict=False),
        partitioner=[XnnpackPartitioner()],
        compile_config=EdgeCompileConfig(_check_ir_validity=False),
    ).to_executorch()
    arrays = {}
    for tokens in (2, 12, LONGEST):
        ids, features = torch.randint(0, ROWS, (1, tokens)), torch.randn(1, tokens, FEATURES)
        with torch.no_grad():
            logits, mean = model(ids, features)
        for name, value in (("ids", ids), ("features", features), ("logits", logits), ("mean", mean)):
            arrays[f"{name}{tokens}"] = value.numpy()
    np.savez(folder / "expected.npz", **arrays)
    (folder / "program.pte").write_bytes(program.buffer)
    export_kernels(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
