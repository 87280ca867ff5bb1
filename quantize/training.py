"""One training loop for every student: redrawn epochs, one-cycle schedule, checkpoints, resume, progress with ETA."""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edge.nlu.tokens import MAX_NGRAMS
from quantize.home import Example
from quantize.student import Student, crf_loss

_AVERAGE_EVERY = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast. ``keep`` is the decay of the weight average that is kept as the result."""

    epochs: int
    batch: int = 256
    rate: float = 3e-3
    embedding_rate: float = 1e-2
    weight_decay: float = 0.01
    keep: float = 0.999
    seed: int = 1


@dataclass
class Batch:
    """Padded tensors: ids [B, 1+T, K], features [B, 1+T, F], mask [B, 1+T], frame [B], tags [B, T], language [B]."""

    ids: Tensor
    features: Tensor
    mask: Tensor
    frame: Tensor
    tags: Tensor
    language: Tensor


def collate(examples: Sequence[Example]) -> Batch:
    """Pad to the longest."""
    size, length = len(examples), max(len(e.ids) for e in examples)
    ids = np.zeros((size, length, MAX_NGRAMS), np.int64)
    features = np.zeros((size, length, examples[0].features.shape[1]), np.float32)
    mask = np.zeros((size, length), bool)
    tags = np.zeros((size, length - 1), np.int64)
    for i, example in enumerate(examples):
        n = len(example.ids)
        ids[i, :n], features[i, :n], mask[i, :n], tags[i, : n - 1] = example.ids, example.features, True, example.tags
    return Batch(
        torch.from_numpy(ids), torch.from_numpy(features), torch.from_numpy(mask),
        torch.tensor([e.frame for e in examples]), torch.from_numpy(tags), torch.tensor([e.language for e in examples]),
    )  # fmt: skip


def batches(examples: list[Example], size: int, rng: random.Random) -> Iterator[Batch]:
    """Shuffled batches of sentences of like length."""
    rng.shuffle(examples)
    pool = size * 30
    for start in range(0, len(examples), pool):
        part = sorted(examples[start : start + pool], key=lambda e: len(e.ids))
        chunks = [part[i : i + size] for i in range(0, len(part), size)]
        rng.shuffle(chunks)
        yield from map(collate, chunks)


def student_loss(student: Student, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy of frame and language plus the CRF's loss over tags."""
    frames, tags, languages, _ = student(batch.ids, batch.features, batch.mask)
    frame = F.cross_entropy(frames, batch.frame, label_smoothing=0.02)
    language = F.cross_entropy(languages, batch.language)
    tagging = crf_loss(tags[:, 1:], student.transitions, batch.tags, batch.mask[:, 1:].to(torch.float32))
    right = (frames.argmax(-1) == batch.frame).float().mean()
    return frame + 3.0 * tagging + 0.1 * language, {
        "frame": frame.item(), "tags": tagging.item(), "language": language.item(), "accuracy": right.item(),
    }  # fmt: skip


def train(
    student: Student,
    plan: TrainingPlan,
    epoch: Callable[[int, random.Random], Iterator[Batch]],
    steps: int,
    folder: Path,
) -> Student:
    """Train for ``plan.epochs`` of about ``steps`` batches; a killed run goes on after its last finished epoch."""
    table = [p for n, p in student.named_parameters() if n.startswith("embedding")]
    rest = [p for n, p in student.named_parameters() if not n.startswith("embedding")]
    optimizer = torch.optim.AdamW(
        [{"params": table, "lr": plan.embedding_rate, "weight_decay": 0.0}, {"params": rest, "lr": plan.rate}],
        weight_decay=plan.weight_decay, betas=(0.9, 0.98),
    )  # fmt: skip
    total = plan.epochs * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _one_cycle(step, total))
    average = {name: value.clone() for name, value in student.state_dict().items()}
    first = 0
    path = folder / "checkpoint.pt"
    if path.exists():
        state = torch.load(path, weights_only=True)
        student.load_state_dict(state["student"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        average, first = state["average"], state["epoch"]
        log.info("resumed after epoch %d", first)
    began = time.monotonic()
    for number in range(first, plan.epochs):
        torch.manual_seed(plan.seed * 1000 + number)
        student.train()
        sums: dict[str, float] = {}
        count = 0
        for batch in epoch(number, random.Random(plan.seed * 1000 + number)):
            loss, parts = student_loss(student, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(rest, 1.0)
            optimizer.step()
            schedule.step()
            count += 1
            if count % _AVERAGE_EVERY == 0:
                seen = number * steps + count
                keep = min(plan.keep**_AVERAGE_EVERY, seen / (seen + 10 * _AVERAGE_EVERY))
                for name, value in student.state_dict().items():
                    average[name].lerp_(value, 1.0 - keep)
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + part
        done = number + 1
        eta = (time.monotonic() - began) / (done - first) * (plan.epochs - done)
        figures = " ".join(f"{name} {value / count:.3f}" for name, value in sums.items())
        log.info("epoch %d/%d: %s, %d min left", done, plan.epochs, figures, math.ceil(eta / 60))
        save(path, {
            "student": student.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
            "average": average, "epoch": done,
        })  # fmt: skip
    student.load_state_dict(average)
    return student.eval()


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint so that a kill leaves the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def _one_cycle(step: int, total: int) -> float:
    warm = max(1, total // 20)
    if step < warm:
        return step / warm
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, total - warm)))) + 1e-3
