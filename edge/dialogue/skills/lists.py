"""Shopping and to-do lists."""

from __future__ import annotations

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.home.simulated import SHOPPING_LIST
from edge.types import Action, Parse, Reply


class Lists:
    """HassListAddItem, HassListCompleteItem, HassListRemoveItem and their HassShoppingList… twins."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Add, tick off or remove an item."""
        item = str(parse.value("item") or "").strip()
        if not item:
            raise Refusal("no_intent")
        list_id = self._list(parse)
        intent, home = parse.intent or "", self._tools.home
        if intent.endswith("AddItem"):
            home.add_item(list_id, item)
        else:
            change = home.remove_item if intent.endswith("RemoveItem") else home.complete_item
            if not change(list_id, item):
                raise Refusal("no_entity", entity=item)
        return self._tools.done(parse, slots={"item": item}, touched=(list_id,))

    def _list(self, parse: Parse) -> str:
        if parse.value("name") is not None:
            return self._tools.targets.one(parse, ("todo",)).id
        if (parse.intent or "").startswith("HassShoppingList"):
            return SHOPPING_LIST
        return self._tools.targets.one(parse, ("todo",)).id
