"""Brightness, colour and colour temperature of lights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.dialogue.skills.levels import number, percent
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Toolbox
from edge.home.colors import rgb_of
from edge.types import Action, Entity, Parse, Reply, Slot

_STEP = 20.0
_LEAST = 5.0
_FULL = 255
_COLORLESS = frozenset(("onoff", "brightness", "unknown"))


class LightSet:
    """HassLightSet: brightness in percent, a colour by name, or a temperature in kelvin."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set every light that is meant; one that was off goes on, brightness 0 turns it off.

        ``brightness_step`` *up* and *down* change those that are on, by ``step`` percent where it was said; only *up*
        turns lights on, where none is.
        """
        wanted, step = _wanted(parse), parse.value("brightness_step")
        if not wanted and step not in ("up", "down"):
            raise Refusal("no_intent")
        found = self._tools.targets.find(parse, ("light",), self._tools.everywhere(parse))
        if not wanted:
            amount = abs(number(parse, "step")) if parse.value("step") is not None else _STEP
            steps = brighter(found, amount if step == "up" else -amount)
            slots = tuple(slot for slot in parse.slots if slot.name not in ("brightness_step", "step"))
            spoken = replace(parse, slots=(*slots, Slot("brightness", 0)))
            return self._tools.carry_out(parse, steps, tell=brightness_told, spoken_as=spoken)
        able = [light for light in found if _can(light, wanted)]
        if not able:
            raise Refusal("feature_not_supported")
        off = wanted.get("brightness_pct") == 0
        steps = [Step(light, "light.turn_off") if off else Step(light, "light.turn_on", wanted) for light in able]
        tell = brightness_told if "brightness_pct" in wanted and not off else None
        return self._tools.carry_out(parse, steps, tell=tell)


def brighter(found: Sequence[Entity], change: float) -> list[Step]:
    """What makes lights brighter or darker by percent: those that are on; where none is, brighter turns them on.

    Raises:
        Refusal: none of them is on, so that none can be darker.
    """
    lit = [light for light in found if light.state == "on"]
    if not lit and change < 0:
        raise Refusal("entity_wrong_state", state="on")
    steps = []
    for light in lit or found:
        before = 100 * light.number("brightness", _FULL) / _FULL if lit else 0.0
        level = round(min(100.0, max(_LEAST, before + change)))
        steps.append(Step(light, "light.turn_on", {"brightness_pct": level}))
    return steps


def brightness_told(found: Sequence[Entity]) -> Mapping[str, object]:
    """The brightness that the lights have now, in percent and on average."""
    levels = [100 * light.number("brightness") / _FULL for light in found if "brightness" in light.attributes]
    return {"brightness": str(round(sum(levels) / len(levels)))} if levels else {}


def _wanted(parse: Parse) -> dict[str, object]:
    """The data of ``light.turn_on``.

    Raises:
        Refusal: A brightness or colour temperature is not a number.
    """
    data: dict[str, object] = {}
    if parse.value("brightness") is not None:
        data["brightness_pct"] = percent(parse, "brightness")
    if parse.value("color") is not None:
        name = str(parse.value("color"))
        rgb = rgb_of(name)
        data.update({"color_name": name} if rgb is None else {"rgb_color": list(rgb)})
    if parse.value("temperature") is not None:
        data["color_temp_kelvin"] = round(number(parse, "temperature"))
    return data


def _can(light: Entity, wanted: Mapping[str, object]) -> bool:
    """Whether the light has what is wanted, as far as it tells its modes."""
    modes = light.attributes.get("supported_color_modes")
    if not isinstance(modes, (list, tuple)):
        return True
    known = {str(mode) for mode in modes}
    if "brightness_pct" in wanted and known <= {"onoff", "unknown"}:
        return False
    colors = {"rgb_color", "color_name"} & wanted.keys()
    if colors and known <= _COLORLESS | {"color_temp"}:
        return False
    return not ("color_temp_kelvin" in wanted and known <= _COLORLESS)
