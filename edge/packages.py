"""Files that installed packages carry, such as models and voices."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def package_folder(name: str) -> Path | None:
    """Folder of the installed package ``name``, found without importing it; None where it is not installed."""
    spec = importlib.util.find_spec(name)
    return next(map(Path, (spec.submodule_search_locations if spec else None) or ()), None)
