"""Positions of covers and valves, and speeds of fans, in percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Tell, Toolbox
from edge.dialogue.views import plain
from edge.types import Action, Entity, Parse, Reply

_WHOLE_WAY = {0: "close", 100: "open"}


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
        steps = [moved(entity, position) for entity in found]
        return self._tools.carry_out(parse, steps, tell=attribute_told("current_position", "position"))


class FanSetSpeed:
    """HassFanSetSpeed."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the speed of every fan that is meant; 0 turns it off."""
        percentage = percent(parse, "percentage")
        found = self._tools.targets.find(parse, ("fan",), self._tools.everywhere(parse))
        steps = [Step(fan, "fan.set_percentage", {"percentage": percentage}) for fan in found]
        return self._tools.carry_out(parse, steps, tell=attribute_told("percentage", "percentage"))


def attribute_told(attribute: str, slot: str) -> Tell:
    """The number that the first device has now, as a slot of the reply."""

    def tell(found: Sequence[Entity]) -> Mapping[str, object]:
        value = found[0].attributes.get(attribute)
        return {slot: plain(value)} if isinstance(value, (int, float)) else {}

    return tell


def moved(entity: Entity, position: int) -> Step:
    """The service that moves a cover or valve; one without positions is opened or closed the whole way."""
    way = _WHOLE_WAY.get(position)
    if way is not None and "current_position" not in entity.attributes:
        return Step(entity, f"{entity.domain}.{way}_{entity.domain}")
    return Step(entity, f"{entity.domain}.set_{entity.domain}_position", {"position": position})


def percent(parse: Parse, slot: str) -> int:
    """A slot's number, held within 0 and 100.

    Raises:
        Refusal: The slot is missing or not a number.
    """
    return round(min(100.0, max(0.0, number(parse, slot))))


def number(parse: Parse, slot: str) -> float:
    """A slot's number.

    Raises:
        Refusal: The slot is missing or not a number.
    """
    try:
        return float(str(parse.value(slot)))
    except ValueError as error:
        raise Refusal("no_intent") from error
