"""Distillation of a teacher into the student, on labelled, unlabelled and recombined sentences.

Soft targets at a temperature (Hinton et al. 2015) for intent and tags, the hidden states of sentence and tokens through
a projection (Jiao et al. 2020, "TinyBERT"), and the given labels where there are any. The student's n-gram table starts
as a least-squares fit to the teacher's word embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from edge.nlu.tokens import MAX_NGRAMS, MAX_TOKENS, encode, ngram_ids, tokenize
from quantize.datasets import OUTSIDE, SlotSpan, Utterance, tag_tokens, tagged_spans
from quantize.loop import Schedule, train
from quantize.metrics import Prediction
from quantize.student import Student
from quantize.teacher import IGNORED, SoftLabels

FORBIDDEN = -30.0
"""Transition score of a tag sequence that cannot be: an inside tag that continues nothing."""


@dataclass(frozen=True)
class Distillation:
    """Weights of the parts of the loss; ``ngram_dropout`` is the share of n-gram rows left out in training."""

    temperature: float = 2.0
    intent: float = 1.0
    tag: float = 2.0
    hidden: float = 1.0
    gold: float = 0.2
    ngram_dropout: float = 0.1


def bio_transitions(tags: Sequence[str]) -> Tensor:
    """Scores [S, S] from tag to tag: 0, or FORBIDDEN for an ``I-`` after anything but its own ``B-`` or ``I-``."""
    scores = torch.zeros(len(tags), len(tags))
    for column, tag in enumerate(tags):
        if tag.startswith("I-"):
            for row, before in enumerate(tags):
                if before == OUTSIDE or before[2:] != tag[2:]:
                    scores[row, column] = FORBIDDEN
    return scores


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


@dataclass(frozen=True)
class Lessons:
    """Student input and targets of N sentences: n-gram ids [1+T, K] each, soft labels, and given labels or IGNORED."""

    ids: list[NDArray[np.int32]]
    soft: SoftLabels
    intents: NDArray[np.int64]
    tags: list[NDArray[np.int64] | None]


def lessons(
    soft: SoftLabels, labelled: Sequence[Utterance], intents: Sequence[str], tags: Sequence[str], buckets: int
) -> Lessons:
    """Encode every sentence of ``soft`` and attach the given labels of those in ``labelled``."""
    given = {utterance.text: utterance for utterance in labelled}
    intent_ids = {name: i for i, name in enumerate(intents)}
    tag_ids = {name: i for i, name in enumerate(tags)}
    gold = np.full(len(soft.texts), IGNORED, np.int64)
    gold_tags: list[NDArray[np.int64] | None] = []
    ids = []
    for row, text in enumerate(soft.texts):
        tokens = tokenize(text)[:MAX_TOKENS]
        ids.append(encode(tokens, buckets).astype(np.int32))
        utterance = given.get(text)
        if utterance is None:
            gold_tags.append(None)
        else:
            gold[row] = intent_ids[utterance.intent]
            gold_tags.append(np.array([tag_ids[tag] for tag in tag_tokens(tokens, utterance.slots)]))
    return Lessons(ids, soft, gold, gold_tags)


class _Apprentice(nn.Module):
    """The student with the projections that only training needs."""

    def __init__(self, student: Student, sentence_width: int, token_width: int) -> None:
        super().__init__()
        self.student = student
        hidden = student.shape.hidden
        self.sentence = nn.Linear(2 * hidden, sentence_width)
        self.token = nn.Linear(hidden, token_width)
        self._states: list[Tensor] = []
        student.norm.register_forward_hook(lambda module, inputs, output: self._states.append(output))

    def forward(self, ids: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return intent logits, tag scores, projected sentence states and projected token states."""
        intent, tag, _, pooled = self.student(ids, features, mask)
        return intent, tag, self.sentence(pooled), self.token(self._states.pop()[:, 1:])


