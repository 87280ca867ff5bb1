"""Keeps the simulated home across restarts in one JSON file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from edge.errors import ConfigError
from edge.files import write_file
from edge.home.simulated import SimulatedHome
from edge.home.timers import Timer, Timers

_FORMAT = 2


class _Kept(msgspec.Struct):
    format: int
    states: dict[str, str | None]
    attributes: dict[str, dict[str, object]]
    timers: list[Timer]


class Store:
    """A file that keeps timers and, of a simulated home, states and lists."""

    def __init__(self, path: Path, timers: Timers, home: SimulatedHome | None = None) -> None:
        self._path, self._timers, self._home = path, timers, home

    def save(self) -> None:
        """Write everything atomically.

        Raises:
            ConfigError: the file cannot be written.
        """
        entities = self._home.snapshot().entities if self._home is not None else ()
        kept = _Kept(
            format=_FORMAT,
            states={entity.id: entity.state for entity in entities},
            attributes={entity.id: entity.attributes for entity in entities},
            timers=[replace(timer, left_s=self._timers.remaining_s(timer)) for timer in self._timers.all()],
        )
        write_file(self._path, msgspec.json.encode(kept))

    def restore(self) -> None:
        """Take over what was saved; devices that the home no longer has are left out. No file, no change.

        Raises:
            ConfigError: the file cannot be read or is damaged.
        """
        kept = self._read()
        if kept is None:
            return
        for entity in self._home.snapshot().entities if self._home is not None else ():
            if self._home is not None and entity.id in kept.states:
                self._home.set_state(entity.id, kept.states[entity.id], kept.attributes.get(entity.id))
        for timer in kept.timers:
            self._timers.restore(timer)

    def _read(self) -> _Kept | None:
        path = self._path
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{path}: cannot read the state of the home: {error.strerror or error}") from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise ConfigError(f"{path}: damaged state of the home; delete it to start over: {error}") from error
        if kept.format != _FORMAT:
            raise ConfigError(f"{path}: state of another version ({kept.format}); delete it to start over")
        return kept
