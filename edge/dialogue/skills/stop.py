"""Stopping what moves, cleans, mows or plays, and letting machines pause."""

from __future__ import annotations

from collections.abc import Collection

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Toolbox
from edge.types import Action, Entity, Parse, Reply

_SERVICES = {
    "cover": "cover.stop_cover",
    "valve": "valve.stop_valve",
    "vacuum": "vacuum.stop",
    "lawn_mower": "lawn_mower.pause",
    "media_player": "media_player.media_stop",
}
_UNDER_WAY = frozenset(("opening", "closing", "cleaning", "returning", "mowing", "playing", "buffering"))
_KINDS = {"media": ("media_player",), "cover": ("cover", "valve")}
_CAN_STOP = {"vacuum": 8, "media_player": 4096, "cover": 8, "valve": 8}
"""Home Assistant's bit of ``supported_features`` that says so."""
_PAUSES = {"vacuum": "vacuum.pause", "media_player": "media_player.media_pause"}
"""What is called where a device cannot stop."""
_PAUSE = {"vacuum": "vacuum.pause", "lawn_mower": "lawn_mower.pause"}


class Pause:
    """EdgePause: vacuum cleaners and lawn mowers."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Pause what is meant."""
        found = self._tools.targets.find(parse, tuple(_PAUSE), self._tools.everywhere(parse))
        return self._tools.carry_out(parse, [Step(entity, _PAUSE[entity.domain]) for entity in found])


class Stop:
    """EdgeStop: covers, valves, vacuum cleaners, lawn mowers and players; ``what`` or ``domain`` names the kind."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Stop what is meant; of several, unnamed, those that are under way."""
        what = str(parse.value("what") or "")
        domains = _KINDS.get(what) or ((what,) if what in _SERVICES else tuple(_SERVICES))
        found = self._tools.targets.find(parse, domains, self._tools.everywhere(parse))
        if parse.value("name") is None:
            found = self._under_way(found, parse, domains)
        return self._tools.carry_out(parse, [_step(entity) for entity in found])

    def _under_way(self, found: list[Entity], parse: Parse, domains: Collection[str]) -> list[Entity]:
        """Those under way here, else in the whole home; else all covers of the kind, which may move unseen.

        Raises:
            Refusal: nothing is under way.
        """
        moving = [entity for entity in found if entity.state in _UNDER_WAY]
        if not moving and parse.value("area") is None and parse.value("floor") is None:
            everywhere = self._tools.targets.find(parse, domains, everywhere=True)
            moving = [entity for entity in everywhere if entity.state in _UNDER_WAY]
        if moving:
            return moving
        covers = [entity for entity in found if entity.domain in ("cover", "valve")]
        if not covers or parse.value("domain") is None:
            raise Refusal("nothing_runs")
        return covers


def _step(entity: Entity) -> Step:
    features, bit = entity.attributes.get("supported_features"), _CAN_STOP.get(entity.domain)
    lacks = isinstance(features, int) and bit is not None and not features & bit
    if lacks and entity.domain not in _PAUSES:
        raise Refusal("refused", entity=entity.name)
    return Step(entity, _PAUSES[entity.domain] if lacks else _SERVICES[entity.domain])
