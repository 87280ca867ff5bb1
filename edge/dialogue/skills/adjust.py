"""A little more or less: brightness, volume, speed, position, temperature, humidity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from edge.dialogue.skills.climate import humidifiers, target_temperature, thermostats
from edge.dialogue.skills.levels import attribute_told, moved, number
from edge.dialogue.skills.lights import brighter, brightness_told
from edge.dialogue.skills.media import doing, louder, volume_told
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Tell, Toolbox
from edge.types import Action, Entity, Parse, Reply, Slot

_WHAT_OF = {
    "light": "brightness",
    "media_player": "volume",
    "fan": "speed",
    "cover": "position",
    "valve": "position",
    "climate": "temperature",
    "water_heater": "temperature",
    "humidifier": "humidity",
}
"""What is adjusted of a device where nobody said it."""


@dataclass(frozen=True)
class _Quantity:
    """``step`` is taken where no amount was said; ``intent`` and ``slot`` are those of the package's reply."""

    step: float
    find: Callable[[Toolbox, Parse], Sequence[Entity]]
    steps: Callable[[Sequence[Entity], float], list[Step]]
    tell: Tell
    intent: str
    slot: str


class Adjust:
    """EdgeAdjust: ``what`` in the ``direction`` *up* or *down*, by ``step`` percent or degrees."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Change every device that is meant, and tell the value that it has then."""
        direction, what = parse.value("direction"), self._what(parse)
        quantity = _QUANTITIES.get(what)
        if quantity is None or direction not in ("up", "down"):
            raise Refusal("no_intent")
        step = abs(number(parse, "step")) if parse.value("step") is not None else quantity.step
        found = quantity.find(self._tools, parse)
        steps = quantity.steps(found, step if direction == "up" else -step)
        if not steps:
            raise Refusal("feature_not_supported")
        spoken = replace(parse, intent=quantity.intent, slots=(*parse.slots, Slot(quantity.slot, 0)))
        return self._tools.carry_out(parse, steps, tell=_with_level(quantity), key=what, otherwise=spoken)

    def _what(self, parse: Parse) -> str:
        what = parse.value("what")
        if what is not None:
            return str(what)
        domain = parse.value("domain")
        if domain is None and parse.value("name") is not None:
            domain = self._tools.targets.one(parse, tuple(_WHAT_OF)).domain
        return _WHAT_OF.get(str(domain), "")


def _with_level(quantity: _Quantity) -> Tell:
    def tell(found: Sequence[Entity]) -> dict[str, object]:
        shown = dict(quantity.tell(found))
        return {**shown, "level": next(iter(shown.values()), None)}

    return tell


def _faster(found: Sequence[Entity], change: float) -> list[Step]:
    """Fans by percent: those that are on; where none is, faster turns them on. Slower leaves a fan on.

    Raises:
        Refusal: none of them is on, so that none can be slower.
    """
    running = [fan for fan in found if fan.state == "on"]
    if not running and change < 0:
        raise Refusal("entity_wrong_state", state="on")
    steps = []
    for fan in running or found:
        least = max(1.0, fan.number("percentage_step", 1.0))
        before = fan.number("percentage") if running else 0.0
        level = round(min(100.0, max(least, before + change)))
        steps.append(Step(fan, "fan.set_percentage", {"percentage": level}))
    return steps


def _further(found: Sequence[Entity], change: float) -> list[Step]:
    """Covers and valves by percent; those without positions cannot."""
    able = [one for one in found if "current_position" in one.attributes]
    return [moved(one, round(min(100.0, max(0.0, one.number("current_position") + change)))) for one in able]


def _warmer(found: Sequence[Entity], change: float) -> list[Step]:
    steps = []
    for thermostat in found:
        before = thermostat.attributes.get("temperature")
        if isinstance(before, (int, float)):
            least, most = thermostat.number("min_temp", float("-inf")), thermostat.number("max_temp", float("inf"))
            data = {"temperature": min(most, max(least, before + change))}
            steps.append(Step(thermostat, f"{thermostat.domain}.set_temperature", data))
    return steps


def _damper(found: Sequence[Entity], change: float) -> list[Step]:
    steps = []
    for one in found:
        if isinstance(one.attributes.get("humidity"), (int, float)):
            data = {"humidity": _held(one, one.number("humidity") + change)}
            steps.append(Step(one, f"{one.domain}.set_humidity", data))
    return steps


def _held(humidifier: Entity, humidity: float) -> int:
    return round(min(humidifier.number("max_humidity", 100), max(humidifier.number("min_humidity", 0), humidity)))


def _lights(tools: Toolbox, parse: Parse) -> Sequence[Entity]:
    return tools.targets.find(parse, ("light",), tools.everywhere(parse))


def _players(tools: Toolbox, parse: Parse) -> Sequence[Entity]:
    return [tools.targets.one(parse, ("media_player",), doing("playing"))]


def _fans(tools: Toolbox, parse: Parse) -> Sequence[Entity]:
    return tools.targets.find(parse, ("fan",), tools.everywhere(parse))


def _covers(tools: Toolbox, parse: Parse) -> Sequence[Entity]:
    if all(parse.value(slot) is None for slot in ("name", "domain", "device_class")):
        raise Refusal("no_intent")
    return tools.targets.find(parse, ("cover", "valve"), tools.everywhere(parse))


def _each_louder(found: Sequence[Entity], change: float) -> list[Step]:
    return [louder(player, change) for player in found]


_QUANTITIES = {
    "brightness": _Quantity(20, _lights, brighter, brightness_told, "HassLightSet", "brightness"),
    "volume": _Quantity(10, _players, _each_louder, volume_told, "HassSetVolume", "volume_level"),
    "speed": _Quantity(20, _fans, _faster, attribute_told("percentage", "percentage"), "HassFanSetSpeed", "percentage"),
    "position": _Quantity(
        20, _covers, _further, attribute_told("current_position", "position"), "HassSetPosition", "position"
    ),
    "temperature": _Quantity(1, thermostats, _warmer, target_temperature, "HassClimateSetTemperature", "temperature"),
    "humidity": _Quantity(
        5, humidifiers, _damper, attribute_told("humidity", "humidity"), "EdgeSetHumidity", "humidity"
    ),
}
"""Steps as Home Assistant's and other assistants': a volume step of 10 %, a degree of temperature."""
