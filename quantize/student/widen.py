"""Teaches a finished student new frames and slots without its forgetting the old ones.

Its heads get rows for what is new. New sentences are learned from their labels, old ones from what the student said
before it was widened ("Learning without Forgetting", Li & Hoiem 2016).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from quantize.loop import Schedule, train_epochs
from quantize.student.examples import Example
from quantize.student.network import Student
from quantize.student.train import Learner, batches, collate, optimization

Lesson = tuple[list[Example], list[Example]]
"""Old sentences and new ones of one step."""
_UNHEARD_OF = -12.0
"""Logit of what the student did not know, below the least that it did know."""


def widened(student: Student, frames: int, tags: int) -> Student:
    """A student with this number of frames and tags, the old ones first, that says what ``student`` says.

    Args:
        student: left as it is.
        frames: at least as many as it has.
        tags: likewise.
    """
    wide = Student(replace(student.shape, frames=frames, tags=tags))
    state = wide.state_dict()
    for name, old in student.state_dict().items():
        new = state[name]
        if new.shape == old.shape:
            new.copy_(old)
            continue
        new.fill_(old.min().item() - 1.0 if name.endswith("bias") else 0.0)
        new[tuple(slice(size) for size in old.shape)] = old
    wide.load_state_dict(state)
    return wide


class Retention(nn.Module):
    """The widened student with the loss of both kinds of sentences."""

    def __init__(self, student: Student, before: Student) -> None:
        super().__init__()
        self.learner = Learner(student)
        self.before = copy.deepcopy(before).requires_grad_(False)

    def forward(self, old: tuple[Tensor, ...], new: tuple[Tensor, ...]) -> Tensor:
        """Loss of two batches of ``collate``."""
        ids, features, mask = old[:3]
        with torch.no_grad():
            frames, tags, languages, _ = self.before(ids, features, mask)
        now_frames, now_tags, now_languages, _ = self.learner.student(ids, features, mask)
        kept = _divergence(now_frames, frames) + 0.1 * _divergence(now_languages, languages)
        words = mask[:, 1:]
        kept = kept + 3.0 * _divergence(now_tags[:, 1:][words], tags[:, 1:][words])
        learned: Tensor = self.learner(*new)
        return kept + learned


def _divergence(now: Tensor, before: Tensor) -> Tensor:
    """Mean cross-entropy of [N, C] logits against the probabilities of [N, at most C] logits."""
    missing = now.shape[1] - before.shape[1]
    if missing:
        floor = before.amin(1, keepdim=True) + _UNHEARD_OF
        before = torch.cat([before, floor.expand(-1, missing)], 1)
    return F.cross_entropy(now, before.softmax(1))


def train_widened(
    before: Student,
    frames: int,
    tags: int,
    epoch: Callable[[random.Random], Lesson],
    schedule: Schedule,
    new_batch: int,
    share: int,
    checkpoint: Path,
    run: Accelerator,
) -> Student:
    """Train the widened student; a killed run goes on where its checkpoint was written.

    Args:
        before: the student as it was.
        frames: frames of the new one.
        tags: tags of the new one.
        epoch: draws old and new sentences of an epoch.
        schedule: ``batch_size`` is that of old sentences, ``head_learning_rate`` that of the n-gram table.
        new_batch: new sentences of a step.
        share: steps of an epoch.
        checkpoint: file for the state.
        run: from quantize.loop.accelerator(half=False).
    """
    student = widened(before, frames, tags)
    known = before.shape.tags
    student.transitions.register_hook(lambda gradient: _new_only(gradient, known))

    def drawn(number: int) -> list[Lesson]:
        rng = random.Random(schedule.seed * 1000 + number)
        old, new = epoch(rng)
        return list(zip(batches(old, schedule.batch_size, rng), batches(new, new_batch, rng), strict=False))

    def batch_loss(model: nn.Module, lesson: Lesson) -> Tensor:
        loss: Tensor = model(collate(lesson[0]), collate(lesson[1]))
        return loss

    key = f"new commands: {share} batches, {schedule}"
    steps = optimization(student, schedule, schedule.epochs * share)
    train_epochs(Retention(student, before), drawn, share, batch_loss, steps, schedule, checkpoint, run, key)
    return student.eval()


def _new_only(gradient: Tensor, known: int) -> Tensor:
    """The gradient of transitions without that of transitions among old tags."""
    gradient = gradient.clone()
    gradient[:known, :known] = 0.0
    return gradient
