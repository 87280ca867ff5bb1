"""Vacuum cleaners and lawn mowers."""

from __future__ import annotations

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.home.simulated import EntityState
from edge.types import Action, Parse, Reply

_STATES = {
    "HassVacuumStart": "cleaning",
    "HassVacuumReturnToBase": "returning",
    "HassVacuumCleanArea": "cleaning",
    "HassLawnMowerStartMowing": "mowing",
    "HassLawnMowerDock": "returning",
}


class Machines:
    """HassVacuumStart, HassVacuumReturnToBase, HassVacuumCleanArea, HassLawnMowerStartMowing, HassLawnMowerDock."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Send the machine that is meant to work or home; an area or floor is where it shall work."""
        intent = parse.intent or ""
        domain = "lawn_mower" if intent.startswith("HassLawnMower") else "vacuum"
        area, floor = self._tools.targets.area(parse), self._tools.targets.floor(parse)
        if intent == "HassVacuumCleanArea" and area is None:
            area = self._tools.targets.preferred_area
            if area is None:
                raise Refusal("no_area", area="")
        machine = self._machine(parse, domain)
        self._tools.home.set_state(machine, _STATES[intent])
        place = area or floor
        if place is not None:
            self._tools.home.set_attribute(machine, "place", place.name)
        slots = {} if area is None or parse.value("area") is not None else {"area": area.name}
        return self._tools.done(parse, [machine], slots=slots)

    def _machine(self, parse: Parse, domain: str) -> EntityState:
        """The machine by name, else the one that lives in the place, else the only one."""
        unplaced = _without(parse, ("area", "floor"))
        if parse.value("name") is not None:
            return self._tools.targets.one(unplaced, (domain,))
        try:
            return self._tools.targets.one(parse, (domain,))
        except Refusal:
            return self._tools.targets.one(unplaced, (domain,))


def _without(parse: Parse, names: tuple[str, ...]) -> Parse:
    slots = tuple(slot for slot in parse.slots if slot.name not in names)
    return Parse(parse.intent, slots, parse.confidence, parse.language, parse.source, parse.text)
