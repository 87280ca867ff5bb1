"""Runs ExecuTorch programs without torch: ctypes over ``native/shim.cpp`` and the ExecuTorch libraries beside it."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from math import prod
from operator import gt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError, EngineError

_LIBRARY = Path(__file__).parent / "_native" / "libedge_program.so"
_MAX_RANK = 16

# torch.ScalarType numbers, as ExecuTorch's schema/scalar_type.fbs fixes them.
_DTYPES: dict[int, np.dtype[Any]] = {
    code: np.dtype(name)
    for code, name in {0: "u1", 1: "i1", 2: "i2", 3: "i4", 4: "i8", 6: "f4", 7: "f8", 11: "?"}.items()
}

# executorch/runtime/core/error.h
_MEANINGS = {
    0x01: "internal error of the runtime",
    0x02: "the runtime is in a state in which this cannot be done",
    0x10: "not supported, such as an input longer than the program was exported for",
    0x11: "not implemented in this runtime",
    0x12: "an input does not fit the program",
    0x13: "a value has the wrong type",
    0x14: "the program uses an operator that this runtime does not have",
    0x15: "too many kernels are registered",
    0x16: "a kernel is registered twice",
    0x20: "the program's method or backend was not found",
    0x21: "out of memory",
    0x22: "the file cannot be read",
    0x23: "the program is damaged or of another version",
    0x24: "the program's external data are damaged",
    0x25: "out of resources",
    0x30: "the program was made for another version of the backend",
    0x31: "the backend is out of memory",
    0x32: "the backend's handle is invalid",
}
_MEMORY_CODES = {0x21, 0x25, 0x31}

_VISIT_TIME = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint64)
_VISIT_BYTES = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64)

# The thread pool and the log line of the runtime are process-wide, and a finalizer may run inside any call.
_LOCK = threading.RLock()


@dataclass(frozen=True)
class TensorSpec:
    """Type of an input or output; ``shape`` is the largest that the program was exported for."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class OperatorTime:
    """Time of all calls of one operator since the program was loaded."""

    calls: int
    total_ms: float


