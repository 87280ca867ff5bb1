"""Training of the home student: redrawn epochs, exact continuation in the middle of one, several processes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from edge.errors import ConfigError
from edge.nlu.matching import FEATURES
from quantize.loop import Schedule, accelerator
from quantize.student import train as training
from quantize.student.examples import Example, LabelSpace, encode_sample, label_space
from quantize.student.network import Student, StudentShape
from quantize.student.source import HomeSource
from quantize.student.train import batches, train_student
from quantize.templates.homes import WordMaterial
from quantize.templates.package import package_templates

BUCKETS, SHARE = 1024, 6
SCHEDULE = Schedule(2, 8, 5e-3, 1e-2, average_decay=0.9, checkpoint_steps=4, seed=3)


@pytest.fixture(scope="module")
def source() -> tuple[HomeSource, LabelSpace]:
    templates = package_templates("kw")
    space = label_space([templates])
    return HomeSource(templates, WordMaterial(["lantern", "orchid", "velvet", "ferry"]), space, []), space


def fresh(space: LabelSpace) -> Student:
    torch.manual_seed(0)
    return Student(StudentShape(len(space.frames), len(space.tags), 1, FEATURES, BUCKETS, 8, 16, 1, 2, 3, 16))


def trained(source: tuple[HomeSource, LabelSpace], checkpoint: Path) -> dict[str, Tensor]:
    home, space = source

    def epoch(rng: random.Random) -> list[Example]:
        return [encode_sample(*pair, space, BUCKETS, True) for pair in home.samples(8 * SHARE, rng)]

    student = train_student(fresh(space), epoch, SHARE, SCHEDULE, checkpoint, accelerator(half=False))
    return dict(student.state_dict())


def test_a_run_stopped_within_an_epoch_continues_to_the_same_weights(
    source: tuple[HomeSource, LabelSpace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = trained(source, tmp_path / "straight.pt")
    real, calls = training.crf_loss, iter(range(100))

    def stopping(*arguments: Tensor) -> Tensor:
        if next(calls) == 9:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "crf_loss", stopping)
        with pytest.raises(KeyboardInterrupt):
            trained(source, tmp_path / "stopped.pt")
    assert torch.load(tmp_path / "stopped.pt", weights_only=True)["step"] == 8
    torch.testing.assert_close(trained(source, tmp_path / "stopped.pt"), straight, rtol=0, atol=0)


def test_when_the_process_that_draws_is_ended_it_is_said_in_one_line(
    source: tuple[HomeSource, LabelSpace], tmp_path: Path
) -> None:
    main = os.getpid()

    def epoch(rng: random.Random) -> list[Example]:
        if os.getpid() != main:
            os.kill(os.getpid(), signal.SIGKILL)
        return []

    with pytest.raises(ConfigError, match="start the command again"):
        train_student(fresh(source[1]), epoch, SHARE, SCHEDULE, tmp_path / "c.pt", accelerator(half=False))


def test_the_process_that_draws_ends_with_a_killed_training(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from quantize.student.examples import Example\n"
        "from quantize.student.train import Epochs\n"
        "example = Example(np.zeros((50, 20), int), np.zeros((50, 20), np.float32), 0, np.zeros(49, int), 0)\n"
        "def draw(rng):\n"
        "    Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "    return [example] * 400\n"
        "drawn = Epochs(draw, 8, lambda number: number).ahead(0, 9)\n"
        "next(drawn)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "pid")], check=False)
    worker = Path("/proc") / (tmp_path / "pid").read_text()
    deadline = time.monotonic() + 30
    while worker.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not worker.exists()


def test_training_moves_every_part(source: tuple[HomeSource, LabelSpace], tmp_path: Path) -> None:
    before = dict(fresh(source[1]).named_parameters())
    after = trained(source, tmp_path / "run.pt")
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


def test_batches_hold_sentences_of_like_length(source: tuple[HomeSource, LabelSpace]) -> None:
    home, space = source
    examples = [encode_sample(*pair, space, BUCKETS, True) for pair in home.samples(100, random.Random(1))]
    found = batches(list(examples), 8, random.Random(2))
    assert sum(map(len, found)) == 100
    padded = sum(max(len(e.ids) for e in batch) * len(batch) for batch in found)
    assert padded < 1.2 * sum(len(e.ids) for e in examples)


def test_two_processes_build_one_home_student(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, torch\nfrom pathlib import Path\n"
        "from quantize.student.home import home_student\n"
        "from quantize.recipe import Data, Recipe, StudentPlan, Training\n"
        "from accelerate import PartialState\n"
        "plan = StudentPlan(buckets=1024, embed=8, hidden=16, layers=1, heads=2, feed_forward=16)\n"
        "recipe = Recipe('t', Data('home', languages=('kw',), sentences=64), plan, Training(epochs=1, batch=8))\n"
        "student = home_student(recipe, Path(sys.argv[1]), Path()).student\n"
        "torch.save(student.state_dict(), f'{sys.argv[1]}/{PartialState().process_index}.pt')\n"
    )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    subprocess.run([*launcher, str(script), str(tmp_path)], env=environment, check=True, timeout=250)
    one, other = (torch.load(tmp_path / f"{i}.pt", weights_only=True) for i in (0, 1))
    torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 4
