"""A one-layer encoder with a word tokenizer, generated on the spot."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

WORDS = [
    "turn", "on", "off", "the", "light", "lamp", "in", "kitchen", "hall", "bath", "room", "play", "stop", "music",
    "jazz", "rock", "set", "to", "red", "blue",
]  # fmt: skip


def save_tiny_encoder(folder: Path, hidden: int = 32) -> BertModel:
    """Save encoder and tokenizer to ``folder`` and return the encoder."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    vocabulary = {word: i for i, word in enumerate([*special, *(f"▁{word}" for word in WORDS)])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]",
        mask_token="[MASK]", model_max_length=32,
    )  # fmt: skip
    torch.manual_seed(0)
    encoder = BertModel(
        BertConfig(
            vocab_size=len(vocabulary), hidden_size=hidden, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=2 * hidden, max_position_embeddings=32,
        ),
        add_pooling_layer=False,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    encoder.save_pretrained(folder)
    return encoder
