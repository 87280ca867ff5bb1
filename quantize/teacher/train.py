"""The teacher: a large encoder with an intent head and a slot head, and the soft labels it gives the student."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from edge.errors import ConfigError
from edge.nlu.tokens import tokenize
from quantize.data.datasets import Utterance, label_names, tag_tokens, tagged_spans
from quantize.data.metrics import Prediction
from quantize.loop import Progress, Schedule, train, write_whole
from quantize.teacher.encoders import load_encoder

IGNORED = -100
_SLOT_WEIGHT = 2.0
_SMOOTHING = 0.05


@dataclass(frozen=True)
class Pieces:
    """A sentence for the encoder: sub-word ``ids`` and the place of each token's first sub-word in them."""

    ids: list[int]
    firsts: list[int]


def cut(tokenizer: PreTrainedTokenizerFast, text: str) -> Pieces:
    """Cut ``text`` into sub-words and find the one that covers the start of each of our tokens."""
    encoding = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=128)
    ids, offsets = encoding["input_ids"], encoding["offset_mapping"]
    firsts, place = [], 0
    for token in tokenize(text):
        while place + 1 < len(ids) and offsets[place][1] <= token.start:
            place += 1
        firsts.append(place)
    return Pieces(ids, firsts)


def padded(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Return int64 [B, T] with the short rows filled up with ``value``."""
    width = max(1, *(len(row) for row in rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])


class Teacher(nn.Module):
    """Encoder, intent head on the first and the mean state, tag head on the first sub-word of each token."""

    def __init__(self, encoder: Any, intents: int, tags: int) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.intent = nn.Linear(2 * width, intents)
        self.tag = nn.Linear(width, tags)
        encoder.get_input_embeddings().weight.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor, firsts: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return intent logits [B, I], tag logits [B, T, S], sentence states [B, 2C] and token states [B, T, C]."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[..., None].to(states.dtype)
        sentence = torch.cat([states[:, 0], (states * weights).sum(1) / weights.sum(1)], -1)
        tokens = states.gather(1, firsts[..., None].expand(-1, -1, states.shape[-1]))
        return self.intent(self.dropout(sentence)), self.tag(self.dropout(tokens)), sentence, tokens


@dataclass(frozen=True)
class TrainedTeacher:
    """A teacher with its tokenizer and the names of its labels."""

    model: Teacher
    tokenizer: PreTrainedTokenizerFast
    intents: list[str]
    tags: list[str]


def _collate(rows: Sequence[Pieces], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    ids = padded([row.ids for row in rows], pad_id)
    mask = padded([[1] * len(row.ids) for row in rows], 0)
    return ids.to(device), mask.to(device), padded([row.firsts for row in rows], 0).to(device)


def train_teacher(
    encoder_name: str,
    utterances: Sequence[Utterance],
    schedule: Schedule,
    checkpoint: Path,
    run: Accelerator,
    adapted: dict[str, Tensor] | None = None,
) -> TrainedTeacher:
    """Fine-tune an encoder on labelled utterances; continues after a kill and returns at once when already trained.

    Args:
        encoder_name: path or id, see load_encoder.
        utterances: the training set; its labels become the teacher's.
        schedule: of the fine-tuning.
        checkpoint: file for the state and the finished weights.
        run: from quantize.loop.accelerator().
        adapted: encoder weights from masked-language-model adaptation.
    """
    torch.manual_seed(schedule.seed)
    encoder, tokenizer = load_encoder(encoder_name)
    if adapted:
        encoder.load_state_dict(adapted, strict=False)
    intents, tags = label_names(utterances)
    model = Teacher(encoder, len(intents), len(tags))
    rows = [cut(tokenizer, utterance.text) for utterance in utterances]
    intent_ids = {name: i for i, name in enumerate(intents)}
    tag_ids = {name: i for i, name in enumerate(tags)}
    gold_intents = [intent_ids[utterance.intent] for utterance in utterances]
    gold_tags = [
        [tag_ids[tag] for tag in tag_tokens(tokenize(utterance.text), utterance.slots)] for utterance in utterances
    ]

    def batch_loss(wrapped: nn.Module, batch: list[int]) -> Tensor:
        inputs = _collate([rows[i] for i in batch], tokenizer.pad_token_id, run.device)
        intent_logits, tag_logits, *_ = wrapped(*inputs)
        expected = torch.tensor([gold_intents[i] for i in batch], device=run.device)
        expected_tags = padded([gold_tags[i] for i in batch], IGNORED).to(run.device)
        intent_loss = functional.cross_entropy(intent_logits.float(), expected, label_smoothing=_SMOOTHING)
        tag_loss = functional.cross_entropy(
            tag_logits.float().flatten(0, 1),
            expected_tags.flatten(),
            label_smoothing=_SMOOTHING / 2,
            ignore_index=IGNORED,
        )
        return intent_loss + _SLOT_WEIGHT * tag_loss

    train(
        model,
        [len(row.ids) for row in rows],
        batch_loss,
        schedule,
        checkpoint,
        run,
        "teacher",
        is_head=lambda name: not name.startswith("encoder."),
    )
    return TrainedTeacher(model.eval(), tokenizer, intents, tags)


@dataclass(frozen=True)
class SoftLabels:
    """What the teacher says about N sentences with M tokens in all.

    ``intents`` [N, I] and ``tags`` [M, S] are logits, ``sentences`` [N, 2C] and ``tokens`` [M, C] hidden states, all
    float16; ``offsets`` [N + 1] is where each sentence's tokens begin.
    """

    texts: list[str]
    intents: NDArray[np.float16]
    tags: NDArray[np.float16]
    sentences: NDArray[np.float16]
    tokens: NDArray[np.float16]
    offsets: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write an .npz file, whole or not at all."""
        arrays = {name: value for name, value in vars(self).items() if name != "texts"}
        write_whole(path, lambda stream: np.savez(stream, texts=np.array(self.texts), **arrays))

    @classmethod
    def load(cls, path: Path) -> SoftLabels:
        """Read what save wrote, or raise ConfigError."""
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
            return cls(texts=[str(text) for text in arrays.pop("texts")], **arrays)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"{path}: not a file of soft labels ({error}); delete it and build again") from error


