"""The student read back from a shipped program, for comparing the runtimes that could carry it.

A bundle has no float weights. Its ``.pte`` holds int8 weights with a scale per channel (per row for the embedding):
their products are the weights that the device computes with, so that every runtime gets the same student.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.bundle.format import Bundle
from edge.errors import BundleError
from quantize.program.export import DeviceStudent, example_inputs, vendor_warnings_ignored
from quantize.student.network import Student, StudentShape

_ATTENTION = ("attention.query", "attention.key", "attention.value", "attention.out")
_FEED_FORWARD = ("up", "down")
_HEADER = slice(10, 18)  # of XNNPACK's payload: offset and size of its graph, little-endian


def read_student(bundle: Bundle) -> Student:
    """The student of a bundle, in float.

    Raises:
        BundleError: the bundle has no student, or its program was not exported as ``quantize.program.export`` does.
    """
    spec = bundle.manifest.student
    if spec is None:
        raise BundleError(f"bundle {bundle.manifest.name} has no student for text")
    with vendor_warnings_ignored():
        from executorch.exir._serialize._program import deserialize_pte_binary

        found = _Weights(deserialize_pte_binary(bundle.read(spec.program)))
    layers = len(found.convolutions)
    attending = (len(found.linears) - len(_FEED_FORWARD) * layers - 4) // len(_ATTENTION)
    linears = len(_FEED_FORWARD) * layers + len(_ATTENTION) * attending + 4
    if len(found.linears) != linears or len(found.norms) != 2 * layers + attending + 1:
        raise BundleError(f"the program of bundle {bundle.manifest.name} is none that this version exported")
    (frame, tag, language), project = found.linears[-3:], found.linears[0]
    buckets, embed = found.table.shape
    shape = StudentShape(
        frames=len(frame[1]), tags=len(tag[1]), languages=len(language[1]), features=project[0].shape[1] - embed,
        buckets=buckets, embed=embed, hidden=len(project[1]), layers=layers, heads=found.heads,
        kernel=found.convolutions[0][0].shape[2], feed_forward=len(found.linears[-5][1]) if layers else 0,
        local_layers=layers - attending,
    )  # fmt: skip
    named = {"project": project, "frame": frame, "tag": tag, "language": language, "norm": found.norms[-1]}
    linear, norm = iter(found.linears[1:]), iter(found.norms)
    for index, convolution in enumerate(found.convolutions):
        local = index < shape.local_layers
        named[f"layers.{index}.conv"] = convolution
        for name in ("conv_norm", "forward_norm") if local else ("conv_norm", "attention_norm", "forward_norm"):
            named[f"layers.{index}.{name}"] = next(norm)
        for name in _FEED_FORWARD if local else (*_ATTENTION, *_FEED_FORWARD):
            named[f"layers.{index}.{name}"] = next(linear)
    state = {
        f"{name}.{part}": values[at] for name, values in named.items() for at, part in enumerate(("weight", "bias"))
    }
    state["embedding.table.weight"], state["transitions"] = found.table, np.asarray(spec.transitions, np.float32)
    student = Student(shape)
    student.load_state_dict({name: torch.from_numpy(np.array(values)) for name, values in state.items()})
    return student.eval()


def write_onnx(student: Student, path: Path) -> None:
    """The student for onnxruntime, int8 per channel with dynamic activations.

    ``reduce_range`` keeps weights to 7 bits: with 8, products overflow on processors that have AVX2 and no VNNI.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, vendor_warnings_ignored():
        single = Path(folder) / "float.onnx"
        torch.onnx.export(
            DeviceStudent(student),
            example_inputs(student),
            single,
            input_names=["ids", "features"],
            output_names=["frames", "tags", "languages"],
            dynamic_axes={"ids": {1: "length"}, "features": {1: "length"}, "tags": {1: "length"}},
            dynamo=False,
        )
        quantize_dynamic(single, path, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)