class Program:
    """One ``.pte`` file, loaded. Its method ``forward`` is run; calls from several threads take turns.

    Args:
        path: The file.
        threads: Size of the runtime's thread pool. The pool is shared by all programs of a process.
        trace_operators: Measure every operator; costs time and memory in each run.
        id_limits: Per int64 input, a number that its values must stay below (the rows of an embedding table), or None.
            Without it the wheel's kernels end the process at an id outside the table.

    Raises:
        BundleError: The file is missing, damaged, or made for another runtime.
        EngineError: The native library is missing, memory ran out, or the thread pool has another size.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        trace_operators: bool = False,
        id_limits: Sequence[int | None] = (),
    ) -> None:
        self.path = path
        self._tracing = trace_operators
        if threads < 1:
            raise EngineError(f"a program needs at least one thread, not {threads}")
        _check_file(path)
        library = _library()
        handle = ctypes.c_void_p()
        current = ctypes.c_uint32()
        with _LOCK:
            if library.edge_set_threads(threads, ctypes.byref(current)):
                raise EngineError(
                    f"a loaded program uses {current.value} threads: "
                    f"load {path.name} with threads={current.value} or in a new process"
                )
            code = library.edge_open(os.fsencode(path), int(trace_operators), ctypes.byref(handle))
            if code:
                error = EngineError if code in _MEMORY_CODES else BundleError
                raise error(_explain(library, code, f"{path} cannot be loaded"))
            self.close = weakref.finalize(self, _close, library, handle)
            self._library, self._handle = library, handle
            self._read_signature()
        if id_limits and len(id_limits) != len(self.inputs):
            raise EngineError(f"{path.name} has {len(self.inputs)} inputs, but {len(id_limits)} id limits are given")
        self._given, self._produced = _Tensors(self.inputs), _Tensors(self.outputs)
        self._limits = (ctypes.c_int64 * len(self.inputs))(*(limit or 0 for limit in id_limits))
        given, produced = self._given, self._produced
        arrays = (given.shapes, given.pointers, self._limits, produced.shapes, produced.pointers)
        self._addresses = [ctypes.addressof(array) for array in arrays]

    def run(self, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Run ``forward``.

        Args:
            inputs: One array per entry of ``self.inputs``: its dtype and rank, and at most its length on each axis.

        Returns:
            The outputs, which belong to the caller.

        Raises:
            EngineError: An input does not fit, or the runtime failed.
        """
        if len(inputs) != len(self.inputs):
            raise EngineError(f"{self.path.name} takes {len(self.inputs)} inputs, not {len(inputs)}")
        for index, array in enumerate(inputs):
            self._check(index, array)
        with _LOCK:
            if not self.close.alive:
                raise EngineError(f"{self.path.name} was closed")
            self._given.put(inputs)
            code = self._library.edge_run(self._handle, *self._addresses)
            if code:
                shapes = [array.shape for array in inputs]
                raise EngineError(_explain(self._library, code, f"{self.path.name} failed on shapes {shapes}"))
            return self._produced.take()

    def operator_times(self) -> dict[str, OperatorTime]:
        """Total time by operator since loading, slowest first; empty unless the program traces.

        Names of portable kernels begin with ``native_call_``; those of a delegate's operators are the backend's own.
        ``Method::execute``, ``OPERATOR_CALL`` and ``DELEGATE_CALL`` hold the time of everything inside them.
        """
        times: dict[str, OperatorTime] = {}

        def visit(name: bytes, ns: int, calls: int) -> None:
            times[name.decode(errors="replace")] = OperatorTime(calls, ns / 1e6)

        with _LOCK:
            if self.close.alive:
                self._library.edge_operator_times(self._handle, _VISIT_TIME(visit))
        return dict(sorted(times.items(), key=lambda item: -item[1].total_ms))

    def etdump(self) -> bytes:
        """ETDump of the runs since the last call, for ``executorch.devtools.Inspector`` on a desktop.

        Raises:
            EngineError: The program does not trace.
        """
        if not self._tracing:
            raise EngineError(f"{self.path.name} was loaded without trace_operators")
        chunks: list[bytes] = []

        def visit(data: int, size: int) -> None:
            chunks.append(ctypes.string_at(data, size))

        with _LOCK:
            if self.close.alive:
                self._library.edge_etdump(self._handle, _VISIT_BYTES(visit))
        return b"".join(chunks)

    def _read_signature(self) -> None:
        inputs, outputs, arena = ctypes.c_int32(), ctypes.c_int32(), ctypes.c_int64()
        code = self._library.edge_measure(
            self._handle, ctypes.byref(inputs), ctypes.byref(outputs), ctypes.byref(arena)
        )
        if code:
            raise BundleError(_explain(self._library, code, f"{self.path} cannot be described"))
        self.arena_bytes = arena.value
        self.inputs = tuple(self._spec(index, is_output=False) for index in range(inputs.value))
        self.outputs = tuple(self._spec(index, is_output=True) for index in range(outputs.value))

    def _spec(self, index: int, *, is_output: bool) -> TensorSpec:
        dtype, rank, shape = ctypes.c_int32(), ctypes.c_int32(), (ctypes.c_int64 * _MAX_RANK)()
        code = self._library.edge_signature(
            self._handle, int(is_output), index, ctypes.byref(dtype), ctypes.byref(rank), shape
        )
        name = f"{'output' if is_output else 'input'} {index} of {self.path}"
        if code:
            raise BundleError(_explain(self._library, code, f"{name} is not a tensor"))
        if dtype.value not in _DTYPES:
            raise BundleError(f"{name} has the unsupported scalar type {dtype.value}")
        return TensorSpec(_DTYPES[dtype.value], tuple(shape[: rank.value]))

    def _check(self, index: int, array: NDArray[Any]) -> None:
        spec = self.inputs[index]
        if array.dtype != spec.dtype:
            raise EngineError(f"input {index} of {self.path.name} must be {spec.dtype}, not {array.dtype}")
        if array.ndim != len(spec.shape):
            raise EngineError(f"input {index} of {self.path.name} must have {len(spec.shape)} axes, not {array.ndim}")
        if 0 in array.shape or any(map(gt, array.shape, spec.shape)):
            wanted = f"every axis must be in 1..{spec.shape}"
            raise EngineError(f"input {index} of {self.path.name} has shape {array.shape}: {wanted}")


