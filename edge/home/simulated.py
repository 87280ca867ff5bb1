"""The simulated home: carries services out as Home Assistant would, for tests, the demo and the desktop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace

from edge.home.clock import Clock, SystemClock
from edge.home.effects import Data, ServiceRefusedError, with_state
from edge.home.services import service_of
from edge.types import Entity, Home, HomeState, Outcome, OutcomeStatus, ServiceCall, StateChange

_FIRST_STATES = {
    "light": "off",
    "switch": "off",
    "input_boolean": "off",
    "fan": "off",
    "humidifier": "off",
    "siren": "off",
    "script": "off",
    "automation": "on",
    "cover": "closed",
    "valve": "closed",
    "lock": "locked",
    "climate": "heat",
    "media_player": "idle",
    "vacuum": "docked",
    "lawn_mower": "docked",
    "person": "home",
    "binary_sensor": "off",
    "todo": "0",
    "alarm_control_panel": "disarmed",
}
_MOMENTARY = ("scene.turn_on", "button.press", "input_button.press")
_MOST_CHANGES = 1000
ITEMS, COMPLETED = "items", "completed"
"""Attributes of a to-do list: its open entries, and those that are ticked off."""


class SimulatedHome:
    """A ``HomePort`` whose devices obey at once.

    A device whose state is ``unavailable`` is not reached. ``clock`` is the time that scenes and buttons
    note.
    """

    def __init__(self, home: Home, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._areas, self._floors = home.areas, home.floors
        self._entities = {entity.id: _begun(entity) for entity in home.entities}
        self._changes: deque[StateChange] = deque(maxlen=_MOST_CHANGES)
        self._snapshot: HomeState | None = None

    def snapshot(self) -> HomeState:
        """The home as it is now."""
        if self._snapshot is None:
            self._snapshot = HomeState(self._areas, self._floors, tuple(self._entities.values()))
        return self._snapshot

    def call(self, call: ServiceCall) -> Future[Outcome]:
        """Carry the service out at once."""
        future: Future[Outcome] = Future()
        future.set_result(self._carried_out(call))
        return future

    def changes(self) -> Iterable[StateChange]:
        """What changed since the last time this was asked; the newest thousand."""
        changes = tuple(self._changes)
        self._changes.clear()
        return changes

    def close(self) -> None:
        """There is nothing to disconnect."""

    def set_state(
        self, entity_id: str, state: str | None = None, attributes: Mapping[str, object] | None = None
    ) -> None:
        """Change a device by hand, as someone at its switch would; an attribute of None is removed."""
        before = self._entities[entity_id]
        merged = {**before.attributes, **(attributes or {})}
        kept = {name: value for name, value in merged.items() if value is not None}
        self._put(replace(before, state=before.state if state is None else state, attributes=kept))

    def _carried_out(self, call: ServiceCall) -> Outcome:
        name = f"{call.domain}.{call.service}"
        if name == "assist_satellite.announce":
            return self._announced(call.data)
        reached = [self._entities[id_] for id_ in call.targets if id_ in self._entities]
        reached = [entity for entity in reached if entity.reachable]
        if not reached:
            status, reason = OutcomeStatus.UNREACHABLE, f"not there or unavailable: {', '.join(call.targets)}"
            return Outcome(status, reason)
        if name == "todo.get_items":
            return Outcome(OutcomeStatus.DONE, response={entity.id: _listed(entity) for entity in reached})
        if name == "media_player.search_media":
            return Outcome(OutcomeStatus.DONE, response={entity.id: _found_media(call.data) for entity in reached})
        try:
            after = [self._after(name, entity, call) for entity in reached]
        except ServiceRefusedError as refusal:
            return Outcome(OutcomeStatus.REFUSED, str(refusal))
        changes = tuple(change for entity in after for change in self._put(entity))
        left_out = tuple(id_ for id_ in call.targets if id_ not in {entity.id for entity in reached})
        return Outcome(OutcomeStatus.DONE, left_out=left_out, changes=changes)

    def _after(self, name: str, entity: Entity, call: ServiceCall) -> Entity:
        if entity.domain != call.domain:
            raise ServiceRefusedError(f"{name} is not for {entity.id}")
        if name in _MOMENTARY:
            return with_state(entity, self._clock.now().isoformat(timespec="seconds"))
        if call.domain == "todo":
            return _changed_list(entity, call.service, call.data)
        service = service_of(call.domain, call.service)
        if service is None:
            raise ServiceRefusedError(f"there is no service {name}")
        return service(entity, call.data)

    def _announced(self, data: Data) -> Outcome:
        change = StateChange("assist_satellite", "message", None, data.get("message"))
        self._changes.append(change)
        return Outcome(OutcomeStatus.DONE, changes=(change,))

    def _put(self, after: Entity) -> tuple[StateChange, ...]:
        before = self._entities[after.id]
        changes = _difference(before, after)
        if changes:
            self._entities[after.id] = after
            self._changes.extend(changes)
            self._snapshot = None
        return changes


def _begun(entity: Entity) -> Entity:
    state = entity.state or _FIRST_STATES.get(entity.domain, "unknown")
    if entity.domain != "todo":
        return replace(entity, state=state)
    items = entity.attributes.get(ITEMS)
    return _with_items(entity, list(items) if isinstance(items, (list, tuple)) else [], _completed(entity))


def _difference(before: Entity, after: Entity) -> tuple[StateChange, ...]:
    state = () if before.state == after.state else (StateChange(after.id, "state", before.state, after.state),)
    names = {**before.attributes, **after.attributes}
    pairs = ((name, before.attributes.get(name), after.attributes.get(name)) for name in names)
    return state + tuple(StateChange(after.id, name, old, new) for name, old, new in pairs if old != new)


def _open_items(todo: Entity) -> list[str]:
    items = todo.attributes.get(ITEMS)
    return list(items) if isinstance(items, list) else []


def _completed(todo: Entity) -> list[str]:
    items = todo.attributes.get(COMPLETED)
    return list(items) if isinstance(items, list) else []


def _with_items(todo: Entity, items: list[str], completed: list[str]) -> Entity:
    return with_state(todo, str(len(items)), **{ITEMS: items, COMPLETED: completed})


def _listed(todo: Entity) -> dict[str, object]:
    lists = {"needs_action": _open_items(todo), "completed": _completed(todo)}
    return {"items": [{"summary": text, "status": status} for status, texts in lists.items() for text in texts]}


def _changed_list(todo: Entity, service: str, data: Data) -> Entity:
    item, items, completed = str(data.get("item", "")), _open_items(todo), _completed(todo)
    if service == "add_item":
        return _with_items(todo, [*items, item], completed)
    if item not in items and item not in completed:
        raise ServiceRefusedError(f"{todo.id} has no item {item!r}")
    if service == "remove_item":
        return _with_items(todo, *(_without(texts, item) for texts in (items, completed)))
    if service == "update_item" and data.get("status") == "completed" and item in items:
        return _with_items(todo, _without(items, item), [*completed, item])
    raise ServiceRefusedError(f"todo.{service} with {dict(data)} is not known")


def _without(texts: list[str], item: str) -> list[str]:
    at = texts.index(item) if item in texts else len(texts)
    return texts[:at] + texts[at + 1 :]


def _found_media(data: Data) -> dict[str, object]:
    """Every title is found: the simulated players have them all."""
    query = str(data.get("search_query", ""))
    kind = data.get("media_filter_classes")
    content = str(kind[0]) if isinstance(kind, (list, tuple)) and kind else "music"
    return {"result": [{"title": query, "media_content_id": query, "media_content_type": content}]}
