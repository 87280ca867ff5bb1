"""What the student inherits before it learns: an n-gram table fitted to the teacher's word embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from edge.nlu.tokens import MAX_NGRAMS, ngram_ids


def fitted_table(
    vectors: Mapping[str, NDArray[np.float32]], buckets: int, width: int, steps: int = 300, seed: int = 0
) -> Tensor:
    """Return an n-gram table [buckets, width] whose rows average to the principal components of word vectors.

    Args:
        vectors: a vector of the teacher's embedding space for each word.
        buckets: rows of the table; row 0 stays zero.
        width: of the student's embedding.
        steps: of the fit.
        seed: of the rows that no word uses and of the order.
    """
    torch.manual_seed(seed)
    words = list(vectors)
    matrix = torch.from_numpy(np.stack([vectors[word] for word in words]))
    matrix = matrix - matrix.mean(0)
    _, _, axes = torch.pca_lowrank(matrix, q=min(width, *matrix.shape), center=False)
    target = torch.zeros(len(words), width)
    target[:, : axes.shape[1]] = matrix @ axes
    target = target / target.std() * 0.3
    ids = torch.zeros(len(words), MAX_NGRAMS, dtype=torch.long)
    for row, word in enumerate(words):
        found = ngram_ids(word, buckets)
        ids[row, : len(found)] = torch.tensor(found)
    counts = (ids != 0).sum(1, keepdim=True).clamp(min=1)
    table = nn.Embedding(buckets, width, padding_idx=0)
    nn.init.normal_(table.weight, std=0.05)
    with torch.no_grad():
        table.weight[0].zero_()
    optimizer = torch.optim.Adam(table.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=steps + 1)
    for _ in range(steps):
        batch = torch.randint(0, len(words), (2048,))
        loss = functional.mse_loss(table(ids[batch]).sum(1) / counts[batch], target[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return table.weight.detach()


def word_vectors(
    table: Tensor, tokenizer: PreTrainedTokenizerFast, words: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Return the mean sub-word embedding of each word from the teacher's table [V, C]."""
    rows = tokenizer(list(words), add_special_tokens=False)["input_ids"]
    return {word: table[row].float().mean(0).numpy() for word, row in zip(words, rows, strict=True) if row}
