"""The commands and programs in README and docs: all are accepted, and those that need no hardware or network run."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import CHECKOUT

MODULES = {"edge": "edge.commands.cli", "edge-quantize": "quantize.cli", "edge-bench": "benchmarks.cli"}
PROGRAMS = {"edge": "edge", "edge-quantize": "quantize", "edge-bench": "benchmarks"}
BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^>]+-->\n)?^ *```(?P<kind>\w*)\n(?P<body>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
README, DOCS = CHECKOUT / "README.md", CHECKOUT / "docs"
HOW_TOS = sorted((DOCS / "howto").glob("*.md"))
DOCUMENTS = [README, *sorted(DOCS.glob("*.md")), *HOW_TOS]
RUN = [README, DOCS / "tutorial.md", *HOW_TOS]


def commands(body: str) -> Iterator[list[str]]:
    """Words of each command of ours; a remark follows after ``#`` or two spaces."""
    for line in body.splitlines():
        words = shlex.split(re.split(r"\s{2,}", line.strip().removeprefix("$ "))[0], comments=True)
        if words and words[0] in MODULES:
            yield words


def blocks(documents: list[Path]) -> list[tuple[str, re.Match[str]]]:
    return [
        (f"{path.relative_to(CHECKOUT)}:{text.count(chr(10), 0, match.start()) + 1}", match)
        for path in documents
        for text in [path.read_text(encoding="utf-8")]
        for match in BLOCK.finditer(text)
    ]


ALL = [(where, words) for where, block in blocks(DOCUMENTS) for words in commands(block["body"])]
RUNNABLE = [(where, block["body"]) for where, block in blocks(RUN) if block["kind"] == "sh" and block["mark"] is None]
PYTHON = [(where, block["body"]) for where, block in blocks(DOCUMENTS) if block["kind"] == "python"]


@pytest.mark.parametrize(("where", "words"), ALL, ids=[f"{where} {' '.join(words)}" for where, words in ALL])
def test_each_command_is_accepted(where: str, words: list[str]) -> None:
    arguments = importlib.import_module(MODULES[words[0]])._arguments()
    try:
        arguments.parse_args([word.split("|")[0] for word in words[1:]])
    except SystemExit as error:
        pytest.fail(f"{where}: {words[0]} does not accept this, exit {error.code}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader types the commands, one after the other."""
    path = tmp_path_factory.mktemp("reader")
    (path / "quantize").symlink_to(CHECKOUT / "quantize")
    return path


@pytest.mark.parametrize(("where", "body"), RUNNABLE, ids=[where for where, _ in RUNNABLE])
def test_each_block_runs(where: str, body: str, folder: Path) -> None:
    found = list(commands(body))
    assert found, f"{where} has no command of ours: mark it with <!-- not run: why -->"
    if any({"say", "--wav", "check"} & set(words) for words in found) and not importlib.util.find_spec("onnxruntime"):
        pytest.skip("needs the speech extra")
    for words in found:
        command = [sys.executable, "-m", PROGRAMS[words[0]], *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment(folder), check=False)
        assert done.returncode == 0, f"{where}: {shlex.join(words)}\n{done.stderr}"
        assert done.stdout or "--out" in words


@pytest.mark.parametrize(("where", "body"), PYTHON, ids=[where for where, _ in PYTHON])
def test_each_program_runs(where: str, body: str, folder: Path) -> None:
    command = [sys.executable, "-c", body]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment(folder), check=False)
    assert done.returncode == 0, f"{where}\n{done.stderr}"
    assert "HassTurnOn" in done.stdout


def environment(folder: Path) -> dict[str, str]:
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    return {**os.environ, **own, "PYTHONPATH": str(CHECKOUT)}


@pytest.mark.parametrize("document", [*DOCUMENTS, CHECKOUT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_each_path_of_the_project_exists(document: Path) -> None:
    named = re.findall(r"`((?:edge|quantize|benchmarks|firmware_configs|tests|docs)/[^`\s]*)`", document.read_text())
    real = [name for name in named if not re.search(r"NAME|LANGUAGE", name)]
    assert [name for name in real if not any(CHECKOUT.glob(name.rstrip("/")))] == []


def test_each_step_of_the_walk_exists() -> None:
    walk = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("## Where is")[0]
    code = "".join((CHECKOUT / name).read_text() for name in ("edge/assistant.py", "quantize/pipeline.py"))
    steps = re.findall(r"`(_?[a-z]\w+)`", walk)
    assert len(steps) > 10
    assert [step for step in steps if f"def {step}(" not in code] == []
