from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from edge.errors import ConfigError
from quantize.loop import Schedule, accelerator, bucketed_batches, train, write_whole

CHECKOUT = Path(__file__).parents[2]

SCRIPT = """
import sys, time
from pathlib import Path
import torch
from torch import nn
from quantize.loop import Schedule, accelerator, train

folder, pause_s = Path(sys.argv[1]), float(sys.argv[2])
run = accelerator()
data = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 1))

def loss(wrapped, batch):
    time.sleep(pause_s)
    return (wrapped(data[batch]).float().squeeze(1) - data[batch].sum(1)).pow(2).mean()

schedule = Schedule(6, batch_size=4, learning_rate=1e-2, average_decay=0.5, checkpoint_steps=5)
weights = train(model, [1] * 64, loss, schedule, folder / "run.pt", run, "toy")
torch.save(weights, folder / f"weights-{run.process_index}-{run.num_processes}.pt")
"""


def start(folder: Path, pause_s: float = 0.0, processes: int = 1) -> subprocess.Popen[bytes]:
    """Run SCRIPT, in several processes over gloo when asked to."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return subprocess.Popen(
        [sys.executable, *(launcher if processes > 1 else []), str(script), str(folder), str(pause_s)],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
    )


def weights(folder: Path, process: int = 0, processes: int = 1) -> dict[str, torch.Tensor]:
    return torch.load(folder / f"weights-{process}-{processes}.pt", weights_only=True)


def test_killed_run_continues_to_the_same_weights(tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    straight.mkdir()
    killed.mkdir()
    assert start(straight).wait(120) == 0
    process = start(killed, pause_s=0.1)
    deadline = time.monotonic() + 120
    while not (killed / "run.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert not (killed / "weights-0-1.pt").exists()
    assert 0 < torch.load(killed / "run.pt", weights_only=True)["step"] < 96
    assert start(killed).wait(120) == 0
    torch.testing.assert_close(weights(killed), weights(straight), rtol=0, atol=0)


def test_two_processes_share_the_work_and_agree(tmp_path: Path) -> None:
    assert start(tmp_path, processes=2).wait(200) == 0
    torch.testing.assert_close(weights(tmp_path, 0, 2), weights(tmp_path, 1, 2), rtol=0, atol=0)
    state = torch.load(tmp_path / "run.pt", weights_only=True)
    assert state["step"] == 6 * 16 / 2


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    def loss(model: nn.Module, batch: list[int]) -> torch.Tensor:
        return model(torch.ones(len(batch), 2)).float().pow(2).mean()

    run = accelerator()
    train(nn.Linear(2, 1), [1] * 8, loss, Schedule(1), tmp_path / "run.pt", run, "toy")
    with pytest.raises(ConfigError, match="belongs to another run"):
        train(nn.Linear(2, 1), [1] * 8, loss, Schedule(2), tmp_path / "run.pt", run, "toy")


def test_batches_hold_every_item_once_with_like_lengths() -> None:
    lengths = [i % 23 + 1 for i in range(1000)]
    batches = bucketed_batches(lengths, 16, seed=3)
    assert sorted(i for batch in batches for i in batch) == list(range(1000))
    assert batches != bucketed_batches(lengths, 16, seed=4)
    assert batches == bucketed_batches(lengths, 16, seed=3)
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert padded < 1.1 * sum(lengths)


def test_moving_average_and_rates(tmp_path: Path) -> None:
    def loss(model: nn.Module, batch: list[int]) -> torch.Tensor:
        return model(torch.ones(len(batch), 1)).float().mean()

    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    nn.init.zeros_(model[1].bias)
    averaged = train(
        model, [1] * 64, loss, Schedule(4, 4, 0.0, 0.1, average_decay=0.9), tmp_path / "run.pt", accelerator(), "toy",
        is_head=lambda name: name == "1.bias",
    )  # fmt: skip
    last = torch.load(tmp_path / "run.pt", weights_only=True)["model"]["1.bias"]
    assert last.item() < averaged["1.bias"].item() < 0
    torch.testing.assert_close(averaged["1.bias"], model[1].bias.detach())


def test_a_full_disk_leaves_the_checkpoint_before_it(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    write_whole(path, lambda stream: torch.save({"step": 1}, stream))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(ConfigError, match="free some space"):
            write_whole(path, lambda stream: torch.save({"step": torch.zeros(100_000)}, stream))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
