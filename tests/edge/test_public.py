"""The public names of ``import edge``."""

from __future__ import annotations

import subprocess
import sys

import pytest

import edge
from tests.command import CHECKOUT


def test_each_public_name_is_there() -> None:
    assert {name: hasattr(edge, name) for name in edge.__all__} == dict.fromkeys(edge.__all__, True)
    assert len(edge.__all__) <= 15


def test_a_private_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compose_everything'"):
        _ = edge.compose_everything


def test_import_is_light() -> None:
    code = "import sys, edge; print(*sorted(n for n in sys.modules if n.startswith(('edge', 'numpy', 'msgspec'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert done.stdout.split() == ["edge", "edge.telemetry"]


def test_loads_what_understands_text() -> None:
    parse = edge.load("home").parse("turn on the kitchen light")
    assert parse.intent == "HassTurnOn"
    assert edge.load("home", language="de").parse(edge.Transcript("mach das licht in der küche an")).language == "de"
    assert edge.load("home").parse("my sister likes this old novel").intent is None


def test_a_missing_bundle_is_one_line_that_says_what_to_do() -> None:
    with pytest.raises(edge.EdgeError, match="nowhere"):
        edge.load("nowhere")
