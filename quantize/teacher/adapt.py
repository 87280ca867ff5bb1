"""Masked-language-model adaptation of an encoder to unlabelled in-domain text (Gururangan et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from edge.errors import ConfigError
from quantize.loop import Schedule, train
from quantize.teacher.encoders import load_encoder
from quantize.teacher.train import padded

_MASKED_SHARE = 0.2


class Reader(nn.Module):
    """Predicts masked pieces among those that the text uses, with the encoder's own (frozen) embeddings."""

    def __init__(self, encoder: Any, used: Tensor) -> None:
        super().__init__()
        table = encoder.get_input_embeddings().weight
        table.requires_grad_(False)
        width = table.shape[1]
        self.encoder = encoder
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(len(used)))
        self.used: Tensor
        self.register_buffer("used", used, persistent=False)
        self.register_buffer("pieces", table[used].clone(), persistent=False)

    def forward(self, ids: Tensor, mask: Tensor, chosen: Tensor) -> Tensor:
        """Return scores [M, U] of the used pieces at the M chosen places."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state[chosen]
        scores: Tensor = self.transform(states) @ self.pieces.T + self.bias
        return scores


def adapt_encoder(
    encoder_name: str, sentences: Sequence[str], schedule: Schedule, folder: Path, run: Accelerator
) -> Reader:
    """Return the encoder after reading ``sentences``; continues after a kill from ``folder/adapt.pt``.

    Raises:
        ConfigError: when the encoder's tokenizer has no mask.
    """
    torch.manual_seed(schedule.seed)
    encoder, tokenizer = load_encoder(encoder_name)
    mask_id = tokenizer.mask_token_id
    if mask_id is None:
        raise ConfigError(f"teacher encoder {encoder_name!r}: it has no mask token; set adaptation_epochs = 0")
    rows = [row[:128] for row in tokenizer(list(sentences))["input_ids"]]
    used = torch.tensor(sorted({piece for row in rows for piece in row}))
    reader = Reader(encoder, used)

    def batch_loss(wrapped: nn.Module, batch: list[int]) -> Tensor:
        ids, mask, chosen, expected = _masked([rows[i] for i in batch], tokenizer, mask_id, used)
        scores = wrapped(ids.to(run.device), mask.to(run.device), chosen.to(run.device))
        return functional.cross_entropy(scores.float(), expected.to(run.device))

    train(
        reader,
        [len(row) for row in rows],
        batch_loss,
        schedule,
        folder / "adapt.pt",
        run,
        "adaptation",
        is_head=lambda name: not name.startswith("encoder."),
    )
    return reader.eval()


def _masked(
    rows: Sequence[Sequence[int]], tokenizer: PreTrainedTokenizerFast, mask_id: int, used: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mask a share of each row; of the chosen pieces a tenth stays and a tenth becomes another (Devlin et al. 2019)."""
    ids = padded(rows, tokenizer.pad_token_id)
    mask = padded([[1] * len(row) for row in rows], 0)
    ordinary = mask.bool()
    ordinary[:, 0] = False
    ordinary[torch.arange(len(rows)), mask.sum(1) - 1] = False
    chosen = ordinary & (torch.rand(ids.shape) < _MASKED_SHARE)
    if not chosen.any():
        chosen[0, 0] = True
    expected = torch.searchsorted(used, ids[chosen])
    chance = torch.rand(len(expected))
    other = used[torch.randint(0, len(used), (len(expected),))]
    ids[chosen] = torch.where(chance < 0.8, mask_id, torch.where(chance < 0.9, other, ids[chosen]))
    return ids, mask, chosen, expected
