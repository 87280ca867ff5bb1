"""The training loop of everything that is trained: several processes, checkpoints, resume, progress with ETA.

Every step seeds its own random generator and every epoch its own order. So a resumed run continues exactly where a
killed one stopped. Only weights, optimizer and position have to be stored.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from edge.errors import ConfigError
from edge.files import whole_file

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")
BatchLoss = Callable[[nn.Module, list[int]], Tensor]
"""``(model, indices of the batch) -> loss``."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train; the learning rate follows one cycle (Smith & Topin 2018)."""

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    average_decay: float = 0.0
    """Decay per step of the moving average of the weights that is returned in place of the last ones; 0 for none."""
    checkpoint_steps: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Optimization:
    """An optimizer, the schedule that moves on with every step, and the parameters whose gradients are clipped to 1."""

    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    clipped: list[nn.Parameter]


def accelerator(half: bool = True) -> Accelerator:
    """One process or many, as ``accelerate launch`` set it up; ``half``: bf16 where the processor multiplies it."""
    native = half and (torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported())
    return Accelerator(mixed_precision="bf16" if native else "no", cpu=not torch.cuda.is_available())


def bucketed_batches(lengths: Sequence[int], batch_size: int, seed: int) -> list[list[int]]:
    """Return shuffled batches of indices whose items have about the same length, so that little is padded."""
    order, generator = list(range(len(lengths))), random.Random(seed)
    generator.shuffle(order)
    batches: list[list[int]] = []
    for start in range(0, len(order), batch_size * 50):
        pool = sorted(order[start : start + batch_size * 50], key=lambda i: lengths[i])
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    generator.shuffle(batches)
    return batches


class Progress:
    """A log line with share done, loss and time left, every ``every_s`` seconds and at the end."""

    def __init__(self, label: str, total: int, done: int = 0, unit: str = "steps", every_s: float = 15.0) -> None:
        self._label, self._total, self._first, self._unit, self._every_s = label, total, done, unit, every_s
        self._start = self._last = time.monotonic()

    def show(self, done: int, loss: Tensor | None = None) -> None:
        """Report when it is time."""
        now = time.monotonic()
        if now - self._last < self._every_s and done < self._total:
            return
        self._last = now
        left_s = (now - self._start) / (done - self._first) * (self._total - done)
        learned = "" if loss is None else f", loss {loss:.3f}"
        log.info("%s: %d/%d %s%s, %.1f min left", self._label, done, self._total, self._unit, learned, left_s / 60)


def train(
    model: nn.Module,
    lengths: Sequence[int],
    batch_loss: BatchLoss,
    schedule: Schedule,
    checkpoint: Path,
    run: Accelerator,
    label: str,
    is_head: Callable[[str], bool] = lambda name: False,
) -> dict[str, Tensor]:
    """Train the parameters of ``model`` that require gradients.

    Args:
        model: left with the final weights, on the accelerator's device.
        lengths: of every training item, in tokens.
        batch_loss: called with the (wrapped) model inside autocast.
        schedule: see there.
        checkpoint: file for the state; one of the same run is continued.
        run: from accelerator().
        label: names the stage in progress lines and in the checkpoint.
        is_head: whether the parameter of this name learns with the head's rate.

    Returns:
        The trained parameters by name: the last ones, or their moving average where the schedule asks for it.

    Raises:
        ConfigError: when the checkpoint belongs to another run.
    """
    optimizer, rates = _optimizer(model, schedule, is_head)
    share = -(-len(bucketed_batches(lengths, schedule.batch_size, 0)) // run.num_processes)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=schedule.epochs * share + 1, pct_start=schedule.warm_up, cycle_momentum=False
    )

    def epoch(number: int) -> list[list[int]]:
        batches = bucketed_batches(lengths, schedule.batch_size, schedule.seed * 1000 + number)
        return [batches[(step * run.num_processes + run.process_index) % len(batches)] for step in range(share)]

    key = f"{label}: {len(lengths)} items, {run.num_processes} processes, {schedule}"
    optimization = Optimization(optimizer, scheduler, list(model.parameters()))
    return train_epochs(model, epoch, share, batch_loss, optimization, schedule, checkpoint, run, key)


