"""The student: hashed n-gram embeddings, a small encoder, and three heads (frame, tags, language).

Per token: mean of n-gram rows plus the home's match features; per layer a depthwise convolution for word order,
attention (but in the first ones, if so chosen), and a feed-forward part (pre-norm residuals, Xiong et al. 2020).
Tags are scored as a sequence by a linear-chain CRF (Lafferty et al. 2001) whose transitions the device applies in its
Viterbi search.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class StudentShape:
    """Sizes of a student; the first ``local_layers`` have no attention and see neighbouring tokens alone."""

    frames: int
    tags: int
    languages: int
    features: int
    buckets: int = 20480
    embed: int = 64
    hidden: int = 128
    layers: int = 3
    heads: int = 4
    kernel: int = 3
    feed_forward: int = 256
    local_layers: int = 0


class NgramEmbedding(nn.Module):
    """Mean of embedding rows: ids [B, T, K] with 0 as padding → [B, T, embed]."""

    def __init__(self, buckets: int, embed: int) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets, embed, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.3)
        with torch.no_grad():
            self.table.weight[0].zero_()

    def forward(self, ids: Tensor) -> Tensor:
        """Mean over the rows that are not padding."""
        count = (ids != 0).sum(-1, keepdim=True).to(torch.float32).clamp(min=1.0)
        total: Tensor = self.table(ids).sum(-2)
        return total / count


class Attention(nn.Module):
    """Multi-head self-attention over [B, T, C], written with 3-D batched products for a small exported graph."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.width = hidden // heads
        self.query, self.key = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.value, self.out = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """``bias`` [B, 1, T] is added to the scores (−10000 at padding); None without padding."""
        batch, length, hidden = x.shape

        def split(y: Tensor) -> Tensor:
            y = y.reshape(batch, length, self.heads, self.width).permute(0, 2, 1, 3)
            return y.reshape(batch * self.heads, length, self.width)

        scores = torch.bmm(split(self.query(x)), split(self.key(x)).transpose(1, 2)) * self.width**-0.5
        if bias is not None:
            scores = scores + bias.repeat_interleave(self.heads, 0)
        mixed = torch.bmm(torch.softmax(scores, -1), split(self.value(x)))
        joined = mixed.reshape(batch, self.heads, length, self.width).permute(0, 2, 1, 3).reshape(batch, length, hidden)
        out: Tensor = self.out(joined)
        return out


class Layer(nn.Module):
    """Convolution, attention, feed-forward; each adds to its input."""

    def __init__(self, shape: StudentShape, dropout: float, local: bool) -> None:
        super().__init__()
        h = shape.hidden
        self.local = local
        self.conv_norm, self.forward_norm = nn.LayerNorm(h), nn.LayerNorm(h)
        self.conv = nn.Conv1d(h, h, shape.kernel, padding=shape.kernel // 2, groups=h)
        if not local:
            self.attention_norm, self.attention = nn.LayerNorm(h), Attention(h, shape.heads)
        self.up, self.down = nn.Linear(h, shape.feed_forward), nn.Linear(shape.feed_forward, h)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None, bias: Tensor | None) -> Tensor:
        """[B, T, C] → [B, T, C]; ``mask`` [B, T, 1] is 1 at tokens."""
        y = self.conv_norm(x)
        if mask is not None:
            y = y * mask
        x = x + self.dropout(self.conv(y.transpose(1, 2)).transpose(1, 2))
        if not self.local:
            x = x + self.dropout(self.attention(self.attention_norm(x), bias))
        out: Tensor = x + self.dropout(self.down(F.relu(self.up(self.forward_norm(x)))))
        return out


class Student(nn.Module):
    """Ids [B, 1+T, K] and features [B, 1+T, F] → frame logits, tag scores [B, 1+T, tags], language logits, states."""

    def __init__(self, shape: StudentShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = NgramEmbedding(shape.buckets, shape.embed)
        self.project = nn.Linear(shape.embed + shape.features, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape, dropout, index < shape.local_layers) for index in range(shape.layers))
        self.norm = nn.LayerNorm(shape.hidden)
        self.frame = nn.Linear(2 * shape.hidden, shape.frames)
        self.tag = nn.Linear(shape.hidden, shape.tags)
        self.language = nn.Linear(2 * shape.hidden, shape.languages)
        self.transitions = nn.Parameter(torch.zeros(shape.tags, shape.tags))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, ids: Tensor, features: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``mask`` [B, 1+T] is True at tokens; None without padding, as on the device."""
        bias = None if mask is None else (1.0 - mask.to(torch.float32))[:, None, :] * -10000.0
        keep = None if mask is None else mask.to(torch.float32)[:, :, None]
        x = self.project(torch.cat([self.embedding(ids), features], -1))
        for layer in self.layers:
            x = layer(x, keep, bias)
        x = self.norm(x)
        words = x if keep is None else x * keep
        mean = words.sum(1) / (x.shape[1] if keep is None else keep.sum(1))
        pooled = torch.cat([x[:, 0], mean], -1)
        return self.frame(self.dropout(pooled)), self.tag(x), self.language(pooled), pooled


def crf_loss(scores: Tensor, transitions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
    """Mean negative log-likelihood of ``tags`` [B, T] under a linear-chain CRF: ``scores`` [B, T, C], mask [B, T]."""
    emitted = scores.gather(2, tags[:, :, None]).squeeze(2)
    moved = transitions[tags[:, :-1], tags[:, 1:]]
    path = (emitted * mask).sum(1) + (moved * mask[:, 1:]).sum(1)
    total = scores[:, 0]
    weights = transitions.exp()
    for t in range(1, scores.shape[1]):
        top = total.amax(1, keepdim=True)
        step = ((total - top).exp() @ weights).clamp(min=1e-30).log() + top + scores[:, t]
        total = torch.where(mask[:, t, None] > 0, step, total)
    return ((torch.logsumexp(total, 1) - path) / mask.sum(1).clamp(min=1)).mean()
