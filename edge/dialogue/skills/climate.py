"""Temperatures, humidity and modes of thermostats, water heaters and humidifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.dialogue.skills.levels import number, percent
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Toolbox
from edge.dialogue.views import plain
from edge.types import Action, Entity, Parse, Reply

_COLDEST, _WARMEST = {"°C": 7.0, "°F": 45.0}, {"°C": 35.0, "°F": 95.0}
"""Home Assistant's range of target temperatures, for thermostats that do not tell theirs."""


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
        if not found.reachable:
            raise Refusal("unreachable", entity=found.name)
        return self._tools.told(parse, [_read(found)])


class SetTemperature:
    """HassClimateSetTemperature."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the target of every thermostat of the place, or of the only one; one that is off goes on."""
        temperature = float(plain(number(parse, "temperature")))
        found = thermostats(self._tools, parse)
        unit = self._tools.home.snapshot().temperature_unit
        if not all(_can_reach(thermostat, temperature, unit) for thermostat in found):
            raise Refusal("no_intent")
        off = [Step(entity, f"{entity.domain}.turn_on") for entity in found if entity.state == "off"]
        set_to = [Step(entity, f"{entity.domain}.set_temperature", {"temperature": temperature}) for entity in found]
        return self._tools.carry_out(parse, [*off, *set_to], tell=target_temperature)


class SetFanMode:
    """HassClimateSetFanMode."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the fan mode of every thermostat of the place, or of the only one."""
        mode = parse.value("fan_mode")
        if mode is None:
            raise Refusal("no_intent")
        found = thermostats(self._tools, parse)
        steps = [Step(thermostat, "climate.set_fan_mode", {"fan_mode": str(mode)}) for thermostat in found]
        return self._tools.carry_out(parse, steps)


class SetMode:
    """EdgeClimateSetMode: heating, cooling and other modes of thermostats, in the slot ``hvac_mode``."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the mode of every thermostat of the place, or of the only one."""
        mode = parse.value("hvac_mode")
        if mode is None:
            raise Refusal("no_intent")
        found = thermostats(self._tools, parse, ("climate",))
        steps = [Step(thermostat, "climate.set_hvac_mode", {"hvac_mode": str(mode)}) for thermostat in found]
        return self._tools.carry_out(parse, steps)


class SetHumidity:
    """EdgeSetHumidity: the target of humidifiers and thermostats in percent, in the slot ``humidity``."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set every humidifier that is meant; where there is none, every thermostat that has a target humidity."""
        humidity = percent(parse, "humidity")
        found = humidifiers(self._tools, parse)
        steps = [Step(entity, f"{entity.domain}.set_humidity", {"humidity": humidity}) for entity in found]
        return self._tools.carry_out(parse, steps)


def thermostats(tools: Toolbox, parse: Parse, domains: tuple[str, ...] = ("climate", "water_heater")) -> list[Entity]:
    """Those of the place, or the one that is named, or the only one; a water heater only by its name."""
    if parse.value("name") is None:
        domains = ("climate",)
    if parse.value("area") is None and parse.value("floor") is None:
        return [tools.targets.one(parse, domains)]
    return tools.targets.find(parse, domains)


def humidifiers(tools: Toolbox, parse: Parse) -> list[Entity]:
    """Humidifiers that are meant, else thermostats that have a target humidity.

    Raises:
        Refusal: there is neither.
    """
    if parse.value("name") is not None:
        return [tools.targets.one(parse, ("humidifier", "climate"))]
    try:
        return tools.targets.find(parse, ("humidifier",))
    except Refusal:
        found = [one for one in tools.targets.find(parse, ("climate",)) if "humidity" in one.attributes]
        if not found:
            raise
        return found


def target_temperature(found: Sequence[Entity]) -> Mapping[str, object]:
    """The target that the first device has now."""
    value = found[0].attributes.get("temperature")
    return {"temperature": plain(value)} if isinstance(value, (int, float)) else {}


def _can_reach(thermostat: Entity, temperature: float, unit: str) -> bool:
    least = thermostat.number("min_temp", _COLDEST.get(unit, _COLDEST["°C"]))
    return least <= temperature <= thermostat.number("max_temp", _WARMEST.get(unit, _WARMEST["°C"]))


def _measures_temperature(entity: Entity) -> bool:
    return entity.domain == "climate" or entity.device_class == "temperature"


def _read(entity: Entity) -> Entity:
    """The device with its current temperature as its state, which the package's replies of 17 languages tell."""
    current = entity.attributes.get("current_temperature")
    return entity if current is None else replace(entity, state=str(current))
