"""Exports a small quantized tagger: ``python export_program.py FOLDER`` writes program.pte and expected.npz there."""

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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