def train_epochs(
    model: nn.Module,
    epoch: Callable[[int], Sequence[Batch]],
    share: int,
    batch_loss: Callable[[nn.Module, Batch], Tensor],
    optimization: Optimization,
    schedule: Schedule,
    checkpoint: Path,
    run: Accelerator,
    key: str,
) -> dict[str, Tensor]:
    """Train on epochs that may be drawn anew each time.

    Args:
        model: left with the final weights, on the accelerator's device.
        epoch: the batches of an epoch for this process; called again with the same number when a run is continued.
        share: how many of them each process takes; where there are fewer, it begins again with the first.
        batch_loss: called with the (wrapped) model inside autocast.
        optimization: of ``model``, for ``schedule.epochs`` times ``share`` steps.
        schedule: epochs, average, checkpoints and seed.
        checkpoint: file for the state; one of the same run is continued.
        run: from accelerator().
        key: names the run in its checkpoint; up to the first colon, the stage in progress lines.

    Returns:
        The trained parameters by name, as ``train`` does.

    Raises:
        ConfigError: when the checkpoint belongs to another run.
    """
    label, total = key.partition(":")[0], schedule.epochs * share
    model, optimizer = run.prepare(model, optimization.optimizer)
    scheduler = optimization.scheduler
    bare = run.unwrap_model(model)
    trained = {name: value for name, value in bare.named_parameters() if value.requires_grad}
    step, average = 0, {name: value.detach().clone() for name, value in trained.items()}
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location=run.device, weights_only=True)
        if (other := state.get("key")) != key:
            raise ConfigError(f"{checkpoint}: belongs to another run ({other}); delete it or use another --out")
        bare.load_state_dict(state["model"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        step, average = state["step"], state["average"]
        log.info("%s: continued at step %d of %d", label, step, total)
    progress = Progress(label, total, step)
    batches: Sequence[Batch] = []
    model.train()
    while step < total:
        number, place = divmod(step, share)
        if not batches or place == 0:
            batches = epoch(number)
        torch.manual_seed((schedule.seed * 1_000_003 + step) * 64 + run.process_index)
        with run.autocast():
            loss = batch_loss(model, batches[place % len(batches)])
        run.backward(loss)
        run.clip_grad_norm_(optimization.clipped, 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        step += 1
        _average(average, trained, min(schedule.average_decay, step / (step + 10)))
        if run.is_main_process:
            progress.show(step, loss.detach())
            if step % schedule.checkpoint_steps == 0 or step == total:
                state = {
                    "key": key,
                    "model": {name: value.detach() for name, value in trained.items()},
                    "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict(),
                    "step": step,
                    "average": average,
                }
                write_whole(checkpoint, partial(torch.save, state))
    run.wait_for_everyone()
    bare.load_state_dict(average, strict=False)
    return {name: value.cpu() for name, value in average.items()}


def _optimizer(
    model: nn.Module, schedule: Schedule, is_head: Callable[[str], bool]
) -> tuple[torch.optim.Optimizer, list[float]]:
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = schedule.head_learning_rate if is_head(name) else schedule.learning_rate
            decay = schedule.weight_decay if parameter.dim() > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    parts: list[dict[str, Any]] = [
        {"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()
    ]
    return torch.optim.AdamW(parts, fused=True), [part["lr"] for part in parts]


@torch.no_grad()
def _average(average: dict[str, Tensor], trained: dict[str, nn.Parameter], decay: float) -> None:
    for name, value in trained.items():
        average[name].lerp_(value.detach(), 1 - decay)


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a large file whole or not at all: a kill leaves the one before, or none.

    Raises:
        ConfigError: the disk is full or the folder cannot be written.
    """
    try:
        with whole_file(path) as stream:
            write(stream)
    except RuntimeError as error:  # torch reports a failed write as a RuntimeError
        raise ConfigError(f"cannot write {path}: {error}; free some space or choose another --out") from error
