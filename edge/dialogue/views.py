"""What a reply template sees of a value or a device, named as Home Assistant names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.home.timers import Timer, rounded, split_seconds
from edge.types import Entity, Slot, SlotValue

_OPENINGS = ("door", "garage_door", "opening", "window")
_CONTACT_STATES = {"on": "open", "off": "closed"}


class Spoken(str):
    """A value as it is said; it equals, and finds in a dictionary, the value itself as well.

    The package's templates do both: ``{{ slots.device_class }}`` is spoken, ``names.get(slots.device_class)`` looks up.
    """

    __slots__ = ("raw",)
    raw: str

    def __new__(cls, text: str, raw: str) -> Spoken:
        """``text`` is said, ``raw`` is meant."""
        spoken = super().__new__(cls, text)
        spoken.raw = raw
        return spoken

    def __eq__(self, other: object) -> bool:
        """Equal to what is said and to what is meant."""
        return str.__eq__(self, other) is True or self.raw == other

    def __ne__(self, other: object) -> bool:
        """The opposite."""
        return not self == other

    def __hash__(self) -> int:
        """Place in a dictionary: that of the value."""
        return hash(self.raw)


class StateView:
    """A device; it equals the name of its state."""

    def __init__(self, entity: Entity, spoken_state: str) -> None:
        unit = entity.attributes.get("unit_of_measurement")
        said = _number_text(spoken_state)
        self.entity_id = entity.id
        self.domain = entity.domain
        self.object_id = entity.id.partition(".")[2]
        self.name = entity.name
        self.state = Spoken(said, entity.state or "unknown")
        self.state_with_unit = Spoken(f"{said} {unit}" if unit else said, plain_state(entity))
        self.attributes = {key: _number(value) for key, value in entity.attributes.items()}
        self.attributes["untranslated_state"] = entity.state

    def __eq__(self, other: object) -> bool:
        """Compares with the name of a state."""
        return self is other or self.state == other

    def __hash__(self) -> int:
        """By identity of the device."""
        return hash(self.entity_id)


@dataclass(frozen=True)
class TimerView:
    """A timer as ``HassTimerStatus`` replies show it."""

    is_active: bool
    name: str | None
    area: str | None
    total_seconds_left: int
    rounded_hours_left: int
    rounded_minutes_left: int
    rounded_seconds_left: int
    start_hours: int
    start_minutes: int
    start_seconds: int


def plain_state(entity: Entity) -> str:
    """The state in words of what it tells: a window's contact sensor that is on tells that the window is open."""
    state = entity.state or "unknown"
    contact = entity.domain == "binary_sensor" and entity.device_class in _OPENINGS
    return _CONTACT_STATES.get(state, state) if contact else state


def timer_view(timer: Timer, remaining_s: float, area_name: str | None) -> TimerView:
    """The timer with ``remaining_s`` to go."""
    left = rounded(*split_seconds(remaining_s))
    return TimerView(timer.active, timer.name, area_name, round(remaining_s), *left, *timer.start)


def slot_view(slot: Slot, words: Mapping[tuple[str, str, str], str], kind: str | None) -> Spoken:
    """A slot as it is said: numbers in digits, other values in the user's words or the language's."""
    value = plain(slot.value)
    if isinstance(slot.value, (int, float)):
        return Spoken(value, value)
    said = slot.text or words.get((slot.name, kind or "", value)) or value
    return Spoken(said, value)


def plain(value: SlotValue) -> str:
    """Text of a value; whole numbers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _number(value: object) -> object:
    """Home files may quote numbers; templates calculate with them."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


def _number_text(state: str) -> str:
    value = _number(state)
    return state if isinstance(value, str) else plain(float(str(value)))
