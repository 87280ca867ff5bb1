"""Brightness, colour and colour temperature of lights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.dialogue.skills.levels import number, percent
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.home.simulated import EntityState
from edge.types import Action, Parse, Reply, Slot, SlotValue

_STEPS = {"up": 20, "down": -20}
_LEAST = 5
_ATTRIBUTES = {"brightness": "brightness", "color": "color", "temperature": "color_temp_kelvin"}


class LightSet:
    """HassLightSet: brightness in percent, a colour by name, or a temperature in kelvin."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set every light that is meant; one that was off goes on, brightness 0 turns it off.

        ``brightness_step`` *up* and *down* change those that are on; only *up* turns lights on, where none is.
        """
        wanted = {name: _value(parse, slot) for slot, name in _ATTRIBUTES.items() if parse.value(slot) is not None}
        step = _STEPS.get(str(parse.value("brightness_step")))
        if not wanted and step is None:
            raise Refusal("no_intent")
        found = self._tools.targets.find(parse, ("light",), self._tools.everywhere(parse))
        if not wanted and step is not None:
            return self._stepped(parse, found, step)
        for light in found:
            self._tools.home.set_state(light, "off" if wanted.get("brightness") == 0 else "on")
            for attribute, value in wanted.items():
                self._tools.home.set_attribute(light, attribute, value)
        return self._tools.done(parse, found)

    def _stepped(self, parse: Parse, found: Sequence[EntityState], step: int) -> tuple[Action, Reply]:
        lit = [light for light in found if light.state == "on"]
        if not lit and step < 0:
            raise Refusal("entity_wrong_state", state="on")
        levels = []
        for light in lit or found:
            before = light.number("brightness", 100) if lit else 0
            levels.append(round(min(100.0, max(float(_LEAST), before + step))))
            self._tools.home.set_state(light, "on")
            self._tools.home.set_attribute(light, "brightness", levels[-1])
        level = Slot("brightness", round(sum(levels) / len(levels)))
        slots = (*(slot for slot in parse.slots if slot.name != "brightness_step"), level)
        return self._tools.done(replace(parse, slots=slots), lit or found)


def _value(parse: Parse, slot: str) -> SlotValue | None:
    """What a slot sets.

    Raises:
        Refusal: its brightness or colour temperature is no number.
    """
    if slot == "brightness":
        return percent(parse, slot)
    return round(number(parse, slot)) if slot == "temperature" else parse.value(slot)
