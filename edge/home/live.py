"""What is known of a real home: a link's thread writes it, the loop's thread reads it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from edge.errors import EdgeError
from edge.types import Area, Entity, Floor, Home, HomeState, Outcome, OutcomeStatus, StateChange

_LOG = logging.getLogger(__name__)
_MOST_CHANGES = 1000


@dataclass(frozen=True)
class Caused:
    """A change, and the id of what caused it, where the home tells one."""

    change: StateChange
    cause: str | None


class LiveHome:
    """Entities with their present states. All writing is done in one asyncio loop; reading is done anywhere."""

    def __init__(self, known: Home | None = None) -> None:
        """``known`` is the home as it was when it was last seen."""
        home = known or Home()
        self._lock = threading.Lock()
        self._areas, self._floors = home.areas, home.floors
        self._entities = {entity.id: entity for entity in home.entities}
        self._unit, self._connected, self._version = "°C", False, 0
        self._was_found, self._failures = False, 0
        self.trouble = "not connected yet"
        self._snapshot: HomeState | None = None
        self._changes: deque[StateChange] = deque(maxlen=_MOST_CHANGES)
        self._waiting: set[asyncio.Future[None]] = set()
        self._recorders: list[list[Caused]] = []

    def snapshot(self) -> HomeState:
        """The home as it is known now."""
        with self._lock:
            if self._snapshot is None:
                entities = tuple(self._entities.values())
                self._snapshot = HomeState(
                    self._areas, self._floors, entities, self._connected, self._unit, self._version
                )
            return self._snapshot

    def take_changes(self) -> tuple[StateChange, ...]:
        """What changed since the last time this was asked; the newest thousand."""
        with self._lock:
            changes = tuple(self._changes)
            self._changes.clear()
        return changes

    def entity(self, entity_id: str) -> Entity | None:
        """The entity with this id."""
        return self._entities.get(entity_id)

    def ids(self) -> tuple[str, ...]:
        """Ids of all entities."""
        return tuple(self._entities)

    def found(self) -> None:
        """The home answers, and all of it is known."""
        self.trouble = ""
        self._set_connected(True)

    def lost(self, trouble: str) -> None:
        """The home does not answer; ``trouble`` says why. The first reason after a connection is logged."""
        if self._connected or (self._was_found and trouble != self.trouble):
            _LOG.warning("%s; trying again", trouble)
        self.trouble = trouble
        self._failures += 1
        self._set_connected(False)

    async def connected(self, within_s: float, patient: bool = True) -> bool:
        """Whether it is connected, after waiting a while; one that is not ``patient`` waits for one attempt alone."""

        def over() -> bool:
            return self._connected or (not patient and self._failures > 0)

        await self.until(over, asyncio.get_running_loop().time() + within_s)
        return self._connected

    def _set_connected(self, connected: bool) -> None:
        with self._lock:
            self._was_found |= connected
            self._connected, self._snapshot = connected, None
        self.wake()

    def set_places(self, areas: tuple[Area, ...], floors: tuple[Floor, ...], unit: str = "°C") -> None:
        """Take over areas, floors and the unit of temperatures."""
        with self._lock:
            if (areas, floors) != (self._areas, self._floors):
                self._version += 1
            self._areas, self._floors, self._unit, self._snapshot = areas, floors, unit, None

    def put(self, entity: Entity, cause: str | None = None) -> None:
        """Take over an entity as it is now."""
        with self._lock:
            before = self._entities.get(entity.id)
            self._entities[entity.id] = entity
            self._snapshot = None
            if before is None or _names(before) != _names(entity):
                self._version += 1
            changes = difference(before, entity) if before is not None else ()
            self._changes.extend(changes)
            for recorder in self._recorders:
                recorder.extend(Caused(change, cause) for change in changes)
        self.wake()

    def keep_only(self, ids: Iterable[str]) -> None:
        """Forget every other entity."""
        kept = set(ids)
        with self._lock:
            gone = [entity_id for entity_id in self._entities if entity_id not in kept]
            for entity_id in gone:
                del self._entities[entity_id]
            if gone:
                self._version += 1
                self._snapshot = None

    def record(self) -> list[Caused]:
        """A list that takes every change from now on, until ``stop_recording``."""
        recorder: list[Caused] = []
        with self._lock:
            self._recorders.append(recorder)
        return recorder

    def stop_recording(self, recorder: list[Caused]) -> None:
        """Let go of a list of ``record``."""
        with self._lock:
            self._recorders = [other for other in self._recorders if other is not recorder]

    async def until(self, holds: Callable[[], bool], end_s: float) -> bool:
        """Wait until ``holds`` does, no longer than until ``end_s`` of the loop's clock; whether it does."""
        loop = asyncio.get_running_loop()
        while not holds():
            left_s = end_s - loop.time()
            if left_s <= 0:
                return False
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiting.add(waiter)
            await asyncio.wait((waiter,), timeout=left_s)
            self._waiting.discard(waiter)
        return True

    def wake(self) -> None:
        """Let everyone who waits in ``until`` look again."""
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


async def settled(work: Awaitable[Outcome]) -> Outcome:
    """The outcome of ``work``, which fails where it raises."""
    try:
        return await work
    except Exception as error:
        if not isinstance(error, (EdgeError, ValueError, TypeError)):
            _LOG.exception("a service call failed in a way that is a mistake of ours")
        return Outcome(OutcomeStatus.FAILED, " ".join(str(error).split()) or type(error).__name__)


def difference(before: Entity, after: Entity) -> tuple[StateChange, ...]:
    """State and attributes that differ."""
    state = () if before.state == after.state else (StateChange(after.id, "state", before.state, after.state),)
    if before.attributes is after.attributes:
        return state
    names = {**before.attributes, **after.attributes}
    pairs = ((name, before.attributes.get(name), after.attributes.get(name)) for name in names)
    return state + tuple(StateChange(after.id, name, old, new) for name, old, new in pairs if old != new)


def _names(entity: Entity) -> tuple[str, tuple[str, ...], str | None]:
    return entity.name, entity.aliases, entity.area_id