def distill(
    student: Student,
    taught: Lessons,
    tags: Sequence[str],
    weights: Distillation,
    schedule: Schedule,
    checkpoint: Path,
    run: Accelerator,
) -> None:
    """Train ``student`` in place; continues after a kill."""
    soft = taught.soft
    apprentice = _Apprentice(student, soft.sentences.shape[1], soft.tokens.shape[1])
    student.transitions.requires_grad_(False)
    student.transitions.data.copy_(bio_transitions(tags))
    for parameter in student.language.parameters():
        parameter.requires_grad_(False)

    def batch_loss(wrapped: nn.Module, batch: list[int]) -> Tensor:
        ids, features, mask = _collate([taught.ids[i] for i in batch], student.shape.features)
        if weights.ngram_dropout:
            ids = ids * (torch.rand(ids.shape) >= weights.ngram_dropout)
        intent, tag, sentence, token = wrapped(ids.to(run.device), features.to(run.device), mask.to(run.device))
        width = tag.shape[1]
        inside = mask[:, 1:].to(run.device)
        flat = torch.cat([tag[row, : len(taught.ids[i]) - 1] for row, i in enumerate(batch)]).float()
        flat_states = token[inside].float()
        places = np.concatenate([np.arange(soft.offsets[i], soft.offsets[i] + len(taught.ids[i]) - 1) for i in batch])
        loss = weights.intent * soft_loss(intent.float(), _tensor(soft.intents[batch], run), weights.temperature)
        loss = loss + weights.tag * soft_loss(flat, _tensor(soft.tags[places], run), weights.temperature)
        if weights.hidden:
            loss = loss + weights.hidden * (
                _direction_loss(sentence.float(), _tensor(soft.sentences[batch], run))
                + _direction_loss(flat_states, _tensor(soft.tokens[places], run))
            )
        if weights.gold:
            loss = loss + weights.gold * _gold_loss(intent, tag, taught, batch, width, run)
        return loss

    lengths = [len(row) for row in taught.ids]
    train(apprentice, lengths, batch_loss, schedule, checkpoint, run, "student")
    student.eval()


def soft_loss(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence from the teacher's distribution at ``temperature``, times its square."""
    expected = functional.log_softmax(target / temperature, -1)
    actual = functional.log_softmax(logits / temperature, -1)
    return functional.kl_div(actual, expected, reduction="batchmean", log_target=True) * temperature**2


def _direction_loss(states: Tensor, target: Tensor) -> Tensor:
    return (1 - functional.cosine_similarity(states, target, dim=-1)).mean()


def _gold_loss(intent: Tensor, tag: Tensor, taught: Lessons, batch: list[int], width: int, run: Accelerator) -> Tensor:
    rows = [row for row, i in enumerate(batch) if taught.tags[i] is not None]
    if not rows:
        return intent.sum() * 0.0
    expected = torch.full((len(rows), width), IGNORED)
    for place, row in enumerate(rows):
        given = taught.tags[batch[row]]
        if given is not None:
            expected[place, : len(given)] = torch.from_numpy(given)
    intents = torch.from_numpy(taught.intents[batch])[rows].to(run.device)
    intent_loss = functional.cross_entropy(intent[rows].float(), intents)
    return intent_loss + 2 * functional.cross_entropy(
        tag[rows].float().flatten(0, 1), expected.flatten().to(run.device), ignore_index=IGNORED
    )


def _tensor(values: NDArray[np.float16], run: Accelerator) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(run.device)


def _collate(rows: Sequence[NDArray[np.int32]], features: int) -> tuple[Tensor, Tensor, Tensor]:
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width, MAX_NGRAMS), np.int64)
    mask = np.zeros((len(rows), width), bool)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = True
    return torch.from_numpy(ids), torch.zeros(len(rows), width, features), torch.from_numpy(mask)


def viterbi(scores: NDArray[np.float32], transitions: NDArray[np.float32]) -> list[int]:
    """Return the best tag sequence for ``scores`` [T, S] under ``transitions`` [S, S]."""
    total, back = scores[0].copy(), []
    for row in scores[1:]:
        paths = total[:, None] + transitions
        back.append(paths.argmax(0))
        total = paths.max(0) + row
    best = [int(total.argmax())]
    for pointers in reversed(back):
        best.append(int(pointers[best[-1]]))
    return best[::-1]


@torch.no_grad()
def predict(student: Student, texts: Sequence[str], intents: Sequence[str], tags: Sequence[str]) -> list[Prediction]:
    """Parse sentences with the float student."""
    student.eval()
    found: list[Prediction] = []
    start = bio_transitions(tags)[0].numpy()
    transitions = student.transitions.cpu().numpy()
    for text in texts:
        tokens = tokenize(text)[:MAX_TOKENS]
        ids, features, _ = _collate([encode(tokens, student.shape.buckets).astype(np.int32)], student.shape.features)
        intent, tag, *_ = student(ids, features)
        chance = intent[0].softmax(-1)
        slots: tuple[SlotSpan, ...] = ()
        if tokens:
            scores = tag[0].numpy().copy()
            scores[0] += start
            slots = tagged_spans(tokens, [tags[i] for i in viterbi(scores, transitions)])
        best = int(chance.argmax())
        found.append(Prediction(intents[best], slots, float(chance[best])))
    return found
