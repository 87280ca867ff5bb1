"""The format of cases and results: homes, what is said in them, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import ConfigError
from edge.files import write_file
from edge.types import Area, Entity, Floor, Home

State = dict[str, object]
"""Attributes of one entity, ``state`` among them."""
Changes = dict[str, dict[str, tuple[object, object]]]
"""Entity and attribute to the values before and after."""


class _Place(msgspec.Struct):
    id: str
    name: str
    aliases: list[str] = []
    floor: str | None = None


class _Device(msgspec.Struct):
    id: str
    name: str
    aliases: list[str] = []
    area: str | None = None
    state: str | None = None
    attributes: dict[str, Any] = {}


class _HomeLine(msgspec.Struct):
    home: str
    areas: list[_Place]
    entities: list[_Device]
    floors: list[_Place] = []


class StateOverride(msgspec.Struct):
    """How an entity or timer of a case differs from its home; None for an attribute removes it."""

    state: str | None = None
    attributes: dict[str, Any] = {}


class Expectation(msgspec.Struct, rename={"lists": "list"}):
    """What is right: values that changed, a reply, a timer or items of lists; with nothing else, that nothing changed.

    ``about`` are the entities whose names in the reply do not count as words of it.
    """

    changes: dict[str, dict[str, Any]] = {}
    reply: list[str] | None = None
    reply_not: list[str] = []
    about: list[str] | None = None
    timer: dict[str, Any] | None = None
    lists: dict[str, dict[str, list[str]]] = {}


class _CaseLine(msgspec.Struct):
    id: str
    language: str
    home: str
    say: list[str]
    expect: Expectation = msgspec.field(default_factory=Expectation)
    tags: list[str] = []
    nofeature: bool = False
    area: str | None = None
    states: dict[str, StateOverride] = {}
    now: str | None = None


@dataclass(frozen=True)
class Case:
    """Turns of one conversation in a home whose states are those of the case, and what is right.

    The first of ``tags`` is the kind of case. ``nofeature`` cases ask for what the home has no function for.
    """

    id: str
    language: str
    home_id: str
    home: Home
    area: str | None
    timers: Mapping[str, StateOverride]
    now: str | None
    say: tuple[str, ...]
    expect: Expectation
    tags: tuple[str, ...] = ()
    nofeature: bool = False


class Result(msgspec.Struct):
    """What was done and said."""

    id: str
    changes: Changes = {}
    replies: list[str] = []
    asked: bool = False
    refused: bool = False
    parses: list[list[dict[str, object]]] = []
    error: str | None = None


def read_cases(path: Path, limit: int | None = None) -> list[Case]:
    """The cases of a file of JSON lines, at most ``limit``.

    Raises:
        ConfigError: a line is neither a home nor a case, or names a home that did not come before it.
    """
    cases: list[Case] = []
    homes: dict[str, Home] = {}
    for number, line in _lines(path):
        if limit is not None and len(cases) >= limit:
            break
        try:
            if "say" in msgspec.json.decode(line, type=dict[str, msgspec.Raw]):
                cases.append(_case(msgspec.json.decode(line, type=_CaseLine), homes))
            else:
                read = msgspec.json.decode(line, type=_HomeLine)
                homes[read.home] = _home(read)
        except msgspec.MsgspecError as error:
            raise ConfigError(f"{path}:{number}: neither a home nor a case: {error}") from error
        except KeyError as error:
            raise ConfigError(f"{path}:{number}: home {error} must come before its cases") from error
    return cases


def write_results(results: Iterable[Result], path: Path) -> None:
    """Write a JSON line per result."""
    write_file(path, b"".join(msgspec.json.encode(result) + b"\n" for result in results))


def changes(before: Mapping[str, State], after: Mapping[str, State]) -> Changes:
    """What differs between two states of a home."""
    found: Changes = {}
    for entity_id in {**before, **after}:
        old, new = before.get(entity_id, {}), after.get(entity_id, {})
        differing = {
            attribute: (old.get(attribute), new.get(attribute))
            for attribute in {**old, **new}
            if old.get(attribute) != new.get(attribute)
        }
        if differing:
            found[entity_id] = differing
    return found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def _home(read: _HomeLine) -> Home:
    return Home(
        tuple(Area(area.id, area.name, tuple(area.aliases), area.floor) for area in read.areas),
        tuple(Floor(floor.id, floor.name, tuple(floor.aliases)) for floor in read.floors),
        tuple(Entity(d.id, d.name, tuple(d.aliases), d.area, d.state, d.attributes) for d in read.entities),
    )


def _case(read: _CaseLine, homes: Mapping[str, Home]) -> Case:
    home = homes[read.home]
    states = dict(read.states)
    entities = tuple(_overridden(entity, states.pop(entity.id, StateOverride())) for entity in home.entities)
    timers = {name: state for name, state in states.items() if name.startswith("timer.")}
    unknown = states.keys() - timers.keys()
    if unknown:
        raise msgspec.ValidationError(f"states of {', '.join(sorted(unknown))}, which the home does not have")
    own = Home(home.areas, home.floors, entities)
    return Case(
        read.id, read.language, read.home, own, read.area, timers, read.now, tuple(read.say), read.expect,
        tuple(read.tags), read.nofeature,
    )  # fmt: skip


def _overridden(entity: Entity, own: StateOverride) -> Entity:
    attributes = {name: value for name, value in (entity.attributes | own.attributes).items() if value is not None}
    state = entity.state if own.state is None else own.state
    return Entity(entity.id, entity.name, entity.aliases, entity.area_id, state, attributes)
