"""Scenarios are data: ``scenarios.toml``, or a file of the same form."""

from __future__ import annotations

import difflib
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to measure: ``work`` (``module:function``) runs in ``rounds`` fresh processes.

    ``projected`` names the measures that are times, and so differ from this machine to the board.
    """

    name: str
    work: str
    rounds: int = 1
    projected: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}


class _Scenarios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scenarios: tuple[Scenario, ...]


def load_scenarios(path: Path | None = None, only: tuple[str, ...] = ()) -> tuple[Scenario, ...]:
    """Scenarios of a file, or the project's own; ``only`` keeps those named.

    Raises:
        ConfigError: the file cannot be read or has an unknown key, or a name in ``only`` is none of its scenarios.
    """
    source = path or files("benchmarks.harness") / "scenarios.toml"
    try:
        found = msgspec.convert(tomllib.loads(source.read_text(encoding="utf-8")), _Scenarios).scenarios
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"scenarios {source}: {' '.join(str(error).split())}") from error
    names = [scenario.name for scenario in found]
    for name in only:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
            raise ConfigError(f"no scenario called {name!r}; {hint}")
    return tuple(scenario for scenario in found if not only or scenario.name in only)
