"""Trains the ``home`` student: every epoch is drawn anew, and what is learned is tags as a sequence."""

from __future__ import annotations

import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from edge.errors import ConfigError
from edge.nlu.tokens import MAX_NGRAMS
from quantize.loop import Optimization, Schedule, train_epochs
from quantize.student.examples import Example
from quantize.student.network import Student, crf_loss

Arrays: TypeAlias = tuple[NDArray[np.generic], ...]


class Learner(nn.Module):
    """The student with its loss: cross-entropy of frame and language plus the CRF's loss over tags."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(
        self, ids: Tensor, features: Tensor, mask: Tensor, frame: Tensor, tags: Tensor, language: Tensor
    ) -> Tensor:
        """Loss of a batch of ``collate``."""
        frames, scores, languages, _ = self.student(ids, features, mask)
        tagging = crf_loss(scores[:, 1:], self.student.transitions, tags, mask[:, 1:].to(torch.float32))
        loss = F.cross_entropy(frames, frame, label_smoothing=0.02) + 1.5 * tagging
        return loss + 0.1 * F.cross_entropy(languages, language)


def collate(examples: Sequence[Example]) -> tuple[Tensor, ...]:
    """Ids [B, 1+T, K], features [B, 1+T, F], mask [B, 1+T], frame [B], tags [B, T], language [B]; the short padded."""
    return tuple(map(torch.from_numpy, _padded(examples)))


def _padded(examples: Sequence[Example]) -> Arrays:
    size, length = len(examples), max(len(e.ids) for e in examples)
    ids = np.zeros((size, length, MAX_NGRAMS), np.int64)
    features = np.zeros((size, length, examples[0].features.shape[1]), np.float32)
    mask = np.zeros((size, length), bool)
    tags = np.zeros((size, length - 1), np.int64)
    for i, example in enumerate(examples):
        n = len(example.ids)
        ids[i, :n], features[i, :n], mask[i, :n], tags[i, : n - 1] = example.ids, example.features, True, example.tags
    frames, languages = (np.array([getattr(e, name) for e in examples], np.int64) for name in ("frame", "language"))
    return ids, features, mask, frames, tags, languages


def batches(examples: list[Example], size: int, rng: random.Random) -> list[list[Example]]:
    """Shuffled batches of sentences of like length."""
    rng.shuffle(examples)
    pool = size * 30
    found: list[list[Example]] = []
    for start in range(0, len(examples), pool):
        part = sorted(examples[start : start + pool], key=lambda e: len(e.ids))
        chunks = [part[i : i + size] for i in range(0, len(part), size)]
        rng.shuffle(chunks)
        found += chunks
    return found


class Epochs(Dataset[list[Arrays]]):
    """The batches of each epoch, drawn with a seed of its own."""

    def __init__(
        self, draw: Callable[[random.Random], list[Example]], batch_size: int, seed: Callable[[int], int]
    ) -> None:
        self._draw, self._batch_size, self._seed = draw, batch_size, seed

    def __getitem__(self, number: int) -> list[Arrays]:
        rng = random.Random(self._seed(number))
        return [_padded(batch) for batch in batches(self._draw(rng), self._batch_size, rng)]

    def ahead(self, first: int, end: int) -> Iterator[list[Arrays]]:
        """Epochs ``first`` to ``end``, each drawn by another process while the one before is trained on."""
        return iter(
            DataLoader(
                self,
                batch_size=None,
                sampler=range(first, end),
                num_workers=1,
                prefetch_factor=1,
                collate_fn=_as_is,
                worker_init_fn=_end_with_parent,
            )
        )


def _as_is(drawn: list[Arrays]) -> list[Arrays]:
    return drawn


def _end_with_parent(_: int) -> None:
    """A worker that has drawn for a killed trainer would wait for ever to hand it over."""
    trainer = os.getppid()

    def watch() -> None:
        while os.getppid() == trainer:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def train_student(
    student: Student,
    epoch: Callable[[random.Random], list[Example]],
    share: int,
    schedule: Schedule,
    checkpoint: Path,
    run: Accelerator,
) -> Student:
    """Train on sentences drawn anew for each epoch; continues a killed run exactly where its checkpoint was written.

    Args:
        student: trained in place.
        epoch: draws the sentences of one epoch for one process.
        share: batches of an epoch that each process takes.
        schedule: ``head_learning_rate`` is that of the n-gram table.
        checkpoint: file for the state.
        run: from quantize.loop.accelerator(half=False).

    Raises:
        ConfigError: the checkpoint belongs to another run, or the process that draws was ended.
    """

    def seed(number: int) -> int:
        return int((schedule.seed * 1000 + number) * run.num_processes + run.process_index)

    epochs = Epochs(epoch, schedule.batch_size, seed)
    coming: Iterator[list[Arrays]] | None = None

    def drawn(number: int) -> list[Arrays]:
        nonlocal coming
        if coming is None:
            coming = epochs.ahead(number, schedule.epochs)
        return next(coming)

    def batch_loss(learner: nn.Module, arrays: Arrays) -> Tensor:
        loss: Tensor = learner(*(torch.from_numpy(array).to(run.device) for array in arrays))
        return loss

    key = f"student: {share} batches, {run.num_processes} processes, {schedule}"
    steps = optimization(student, schedule, schedule.epochs * share)
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))  # one core draws
    try:
        train_epochs(Learner(student), drawn, share, batch_loss, steps, schedule, checkpoint, run, key)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ConfigError(
            "the process that draws sentences was ended, perhaps for want of memory (it takes as much as this one); "
            "start the command again to go on where it stopped"
        ) from error
    finally:
        torch.set_num_threads(threads)
    return student.eval()


def optimization(student: Student, schedule: Schedule, steps: int) -> Optimization:
    """AdamW with a rate of its own for the n-gram table, which is neither decayed nor clipped; one cycle of cosine."""
    table = [p for n, p in student.named_parameters() if n.startswith("embedding")]
    rest = [p for n, p in student.named_parameters() if not n.startswith("embedding")]
    optimizer = torch.optim.AdamW(
        [
            {"params": table, "lr": schedule.head_learning_rate, "weight_decay": 0.0},
            {"params": rest, "lr": schedule.learning_rate},
        ],
        weight_decay=schedule.weight_decay, betas=(0.9, 0.98), fused=True,
    )  # fmt: skip
    warm = max(1, round(steps * schedule.warm_up))
    return Optimization(
        optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _one_cycle(step, warm, steps)), rest
    )


def _one_cycle(step: int, warm: int, total: int) -> float:
    if step < warm:
        return step / warm
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, total - warm)))) + 1e-3
