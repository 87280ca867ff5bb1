"""Turning things on and off: lights, switches, covers, locks, scenes and whatever else has two states."""

from __future__ import annotations

from dataclasses import replace

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Toolbox
from edge.types import Action, Entity, Parse, Reply, Slot

_PLAIN = (
    *("light", "switch", "input_boolean", "fan", "media_player", "humidifier", "siren", "automation", "camera"),
    *("remote", "water_heater", "script", "climate"),
)
_ON = {
    **{domain: f"{domain}.turn_on" for domain in _PLAIN},
    "cover": "cover.open_cover",
    "valve": "valve.open_valve",
    "lock": "lock.lock",
    "vacuum": "vacuum.start",
    "lawn_mower": "lawn_mower.start_mowing",
    "alarm_control_panel": "alarm_control_panel.alarm_arm_away",
}
_OFF = {
    **{domain: f"{domain}.turn_off" for domain in _PLAIN},
    "cover": "cover.close_cover",
    "valve": "valve.close_valve",
    "lock": "lock.unlock",
    "vacuum": "vacuum.return_to_base",
    "lawn_mower": "lawn_mower.dock",
    "alarm_control_panel": "alarm_control_panel.alarm_disarm",
}
_MOMENTARY = {"scene": "scene.turn_on", "button": "button.press", "input_button": "input_button.press"}
_OFF_STATES = frozenset(("off", "closed", "closing", "unlocked", "docked", "returning", "idle", "disarmed", "standby"))


class TurnOn:
    """HassTurnOn: on, open, lock, activate, press."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Turn on every device that is meant."""
        parse = _of_something(parse)
        found = self._tools.targets.find(parse, {*_ON, *_MOMENTARY}, _everywhere(self._tools, parse))
        return self._tools.carry_out(parse, [Step(entity, _turning_on(entity)) for entity in found])


class TurnOff:
    """HassTurnOff: off, close, unlock."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Turn off every device that is meant."""
        parse = _of_something(parse)
        found = self._tools.targets.find(parse, _OFF.keys(), _everywhere(self._tools, parse))
        return self._tools.carry_out(parse, [Step(entity, _OFF[entity.domain]) for entity in found])


class Toggle:
    """HassToggle: what is on goes off, what is off goes on; the same for open and closed, locked and unlocked."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Switch every device that is meant; the reply is that of on or off where all went the same way."""
        parse = _of_something(parse)
        found = self._tools.targets.find(parse, _OFF.keys(), _everywhere(self._tools, parse))
        goes_on = {entity.id: _goes_on(entity) for entity in found}
        steps = [Step(entity, (_ON if goes_on[entity.id] else _OFF)[entity.domain]) for entity in found]
        ways = set(goes_on.values())
        intent = "HassToggle" if len(ways) > 1 else "HassTurnOn" if ways == {True} else "HassTurnOff"
        return self._tools.carry_out(parse, steps, spoken_as=replace(parse, intent=intent))


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


def _everywhere(tools: Toolbox, parse: Parse) -> bool:
    """Whether all of the home is meant: of locks it always is, since a door stays open that nobody thinks of."""
    return parse.value("domain") == "lock" or tools.everywhere(parse)


def _turning_on(entity: Entity) -> str:
    """The service; a player that is paused plays on, for it is on already."""
    if entity.domain == "media_player" and entity.state == "paused":
        return "media_player.media_play"
    return (_ON | _MOMENTARY)[entity.domain]


def _goes_on(entity: Entity) -> bool:
    """Whether toggling turns it on; a lock is on where it is locked."""
    return entity.state in _OFF_STATES
