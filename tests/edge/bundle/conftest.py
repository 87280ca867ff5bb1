"""Bundles of one sentence, which are built in a moment and pass the probe, and a machine of its own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.format import Bundle, Signer, write_bundle
from edge.bundle.manifest import FORMAT_VERSION, Manifest
from edge.grammar.grammar import Grammar, Kind, Meaning, Net, pack_grammar

Write = Callable[..., Bundle]


def grammar_of(sentence: str, intent: str) -> bytes:
    """A grammar with this one sentence."""
    rows = [(0, Kind.BLOCK, 0, 1)]
    rows += [(at + 1, Kind.CHAR, ord(char), at + 2) for at, char in enumerate(sentence)]
    rows += [(len(sentence) + 1, Kind.END, 0, len(sentence) + 2)]
    arcs = np.array(rows, np.int32)
    return pack_grammar(Grammar("en", (Net(0),), (), (), (Meaning(intent),), arcs))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without keys and bundles."""
    for name in ("data", "cache", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a bundle that understands ``hello`` as the intent ``version``."""

    def bundle(version: str, built: int = 0, name: str = "tiny", sign: Signer | None = None) -> Bundle:
        manifest = Manifest(FORMAT_VERSION, name, {}, ("en",), grammar="grammar.bin", built=built)
        contents = {"grammar.bin": grammar_of("hello", version)}
        return write_bundle(tmp_path / f"{name}-{version}.edge", manifest, contents, sign)

    return bundle
