"""Vacuum cleaners and lawn mowers."""

from __future__ import annotations

from dataclasses import replace

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Toolbox
from edge.types import Action, Area, Entity, Floor, Parse, Reply

_SERVICES = {
    "HassVacuumStart": "vacuum.start",
    "HassVacuumReturnToBase": "vacuum.return_to_base",
    "HassVacuumCleanArea": "vacuum.clean_area",
    "HassLawnMowerStartMowing": "lawn_mower.start_mowing",
    "HassLawnMowerDock": "lawn_mower.dock",
}


class Machines:
    """HassVacuumStart, HassVacuumReturnToBase, HassVacuumCleanArea, HassLawnMowerStartMowing, HassLawnMowerDock."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Send the machine that is meant to work or home; an area or floor is where it shall work."""
        service = _SERVICES[parse.intent or ""]
        area, floor = self._tools.targets.area(parse), self._tools.targets.floor(parse)
        if service == "vacuum.clean_area" and area is None:
            area = self._tools.targets.preferred_area
            if area is None:
                raise Refusal("no_area", area="")
        machine = self._machine(parse, service.partition(".")[0])
        rooms = self._rooms(area, floor) if service in ("vacuum.start", "vacuum.clean_area") else []
        step = Step(machine, "vacuum.clean_area", {"cleaning_area_id": rooms}) if rooms else Step(machine, service)
        slots = {} if area is None or parse.value("area") is not None else {"area": area.name}
        return self._tools.carry_out(parse, [step], slots=slots)

    def _rooms(self, area: Area | None, floor: Floor | None) -> list[str]:
        """Ids of the rooms where it shall work."""
        if area is not None:
            return [area.id]
        return [own.id for own in self._tools.home.snapshot().areas if floor is not None and own.floor_id == floor.id]

    def _machine(self, parse: Parse, domain: str) -> Entity:
        """The machine by name, else the one that lives in the place, else the only one."""
        unplaced = replace(parse, slots=tuple(slot for slot in parse.slots if slot.name not in ("area", "floor")))
        if parse.value("name") is not None:
            return self._tools.targets.one(unplaced, (domain,))
        try:
            return self._tools.targets.one(parse, (domain,))
        except Refusal:
            return self._tools.targets.one(unplaced, (domain,))
