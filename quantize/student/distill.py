"""Distillation of a teacher into the student, on labelled, unlabelled and recombined sentences.

Soft targets at a temperature (Hinton et al. 2015) for intent and tags, the hidden states of sentence and tokens through
a projection (Jiao et al. 2020, "TinyBERT"), and the given labels where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from edge.nlu.decode import Decoder
from edge.nlu.matching import HomeIndex
from edge.nlu.tokens import MAX_NGRAMS, MAX_TOKENS, encode, tokenize
from edge.types import Home
from quantize.data.datasets import OUTSIDE, Utterance, tag_tokens, tagged_spans
from quantize.data.metrics import Prediction
from quantize.loop import Schedule, train
from quantize.recipe import Training
from quantize.student.network import Student
from quantize.teacher.train import IGNORED, SoftLabels

_NO_HOME = HomeIndex(Home())
_UNTOLD_SHARE = 0.5
_LOGIT_BATCH = 64


@dataclass(frozen=True)
class Distillation:
    """Weights of the parts of the loss, and the shares of n-grams and of whole words left out in training."""

    temperature: float = 2.0
    intent: float = 1.0
    tag: float = 2.0
    hidden: float = 1.0
    gold: float = 0.2
    language: float = 0.1
    ngram_dropout: float = 0.1
    word_dropout: float = 0.0


def weights_of(plan: Training) -> Distillation:
    """The parts of the loss as a recipe wants them."""
    if plan.distilled:
        parts = Distillation(intent=plan.intent_weight)
    else:
        parts = Distillation(intent=0.0, tag=0.0, hidden=0.0, gold=1.0)
    return replace(parts, ngram_dropout=plan.ngram_dropout, word_dropout=plan.word_dropout)


@dataclass(frozen=True)
class Input:
    """Student input of one sentence: n-gram ids [1 + T, K] and features [1 + T, F]."""

    ids: NDArray[np.int32]
    features: NDArray[np.float32]


def student_input(text: str, buckets: int, features: int, language: str | None) -> Input:
    """Encode a sentence the way the device does in a home without names."""
    tokens = tokenize(text)[:MAX_TOKENS]
    grid = np.zeros((1 + len(tokens), features), np.float32)
    grid[1:] = _NO_HOME.features(tokens, [])
    return Input(encode(tokens, buckets, language).astype(np.int32), grid)


@dataclass(frozen=True)
class Lessons:
    """Input and targets of N sentences; given labels are IGNORED (None) where nobody gave any.

    ``untold`` is the row that stands for the utterance when its language is not told.
    """

    inputs: list[Input]
    untold: int
    soft: SoftLabels
    languages: NDArray[np.int64]
    intents: NDArray[np.int64]
    tags: list[NDArray[np.int64] | None]


def lessons(
    soft: SoftLabels,
    sentence_languages: Sequence[str],
    labelled: Sequence[Utterance],
    intents: Sequence[str],
    tags: Sequence[str],
    student: Student,
) -> Lessons:
    """Encode every sentence of ``soft`` and attach the given labels of those in ``labelled``."""
    given = {utterance.text: utterance for utterance in labelled}
    intent_ids = {name: i for i, name in enumerate(intents)}
    tag_ids = {name: i for i, name in enumerate(tags)}
    names = sorted(set(sentence_languages))
    shape = student.shape
    gold = np.full(len(soft.texts), IGNORED, np.int64)
    gold_tags: list[NDArray[np.int64] | None] = []
    for row, text in enumerate(soft.texts):
        utterance = given.get(text)
        if utterance is None:
            gold_tags.append(None)
        else:
            gold[row] = intent_ids[utterance.intent]
            tokens = tokenize(text)[:MAX_TOKENS]
            gold_tags.append(np.array([tag_ids[tag] for tag in tag_tokens(tokens, utterance.slots)]))
    inputs = [
        student_input(text, shape.buckets, shape.features, language)
        for text, language in zip(soft.texts, sentence_languages, strict=True)
    ]
    spoken = np.array([names.index(language) for language in sentence_languages])
    return Lessons(inputs, int(encode([], shape.buckets)[0, 0]), soft, spoken, gold, gold_tags)


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

    def forward(self, ids: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return intent logits, tag scores, language logits, projected sentence states and projected token states."""
        intent, tag, language, pooled = self.student(ids, features, mask)
        return intent, tag[:, 1:], language, self.sentence(pooled), self.token(self._states.pop()[:, 1:])


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

    def batch_loss(wrapped: nn.Module, batch: list[int]) -> Tensor:
        rows = [taught.inputs[i] for i in batch]
        ids, features, mask = _collate(rows)
        ids[torch.rand(len(rows)) < _UNTOLD_SHARE, 0, 0] = taught.untold
        ids[:, 1:] *= torch.rand(ids[:, 1:].shape) >= weights.ngram_dropout
        if weights.word_dropout:
            ids[:, 1:] *= torch.rand((*ids[:, 1:].shape[:2], 1)) >= weights.word_dropout
        intent, tag, language, sentence, token = (
            output.float() for output in wrapped(ids.to(run.device), features.to(run.device), mask.to(run.device))
        )
        inside = mask[:, 1:].to(run.device)
        places = np.concatenate(
            [soft.offsets[i] + np.arange(len(row.ids) - 1) for i, row in zip(batch, rows, strict=True)]
        )
        loss = weights.intent * soft_loss(intent, _tensor(soft.intents[batch], run), weights.temperature)
        loss = loss + weights.tag * soft_loss(tag[inside], _tensor(soft.tags[places], run), weights.temperature)
        loss = loss + weights.hidden * (
            _direction_loss(sentence, _tensor(soft.sentences[batch], run))
            + _direction_loss(token[inside], _tensor(soft.tokens[places], run))
        )
        spoken = torch.from_numpy(taught.languages[batch]).to(run.device)
        loss = loss + weights.language * functional.cross_entropy(language, spoken)
        return loss + weights.gold * _gold_loss(intent, tag, taught, batch, run)

    train(
        apprentice,
        [len(row.ids) for row in taught.inputs],
        batch_loss,
        schedule,
        checkpoint,
        run,
        "student",
        is_head=lambda name: name.startswith("student.embedding."),
    )
    student.eval()