class _Tensors:
    """Memory for a program's inputs or outputs at their largest shapes, as ``edge_run`` takes it."""

    def __init__(self, specs: Sequence[TensorSpec]) -> None:
        bounds = list(accumulate((len(spec.shape) for spec in specs), initial=0))
        self._axes = [slice(first, last) for first, last in pairwise(bounds)]
        self._flat = [np.empty(prod(spec.shape), spec.dtype) for spec in specs]
        self.shapes = (ctypes.c_int64 * bounds[-1])()
        self.pointers = (ctypes.c_void_p * len(specs))(*(flat.ctypes.data for flat in self._flat))

    def put(self, arrays: Sequence[NDArray[Any]]) -> None:
        self.shapes[:] = [length for array in arrays for length in array.shape]
        for flat, array in zip(self._flat, arrays, strict=True):
            flat[: array.size] = array.ravel()

    def take(self) -> list[NDArray[Any]]:
        pairs = zip(self._flat, map(self.shapes.__getitem__, self._axes), strict=True)
        return [flat[: prod(shape)].copy().reshape(shape) for flat, shape in pairs]


def _check_file(path: Path) -> None:
    """Compare the extended header (executorch/schema/extended_header.h) with the size of the file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(40)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    if head[4:8] != b"ET12":
        raise BundleError(f"{path} is not an ExecuTorch program of version ET12")
    if len(head) < 40 or head[8:12] != b"eh00":
        raise BundleError(f"{path} is damaged: its header is cut off")
    header_bytes, program_bytes, segments_at, segment_bytes = struct.unpack_from("<IQQQ", head, 12)
    if header_bytes < 32:  # before the segments' size was part of the header
        segment_bytes = 0
    needed = max(program_bytes, segments_at + segment_bytes)
    if needed > size:
        raise BundleError(f"{path} is cut off: it has {size} bytes of {needed}")


def _explain(library: ctypes.CDLL, code: int, what: str) -> str:
    log = library.edge_last_log()
    detail = f" ({log.decode(errors='replace').strip()})" if log else ""
    return f"{what}: {_MEANINGS.get(code, 'unknown error')} [0x{code:02x}]{detail}"


def _close(library: ctypes.CDLL, handle: ctypes.c_void_p) -> None:
    with _LOCK:
        library.edge_close(handle)


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(_LIBRARY))
    except OSError as error:
        raise EngineError(f"the native library cannot be loaded, install edge-assistant again: {error}") from error
    pointer, int32, uint32 = ctypes.c_void_p, ctypes.c_int32, ctypes.c_uint32
    for name, result, arguments in (
        ("edge_last_log", ctypes.c_char_p, []),
        ("edge_set_threads", uint32, [uint32, pointer]),
        ("edge_open", uint32, [ctypes.c_char_p, int32, pointer]),
        ("edge_close", None, [pointer]),
        ("edge_measure", uint32, [pointer, pointer, pointer, pointer]),
        ("edge_signature", uint32, [pointer, int32, int32, pointer, pointer, pointer]),
        ("edge_run", uint32, [pointer] * 6),
        ("edge_operator_times", None, [pointer, _VISIT_TIME]),
        ("edge_etdump", None, [pointer, _VISIT_BYTES]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
