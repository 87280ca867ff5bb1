"""Questions about states: is it, are any, are all, which, how many, where."""

from __future__ import annotations

from edge.dialogue.state import EntityState
from edge.dialogue.targets import Refusal, same
from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply


class GetState:
    """HassGetState."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the state of a device, or which devices of the home or of a named place are in a state."""
        domains = {entity.domain for entity in self._tools.home.entities.values()} or {"light"}
        try:
            found = self._tools.targets.find(parse, domains, everywhere=True)
        except Refusal as refusal:
            if parse.value("name") is not None or not refusal.key.endswith(("_in_area", "_in_floor")):
                raise
            found = []
        state = next((slot for slot in parse.slots if slot.name == "state"), None)
        if state is None:
            return self._tools.told(parse, found)
        wanted = {str(state.value), state.text or str(state.value)}
        matched = [entity for entity in found if any(_is(entity, word) for word in wanted)]
        unmatched = [entity for entity in found if entity not in matched]
        return self._tools.told(parse, matched, unmatched)


def _is(entity: EntityState, state: str) -> bool:
    own = entity.attributes.get("spoken_state")
    spoken = own.get(entity.state) if isinstance(own, dict) else None
    return same(state, entity.state) or (spoken is not None and same(state, str(spoken)))
