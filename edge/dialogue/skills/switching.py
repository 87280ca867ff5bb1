"""Turning things on and off: lights, switches, covers, locks, scenes and whatever else has two states."""

from __future__ import annotations

from dataclasses import replace

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.home.simulated import EntityState
from edge.types import Action, Parse, Reply, Slot

_PLAIN = (
    *("light", "switch", "input_boolean", "fan", "media_player", "humidifier", "siren", "automation", "camera"),
    *("remote", "water_heater", "alarm_control_panel", "script"),
)
_ON = {
    **dict.fromkeys(_PLAIN, "on"),
    "climate": "heat",
    "cover": "open",
    "valve": "open",
    "lock": "locked",
    "vacuum": "cleaning",
    "lawn_mower": "mowing",
}
_OFF = {
    **dict.fromkeys(_PLAIN, "off"),
    "climate": "off",
    "cover": "closed",
    "valve": "closed",
    "lock": "unlocked",
    "vacuum": "returning",
    "lawn_mower": "returning",
}
_MOMENTARY = frozenset(("scene", "button", "input_button"))
_ENTRANCES = frozenset(("door", "garage", "gate"))
_SURE_TO_OPEN = 0.85
"""Least confidence at which a house is opened: "the garage door" alone may as well mean to close it."""


class TurnOn:
    """HassTurnOn: on, open, lock, activate, press."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Turn on every device that is meant."""
        parse = _of_something(parse)
        found = self._tools.targets.find(parse, {*_ON, *_MOMENTARY}, _everywhere(self._tools, parse))
        _check_sure(parse, any(e.domain == "cover" and e.attributes.get("device_class") in _ENTRANCES for e in found))
        for entity in found:
            if entity.domain in _MOMENTARY:
                self._tools.home.set_state(entity, self._tools.home.clock.now().isoformat(timespec="seconds"))
            else:
                _switch(self._tools, entity, _ON[entity.domain])
        return self._tools.done(parse, found)


class TurnOff:
    """HassTurnOff: off, close, unlock."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Turn off every device that is meant."""
        parse = _of_something(parse)
        found = self._tools.targets.find(parse, _OFF.keys(), _everywhere(self._tools, parse))
        _check_sure(parse, any(e.domain == "lock" for e in found))
        for entity in found:
            _switch(self._tools, entity, _OFF[entity.domain])
        return self._tools.done(parse, found)


def _of_something(parse: Parse) -> Parse:
    """A parse that says what to switch: a place alone means its lights, never its locks and doors.

    Raises:
        Refusal: it names neither a device, nor a kind of device, nor a place.
    """
    said = {slot.name for slot in parse.slots}
    if said & {"name", "domain", "device_class"}:
        return parse
    if said & {"area", "floor"}:
        return replace(parse, slots=(*parse.slots, Slot("domain", "light")))
    raise Refusal("no_intent")


def _check_sure(parse: Parse, opens_the_house: bool) -> None:
    """Refuse to open the house on a guess; a parse whose confidence is 0 has none and is taken at its word.

    Raises:
        Refusal: the house would be opened, and whether it should be is not sure.
    """
    if opens_the_house and 0.0 < parse.confidence < _SURE_TO_OPEN:
        raise Refusal("no_intent")


def _everywhere(tools: Toolbox, parse: Parse) -> bool:
    """Whether all of the home is meant: of locks it always is, since a door stays open that nobody thinks of."""
    return parse.value("domain") == "lock" or tools.everywhere(parse)


def _switch(tools: Toolbox, entity: EntityState, state: str) -> None:
    tools.home.set_state(entity, state)
    if "position" in entity.attributes:
        tools.home.set_attribute(entity, "position", 100 if state == "open" else 0)
    if entity.domain == "fan" and "percentage" in entity.attributes:
        tools.home.set_attribute(entity, "percentage", 100 if state == "on" else 0)