class _Weights:
    """Weights and biases of a program, in the order of their use."""

    def __init__(self, file: Any) -> None:
        self.table: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self.heads = 1
        self.linears: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self.convolutions: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self.norms: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self._program, self._named = file.program, file.named_data
        plan = self._program.execution_plan[0]
        split = False
        for step in (instruction.instr_args for instruction in plan.chains[0].instructions):
            if hasattr(step, "delegate_index"):
                self._read_graph(bytes(self._program.backend_delegate_data[step.delegate_index].data))
                continue
            name = plan.operators[step.op_index].name
            if name == "quantized_decomposed::embedding_byte":
                rows, scales = (self._constant(plan, step.args[at]) for at in (0, 1))
                self.table = (rows * scales.reshape(-1, 1)).astype(np.float32)
            elif name == "aten::native_layer_norm":
                self.norms.append((self._constant(plan, step.args[2]), self._constant(plan, step.args[3])))
            elif name == "executorch_prim::et_view" and not split:  # [1, T, C] → [1, T, heads, width]
                split, self.heads = True, plan.values[step.args[-1]].val.sizes[2]

    def _constant(self, plan: Any, value: int) -> NDArray[np.float32]:
        tensor = plan.values[value].val
        dtype = np.int8 if tensor.scalar_type.name == "CHAR" else np.float32
        data = np.frombuffer(bytes(self._program.constant_buffer[tensor.data_buffer_idx].storage), dtype)
        return data[: int(np.prod(tensor.sizes))].reshape(tensor.sizes).astype(np.float32)

    def _read_graph(self, payload: bytes) -> None:
        graph = _graph(payload)
        values = dict(_values(graph))
        for node in graph["xnodes"]:
            used = node["xnode_union"]
            if node["xnode_union_type"] == "XNNFullyConnected":
                self.linears.append((self._tensor(graph, values[used["filter_id"]]), self._bias(graph, values, used)))
            elif node["xnode_union_type"] == "XNNDepthwiseConv2d":
                kernel = self._tensor(graph, values[used["filter_id"]])  # [1, kernel, 1, C]
                weight = np.ascontiguousarray(kernel[0, :, 0].T)[:, None, :]
                self.convolutions.append((weight, self._bias(graph, values, used)))

    def _bias(self, graph: Any, values: dict[int, Any], used: Any) -> NDArray[np.float32]:
        return self._tensor(graph, values[used["bias_id"]])

    def _tensor(self, graph: Any, value: Any) -> NDArray[np.float32]:
        tensor = value.get("tensor_value", value)
        data = self._data(graph, tensor["constant_buffer_idx"])
        if "quant_params" not in value:
            return np.frombuffer(data, np.float32)[: int(np.prod(tensor["dims"]))].reshape(tensor["dims"])
        scales = np.frombuffer(self._data(graph, value["quant_params"]["scale_buffer_idx"]), np.float32)
        rows, columns = tensor["dims"]
        return np.frombuffer(data, np.int8)[: rows * columns].reshape(rows, columns) * scales[:rows, None]

    def _data(self, graph: Any, index: int) -> bytes:
        key = graph["constant_data"][index]["named_key"]
        return bytes(self._named.buffers[self._named.pte_data[key].buffer_index])


def _values(graph: Any) -> Iterator[tuple[int, Any]]:
    for entry in graph["xvalues"]:
        value = entry["xvalue_union"]
        yield value.get("tensor_value", value)["id_out"], value


def _graph(payload: bytes) -> Any:
    """XNNPACK's graph as JSON, by the flatbuffer compiler of the executorch wheel."""
    import executorch.backends.xnnpack.serialization as serialization
    from executorch.exir._serialize._flatbuffer import _flatc_decompile

    start, size = np.frombuffer(payload[_HEADER], "<u4")
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "graph.bin"
        binary.write_bytes(payload[start : start + size])
        _flatc_decompile(folder, str(Path(serialization.__path__[0]) / "schema.fbs"), str(binary), ["--raw-binary"])
        text = (Path(folder) / "graph.json").read_text(encoding="utf-8")
    return json.loads(re.sub(r"(: -?)inf\b", r"\1Infinity", text))
