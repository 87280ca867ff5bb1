"""Brightness, colour and colour temperature of lights."""

from __future__ import annotations

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply

_ATTRIBUTES = {"brightness": "brightness", "color": "color", "temperature": "color_temp_kelvin"}


class LightSet:
    """HassLightSet: brightness in percent, a colour by name, or a temperature in kelvin."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set every light that is meant; one that was off goes on, brightness 0 turns it off."""
        wanted = {name: parse.value(slot) for slot, name in _ATTRIBUTES.items() if parse.value(slot) is not None}
        if not wanted:
            raise Refusal("no_intent")
        found = self._tools.targets.find(parse, ("light",), self._tools.everywhere(parse))
        for light in found:
            self._tools.home.set_state(light, "off" if wanted.get("brightness") == 0 else "on")
            for attribute, value in wanted.items():
                self._tools.home.set_attribute(light, attribute, value)
        return self._tools.done(parse, found)
