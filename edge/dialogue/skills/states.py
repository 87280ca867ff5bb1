"""Questions about states: is it, are any, are all, which, how many, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.dialogue.targets import Refusal, same
from edge.dialogue.toolbox import Toolbox
from edge.dialogue.views import plain_state
from edge.types import Action, Entity, Parse, Reply, Slot

_SENSOR_CLASSES = {"garage": "garage_door"}
"""What Home Assistant calls the contact sensor of a cover's class, where that is not the same."""


class GetState:
    """HassGetState."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the state of a device, or which devices of the home or of a named place are in a state.

        Whether something is in what is no state is not answered: "no" would say that it is in another.
        """
        try:
            found = self._found(parse)
        except Refusal as refusal:
            absent = parse.value("name") is None and refusal.key.endswith(("_in_area", "_in_floor"))
            if not absent or self._tools.replies.choose(parse).key == "all":
                raise
            found = []
        if len(found) == 1 and not found[0].reachable:
            raise Refusal("unreachable", entity=found[0].name)
        state = next((slot for slot in parse.slots if slot.name == "state"), None)
        if state is None:
            return self._tools.told(parse, found)
        wanted = {str(state.value), state.text or str(state.value)}
        matched = [entity for entity in found if any(_is(entity, word) for word in wanted)]
        if found and not matched and not any(self._is_state(parse.language, word, found) for word in wanted):
            raise Refusal("no_intent")
        unmatched = [entity for entity in found if entity not in matched]
        return self._tools.told(parse, matched, unmatched)

    def _is_state(self, language: str, said: str, found: Sequence[Entity]) -> bool:
        """Whether any of ``found`` could be in the state; people can be in every place."""
        own = {str(word) for entity in found for pair in _spoken_states(entity).items() for word in pair}
        people = any(entity.domain == "person" for entity in found)
        return people or any(same(said, word) for word in own) or self._tools.replies.is_state(language, said)

    def _found(self, parse: Parse) -> list[Entity]:
        """What the question is about; of windows and doors, those that open by themselves and those with a sensor."""
        domains = {entity.domain for entity in self._tools.home.snapshot().entities} or {"light"}
        opening = parse.value("device_class")
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


def _is(entity: Entity, state: str) -> bool:
    names = (entity.state, plain_state(entity), _spoken_states(entity).get(entity.state or ""))
    return any(name is not None and same(state, str(name)) for name in names)


def _spoken_states(entity: Entity) -> Mapping[str, object]:
    own = entity.attributes.get("spoken_state")
    return own if isinstance(own, dict) else {}