def soft_loss(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence from the teacher's distribution at ``temperature``, times its square."""
    expected = functional.log_softmax(target / temperature, -1)
    actual = functional.log_softmax(logits / temperature, -1)
    return functional.kl_div(actual, expected, reduction="batchmean", log_target=True) * temperature**2


def _direction_loss(states: Tensor, target: Tensor) -> Tensor:
    return (1 - functional.cosine_similarity(states, target, dim=-1)).mean()


def _gold_loss(intent: Tensor, tag: Tensor, taught: Lessons, batch: list[int], run: Accelerator) -> Tensor:
    rows = [row for row, i in enumerate(batch) if taught.tags[i] is not None]
    if not rows:
        return intent.sum() * 0.0
    expected = torch.full((len(rows), tag.shape[1]), IGNORED)
    for place, row in enumerate(rows):
        given = taught.tags[batch[row]]
        if given is not None:
            expected[place, : len(given)] = torch.from_numpy(given)
    intents = torch.from_numpy(taught.intents[batch])[rows].to(run.device)
    intent_loss = functional.cross_entropy(intent[rows], intents)
    return intent_loss + 2 * functional.cross_entropy(
        tag[rows].flatten(0, 1), expected.flatten().to(run.device), ignore_index=IGNORED
    )


def _tensor(values: NDArray[np.float16], run: Accelerator) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(run.device)


def _collate(rows: Sequence[Input]) -> tuple[Tensor, Tensor, Tensor]:
    width = max(len(row.ids) for row in rows)
    ids = np.zeros((len(rows), width, MAX_NGRAMS), np.int64)
    features = np.zeros((len(rows), width, rows[0].features.shape[1]), np.float32)
    mask = np.zeros((len(rows), width), bool)
    for place, row in enumerate(rows):
        length = len(row.ids)
        ids[place, :length], features[place, :length], mask[place, :length] = row.ids, row.features, True
    return torch.from_numpy(ids), torch.from_numpy(features), torch.from_numpy(mask)


@torch.no_grad()
def intent_logits(student: Student, texts: Sequence[str]) -> NDArray[np.float32]:
    """What the float student says of the intents of N sentences [N, I], whose language it is not told."""
    student.eval()
    shape = student.shape
    batches = (texts[start : start + _LOGIT_BATCH] for start in range(0, len(texts), _LOGIT_BATCH))
    collated = (_collate([student_input(t, shape.buckets, shape.features, None) for t in some]) for some in batches)
    return torch.cat([student(*batch)[0] for batch in collated]).numpy()


@torch.no_grad()
def predict(
    student: Student,
    texts: Sequence[str],
    intents: Sequence[str],
    tags: Sequence[str],
    language: str | None = None,
) -> list[Prediction]:
    """Parse sentences with the float student and the device's decoder; every intent may have every slot.

    Allowing only the slots seen with an intent lets the tags overrule it. That costs 0.4 points of intent accuracy on
    SLURP's dev part and wins nothing in slots.
    """
    student.eval()
    slots = [tag[2:] for tag in tags if tag.startswith("B-")]
    decoder = Decoder(slots, student.transitions.tolist(), [slots] * len(intents), 1.0)
    found: list[Prediction] = []
    for text in texts:
        tokens = tokenize(text)[:MAX_TOKENS]
        ids, features, _ = _collate([student_input(text, student.shape.buckets, student.shape.features, language)])
        intent, tag, *_ = student(ids, features)
        best = decoder.decode(decoder.frame_log_probabilities(intent[0].numpy()), tag[0, 1:].numpy())[0]
        names = [OUTSIDE] * len(tokens)
        for span in best.spans:
            names[span.first : span.last] = [f"B-{span.slot}"] + [f"I-{span.slot}"] * (span.last - span.first - 1)
        found.append(Prediction(intents[best.frame], tagged_spans(tokens, names)))
    return found
