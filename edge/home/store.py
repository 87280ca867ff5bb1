"""Keeps the simulated home across restarts in one JSON file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from edge.errors import ConfigError
from edge.files import write_file
from edge.home.simulated import ListItem, SimulatedHome
from edge.home.timers import Timer

_FORMAT = 1


class _Kept(msgspec.Struct):
    format: int
    states: dict[str, str]
    attributes: dict[str, dict[str, object]]
    lists: dict[str, list[ListItem]]
    timers: list[Timer]


def save_home(home: SimulatedHome, path: Path) -> None:
    """Write states, lists and timers atomically.

    Raises:
        ConfigError: the file cannot be written.
    """
    now_s = home.clock.monotonic_s()
    timers = [replace(timer, left_s=timer.remaining_s(now_s)) for timer in home.timers.all()]
    kept = _Kept(
        format=_FORMAT,
        states={entity.id: entity.state for entity in home.entities.values()},
        attributes={entity.id: entity.attributes for entity in home.entities.values()},
        lists=home.lists,
        timers=timers,
    )
    write_file(path, msgspec.json.encode(kept))


def restore_home(home: SimulatedHome, path: Path) -> None:
    """Take over what ``save_home`` wrote; devices that the home file no longer has are left out. No file, no change.

    Raises:
        ConfigError: the file cannot be read or is damaged.
    """
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the state of the home: {error.strerror or error}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigError(f"{path}: damaged state of the home; delete it to start over: {error}") from error
    if kept.format != _FORMAT:
        raise ConfigError(f"{path}: state of another version ({kept.format}); delete it to start over")
    for entity in home.entities.values():
        entity.state = kept.states.get(entity.id, entity.state)
        entity.attributes.update(kept.attributes.get(entity.id, {}))
    home.lists.update(kept.lists)
    for timer in kept.timers:
        home.timers.restore(timer)
