"""Questions about states: is it, are any, are all, which, how many, where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from edge.dialogue.targets import Refusal, same
from edge.dialogue.toolbox import Toolbox
from edge.dialogue.views import plain_state
from edge.types import Action, Entity, Parse, Reply, Slot

_SENSOR_CLASSES = {"garage": "garage_door"}
"""What Home Assistant calls the contact sensor of a cover's class, where that is not the same."""
_APPLIANCES = ("light", "switch", "fan", "media_player", "climate", "humidifier", "water_heater", "input_boolean")
_OPENINGS = ("cover", "valve", "binary_sensor")
_KINDS = {
    **dict.fromkeys(("on", "off"), _APPLIANCES),
    **dict.fromkeys(("open", "closed"), _OPENINGS),
    **dict.fromkeys(("locked", "unlocked"), ("lock",)),
    **dict.fromkeys(("playing", "paused"), ("media_player",)),
}
"""What "is anything open" and "what is on" ask about."""
_ON = {
    "media_player": frozenset(("on", "playing", "paused", "buffering")),
    "vacuum": frozenset(("cleaning",)),
    "lawn_mower": frozenset(("mowing",)),
}
"""States that people call on; heating, cooling and the like are on too."""
_MODES = ("climate", "water_heater")
_UNDER_WAY = frozenset(("opening", "closing", "locking", "unlocking", "returning"))
"""States of which neither yes nor no says enough."""
_STATES = _KINDS.keys() | _UNDER_WAY | {"idle", "standby", "docked", "cleaning", "mowing", "home", "not_home"}
"""What is a state in every language, for a slot's value is Home Assistant's."""


class GetState:
    """HassGetState."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the state of a device, or which devices of the home or of a named place are in a state.

        A question about something that is not a state is answered with the device's state, not with yes or no.
        """
        named, state = parse.value("name") is not None, _asked(parse)
        try:
            found = self._found(parse)
        except Refusal as refusal:
            found = self._instead(parse, refusal)
            state = None if named else state
        if len(found) == 1 and not found[0].reachable:
            raise Refusal("unreachable", entity=found[0].name)
        if state is None:
            return self._tools.told(parse, found, key="one" if named and _asked(parse) else None)
        wanted = {str(state.value), state.text or str(state.value)}
        matched = [entity for entity in found if any(self._is(entity, word, parse.language) for word in wanted)]
        known = bool(matched) or not found or any(self._is_state(parse.language, word, found) for word in wanted)
        if named and len(found) == 1 and (not known or _tells_more(found[0], str(state.value))):
            return self._tools.told(parse, found, key="one")
        if not known:
            raise Refusal("no_intent")
        action, reply = self._tools.told(parse, matched, [entity for entity in found if entity not in matched])
        return action, self._with_state(reply, matched[0]) if named and len(found) == len(matched) == 1 else reply

    def _with_state(self, reply: Reply, entity: Entity) -> Reply:
        """A yes with the state beside it, which answers "is it on or off" too."""
        word = self._tools.replies.state_word(reply.language, entity)
        if word is None or word.casefold() in reply.text.casefold():
            return reply
        return replace(reply, text=f"{reply.text.rstrip('.。')}, {word}")

    def _instead(self, parse: Parse, refusal: Refusal) -> list[Entity]:
        """The answer if no device fits: the state of a device without a known place, or that a place has none.

        Raises:
            Refusal: neither is so.
        """
        if parse.value("name") is not None:
            if refusal.key not in ("no_area", "no_floor"):
                raise refusal
            placeless = tuple(slot for slot in parse.slots if slot.name not in ("area", "floor"))
            return [self._tools.targets.one(replace(parse, slots=placeless), self._domains())]
        absent = refusal.key.endswith(("_in_area", "_in_floor"))
        if not absent or self._tools.replies.choose(parse).key == "all":
            raise refusal
        return []

    def _is(self, entity: Entity, state: str, language: str) -> bool:
        """Whether a device is in a state, which Home Assistant or the language calls so."""
        names = (entity.state, plain_state(entity), self._tools.replies.state_word(language, entity))
        return any(name is not None and same(state, name) for name in names) or _is_called(entity, state)

    def _is_state(self, language: str, said: str, found: Sequence[Entity]) -> bool:
        """Whether any of ``found`` could be in the state; people can be in every place."""
        own = {str(word) for entity in found for pair in _spoken_states(entity).items() for word in pair}
        people = any(entity.domain == "person" for entity in found)
        listed = said in _STATES or self._tools.replies.is_state(language, said)
        return people or listed or any(same(said, word) for word in own)

    def _domains(self) -> Collection[str]:
        return {entity.domain for entity in self._tools.home.snapshot().entities} or {"light"}

    def _found(self, parse: Parse) -> list[Entity]:
        """What the question is about; of windows and doors, those that open by themselves and those with a sensor."""
        domains, opening = self._domains(), parse.value("device_class")
        if all(parse.value(slot) is None for slot in ("name", "domain", "device_class")):
            return self._anything(parse)
        if parse.value("domain") != "cover" or opening is None:
            return self._tools.targets.find(parse, domains, everywhere=True)
        others = tuple(slot for slot in parse.slots if slot.name not in ("domain", "device_class"))
        said = next(slot for slot in parse.slots if slot.name == "device_class")
        kind = replace(said, value=_SENSOR_CLASSES.get(str(opening), opening))
        sensors = replace(parse, slots=(Slot("domain", "binary_sensor"), kind, *others))
        found: list[Entity] = []
        refusals = []
        for asked in (parse, sensors):
            try:
                found += self._tools.targets.find(asked, domains, everywhere=True)
            except Refusal as refusal:
                refusals.append(refusal)
        if not found:
            raise refusals[0]
        return found

    def _anything(self, parse: Parse) -> list[Entity]:
        """Devices of every kind that can be in the state; contact sensors among what can be open."""
        state = _asked(parse)
        kinds = _KINDS.get(str(state.value), ()) if state is not None else ()
        found = self._tools.targets.find(parse, kinds or self._domains(), everywhere=True)
        sensors = [one for one in found if one.domain == "binary_sensor"]
        return [one for one in found if one not in sensors or not kinds or plain_state(one) in ("open", "closed")]


def _asked(parse: Parse) -> Slot | None:
    return next((slot for slot in parse.slots if slot.name == "state"), None)


def _tells_more(entity: Entity, state: str) -> bool:
    """Whether its own state says more than yes or no: it opens, or a player that may be on is paused."""
    busy = entity.domain in _ON and state in ("on", "off") and entity.state not in ("on", "off")
    return busy or entity.state in _UNDER_WAY


def _is_called(entity: Entity, state: str) -> bool:
    """Whether people call the device on or off, whose own state is another."""
    if state == "on":
        on_in_a_mode = entity.domain in _MODES and entity.state not in ("off", "unknown", "unavailable")
        return on_in_a_mode or entity.state in _ON.get(entity.domain, ())
    return state == "off" and entity.domain == "media_player" and entity.state == "standby"


def _spoken_states(entity: Entity) -> Mapping[str, object]:
    own = entity.attributes.get("spoken_state")
    return own if isinstance(own, dict) else {}
