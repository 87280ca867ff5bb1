"""What runs on the device?

The voice assistant from microphone to speaker, the ``edge`` command, and ``edge.load("home")`` in Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edge.telemetry import telemetry_off

if TYPE_CHECKING:
    from edge.api import TextParser, load
    from edge.assistant import Assistant
    from edge.errors import EdgeError
    from edge.types import Action, AudioFrame, Home, Outcome, Parse, Reply, ServiceCall, Slot, Transcript

__all__ = [
    "Action",
    "Assistant",
    "AudioFrame",
    "EdgeError",
    "Home",
    "Outcome",
    "Parse",
    "Reply",
    "ServiceCall",
    "Slot",
    "TextParser",
    "Transcript",
    "load",
]

_HOMES = {"TextParser": "api", "load": "api", "Assistant": "assistant", "EdgeError": "errors"}
"""Modules of the public names; the values are in ``edge.types``."""

telemetry_off()


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import edge`` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(import_module(f"edge.{_HOMES.get(name, 'types')}"), name)
