"""Temperatures and fan modes of thermostats."""

from __future__ import annotations

from edge.dialogue.skills.levels import number
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.dialogue.views import plain
from edge.home.simulated import EntityState
from edge.types import Action, Parse, Reply

_COLDEST, _WARMEST = 7.0, 95.0
"""Home Assistant's lowest target in °C and highest in °F, for thermostats that do not tell theirs."""


class GetTemperature:
    """HassClimateGetTemperature."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the temperature of a thermostat or, in a room without one, of a temperature sensor."""
        try:
            found = self._tools.targets.one(parse, ("climate",))
        except Refusal:
            found = self._tools.targets.one(parse, ("sensor",), _measures_temperature)
            if not _measures_temperature(found):
                raise
        return self._tools.told(parse, [found])


class SetTemperature:
    """HassClimateSetTemperature."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the target of every thermostat of the place, or of the only one; "up two degrees" is no target."""
        temperature = float(plain(number(parse, "temperature")))
        found = _thermostats(self._tools, parse)
        if not all(_can_reach(thermostat, temperature) for thermostat in found):
            raise Refusal("no_intent")
        for thermostat in found:
            self._tools.home.set_attribute(thermostat, "temperature", temperature)
            if thermostat.state == "off":
                self._tools.home.set_state(thermostat, "heat")
        return self._tools.done(parse, found)


class SetFanMode:
    """HassClimateSetFanMode."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the fan mode of every thermostat of the place, or of the only one."""
        mode = parse.value("fan_mode")
        if mode is None:
            raise Refusal("no_intent")
        found = _thermostats(self._tools, parse)
        for thermostat in found:
            self._tools.home.set_attribute(thermostat, "fan_mode", str(mode))
        return self._tools.done(parse, found)


def _thermostats(tools: Toolbox, parse: Parse) -> list[EntityState]:
    if parse.value("area") is None and parse.value("floor") is None:
        return [tools.targets.one(parse, ("climate",))]
    return tools.targets.find(parse, ("climate",))


def _can_reach(thermostat: EntityState, temperature: float) -> bool:
    least, most = thermostat.attributes.get("min_temp", _COLDEST), thermostat.attributes.get("max_temp", _WARMEST)
    return float(str(least)) <= temperature <= float(str(most))


def _measures_temperature(entity: EntityState) -> bool:
    return entity.domain == "climate" or entity.device_class == "temperature"
