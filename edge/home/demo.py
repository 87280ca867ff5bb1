"""The demo home that comes with the package."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.types import Home

_DEMO = Path(__file__).parents[1] / "data" / "homes" / "demo.json"


def default_home() -> Home:
    """The demo home: ``demo.json`` holds what ``demo.yaml`` says, so that nobody needs a YAML parser for it."""
    return msgspec.json.decode(_DEMO.read_bytes(), type=Home)
