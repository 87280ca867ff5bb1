"""The home that commands are about: the demo home that comes with the package, or one of a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.types import Home

_DEMO = Path(__file__).parent / "data" / "homes" / "demo.json"


def default_home() -> Home:
    """The demo home: ``demo.json`` holds what ``demo.yaml`` says, so that nobody needs a YAML parser for it."""
    return msgspec.json.decode(_DEMO.read_bytes(), type=Home)


def load_home(path: str | Path) -> Home:
    """Read a home file; see `edge.home_file.load_home`."""
    from edge.home_file import load_home as load

    return load(path)