@torch.no_grad()
def soft_labels(teacher: TrainedTeacher, texts: Sequence[str], run: Accelerator, batch_size: int = 64) -> SoftLabels:
    """Label sentences with the teacher, in batches of similar length."""
    rows = [cut(teacher.tokenizer, text) for text in texts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    parts: list[tuple[NDArray[np.float16], ...]] = [()] * len(rows)
    model = teacher.model.to(run.device).eval()
    progress = Progress("labelling", len(rows), unit="sentences")
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        with run.autocast():
            outputs = model(*_collate([rows[i] for i in batch], teacher.tokenizer.pad_token_id, run.device))
        arrays = [output.float().cpu().numpy().astype(np.float16) for output in outputs]
        for place, i in enumerate(batch):
            count = len(rows[i].firsts)
            parts[i] = (arrays[0][place], arrays[1][place, :count], arrays[2][place], arrays[3][place, :count])
        if start + batch_size < len(order):
            progress.show(start + batch_size)
    offsets = np.cumsum([0, *(len(row.firsts) for row in rows)])
    intents, tags, sentences, tokens = zip(*parts, strict=True)
    return SoftLabels(
        list(texts), np.stack(intents), np.concatenate(tags), np.stack(sentences), np.concatenate(tokens), offsets
    )


def averaged(members: Iterable[SoftLabels]) -> SoftLabels:
    """Mean logits of several teachers (Hinton et al. 2015, §3) on the same sentences; hidden states of the first."""
    rest = iter(members)
    first = next(rest)
    intents, tags, count = first.intents.astype(np.float32), first.tags.astype(np.float32), 1
    for other in rest:
        intents += other.intents
        tags += other.tags
        count += 1
        del other  # gigabytes, while the next member makes its own
    return replace(first, intents=(intents / count).astype(np.float16), tags=(tags / count).astype(np.float16))


def predictions(soft: SoftLabels, intents: Sequence[str], tags: Sequence[str]) -> list[Prediction]:
    """The likeliest intent and tags of each sentence."""
    found = []
    for i, text in enumerate(soft.texts):
        best = soft.tags[soft.offsets[i] : soft.offsets[i + 1]].argmax(1)
        spans = tagged_spans(tokenize(text), [tags[tag] for tag in best])
        found.append(Prediction(intents[int(soft.intents[i].argmax())], spans))
    return found
