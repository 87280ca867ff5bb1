"""Positions of covers and valves, and speeds of fans, in percent."""

from __future__ import annotations

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply


class SetPosition:
    """HassSetPosition: how far covers and valves are open."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Move every cover or valve that is meant, which a place alone does not say."""
        position = percent(parse, "position")
        if all(parse.value(slot) is None for slot in ("name", "domain", "device_class")):
            raise Refusal("no_intent")
        found = self._tools.targets.find(parse, ("cover", "valve"), self._tools.everywhere(parse))
        for entity in found:
            self._tools.home.set_attribute(entity, "position", position)
            self._tools.home.set_state(entity, "open" if position else "closed")
        return self._tools.done(parse, found)


class FanSetSpeed:
    """HassFanSetSpeed."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the speed of every fan that is meant; 0 turns it off."""
        percentage = percent(parse, "percentage")
        found = self._tools.targets.find(parse, ("fan",), self._tools.everywhere(parse))
        for fan in found:
            self._tools.home.set_attribute(fan, "percentage", percentage)
            self._tools.home.set_state(fan, "on" if percentage else "off")
        return self._tools.done(parse, found)


def percent(parse: Parse, slot: str) -> int:
    """A slot's number, held within 0 and 100.

    Raises:
        Refusal: the slot is missing or is no number.
    """
    return round(min(100.0, max(0.0, number(parse, slot))))


def number(parse: Parse, slot: str) -> float:
    """A slot's number.

    Raises:
        Refusal: the slot is missing or is no number.
    """
    try:
        return float(str(parse.value(slot)))
    except ValueError as error:
        raise Refusal("no_intent") from error
