"""The simulated home: what every device, list and timer is doing, and a record of what changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge.home.clock import Clock, SystemClock
from edge.home.timers import Timers
from edge.types import Area, Entity, Floor, Home, StateChange

SHOPPING_LIST = "todo.shopping_list"
_FIRST_STATES = {
    "light": "off",
    "switch": "off",
    "input_boolean": "off",
    "fan": "off",
    "humidifier": "off",
    "siren": "off",
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
}

_OPENINGS = ("door", "garage_door", "opening", "window")
_CONTACT_STATES = {"on": "open", "off": "closed"}


@dataclass
class EntityState:
    """An entity of the home file and what it is doing."""

    entity: Entity
    state: str
    attributes: dict[str, object]

    @property
    def id(self) -> str:
        """``domain.object``."""
        return self.entity.id

    @property
    def domain(self) -> str:
        """Kind of device."""
        return self.entity.domain

    @property
    def name(self) -> str:
        """The main name."""
        return self.entity.name

    @property
    def device_class(self) -> str | None:
        """Kind of cover or sensor."""
        value = self.attributes.get("device_class")
        return None if value is None else str(value)

    @property
    def plain_state(self) -> str:
        """The state in words of what it tells: a window's contact sensor that is on tells that the window is open."""
        contact = self.domain == "binary_sensor" and self.device_class in _OPENINGS
        return _CONTACT_STATES.get(self.state, self.state) if contact else self.state

    def number(self, attribute: str, default: float = 0.0) -> float:
        """An attribute as a number; home files may write it as ``"50"`` or ``"50%"``."""
        try:
            return float(str(self.attributes.get(attribute, default)).rstrip("% "))
        except ValueError:
            return default


@dataclass(frozen=True)
class ListItem:
    """An entry of a shopping or to-do list."""

    text: str
    done: bool = False


@dataclass
class SimulatedHome:
    """Every device of ``home`` with its state; ``clock`` is the time that timers and questions about time use."""

    home: Home
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.entities = {
            entity.id: EntityState(
                entity, entity.state or _FIRST_STATES.get(entity.domain, "unknown"), dict(entity.attributes)
            )
            for entity in self.home.entities
        }
        self.lists: dict[str, list[ListItem]] = {
            entity.id: [] for entity in self.home.entities if entity.domain == "todo"
        }
        self.timers = Timers(self.clock)
        self._changes: list[StateChange] = []

    @property
    def areas(self) -> tuple[Area, ...]:
        """Rooms."""
        return self.home.areas

    @property
    def floors(self) -> tuple[Floor, ...]:
        """Floors."""
        return self.home.floors

    def set_state(self, entity: EntityState, state: str) -> None:
        """Change what an entity is doing."""
        self.record(entity.id, "state", entity.state, state)
        entity.state = state

    def set_attribute(self, entity: EntityState, attribute: str, value: object) -> None:
        """Change one attribute of an entity."""
        self.record(entity.id, attribute, entity.attributes.get(attribute), value)
        entity.attributes[attribute] = value

    def record(self, entity_id: str, attribute: str, before: object, after: object) -> None:
        """Note a change; one that changes nothing is left out."""
        if before != after:
            self._changes.append(StateChange(entity_id, attribute, before, after))

    def take_changes(self) -> tuple[StateChange, ...]:
        """Changes since the last call."""
        changes, self._changes = tuple(self._changes), []
        return changes

    def add_item(self, list_id: str, text: str) -> None:
        """Put an item on a list."""
        items = self.lists.setdefault(list_id, [])
        items.append(ListItem(text))
        self.record(list_id, text, None, "needed")
        self._count(list_id)

    def complete_item(self, list_id: str, text: str) -> bool:
        """Tick an item off; False where it is not on the list."""
        return self._change_item(list_id, text, remove=False)

    def remove_item(self, list_id: str, text: str) -> bool:
        """Take an item off the list; False where it is not on it."""
        return self._change_item(list_id, text, remove=True)

    def _change_item(self, list_id: str, text: str, remove: bool) -> bool:
        items = self.lists.get(list_id, [])
        wanted = " ".join(text.casefold().split())
        for at, item in enumerate(items):
            if item.text.casefold() == wanted and (remove or not item.done):
                if remove:
                    del items[at]
                else:
                    items[at] = replace(item, done=True)
                self.record(list_id, item.text, "done" if item.done else "needed", None if remove else "done")
                self._count(list_id)
                return True
        return False

    def _count(self, list_id: str) -> None:
        if list_id in self.entities:
            self.entities[list_id].state = str(sum(not item.done for item in self.lists[list_id]))
