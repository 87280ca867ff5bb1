"""Shopping and to-do lists."""

from __future__ import annotations

from collections.abc import Mapping

from edge.dialogue.targets import Refusal, same
from edge.dialogue.toolbox import Step, Toolbox
from edge.types import Action, Entity, Parse, Reply, ServiceCall

_SHOPPING_LIST = "todo.shopping_list"


class Lists:
    """HassListAddItem, HassListCompleteItem, HassListRemoveItem and their HassShoppingList… twins."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Add, tick off or remove one item or several."""
        items = [str(slot.value).strip() for slot in parse.slots if slot.name == "item"]
        if not items or not all(items):
            raise Refusal("no_intent")
        todo, intent = the_list(self._tools, parse), parse.intent or ""
        if intent.endswith("AddItem"):
            needed = [text for text, done in self._listed(todo).items() if not done]
            new = [item for item in items if not any(same(item, text) for text in needed)]
            if not new:
                return self._tools.told(parse, [todo], slots={"item": ", ".join(items)})
            steps = [Step(todo, "todo.add_item", {"item": item}) for item in new]
        else:
            listed = items_of(self._tools, todo)
            steps = [_step(todo, intent, _listed_as(listed, item, intent)) for item in items]
        return self._tools.carry_out(parse, steps, slots={"item": ", ".join(items)})

    def _listed(self, todo: Entity) -> Mapping[str, bool]:
        """What is on a list, so that nothing is added twice; nothing where it cannot be read."""
        try:
            return items_of(self._tools, todo)
        except Refusal:
            return {}


class TellList:
    """EdgeListItems, EdgeCountItems: what is on a list that is not done."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Read a list aloud, or tell how many items it has."""
        todo = the_list(self._tools, parse)
        items = [text for text, done in items_of(self._tools, todo).items() if not done]
        key = "default" if items else "empty"
        slots = {"entries": items, "count": len(items), "name": todo.name}
        return self._tools.told(parse, [todo], slots=slots, key=key)


def the_list(tools: Toolbox, parse: Parse) -> Entity:
    """The list that is named, else the only list, else the shopping list where an item's list was not said.

    Raises:
        Refusal: there is none.
        Question: there are several, and none is the shopping list.
    """
    return tools.targets.one(parse, ("todo",), lambda todo: todo.id == _SHOPPING_LIST)


def items_of(tools: Toolbox, todo: Entity) -> dict[str, bool]:
    """Texts of a list's items, and whether they are done.

    Raises:
        Refusal: the list could not be read.
    """
    outcome = tools.outcome(ServiceCall("todo", "get_items", (todo.id,)))
    if not outcome.done:
        raise Refusal(outcome.status.name.lower(), entity=todo.name)
    answer = outcome.response.get(todo.id)
    items = answer.get("items") if isinstance(answer, Mapping) else None
    entries = [item for item in items if isinstance(item, Mapping)] if isinstance(items, (list, tuple)) else []
    return {str(item.get("summary")): item.get("status") == "completed" for item in entries}


def _listed_as(listed: Mapping[str, bool], said: str, intent: str) -> str:
    """The item as the list has it."""
    ticking = intent.endswith("CompleteItem")
    found = next((text for text, done in listed.items() if same(text, said) and not (ticking and done)), None)
    if found is None:
        raise Refusal("no_entity", entity=said)
    return found


def _step(todo: Entity, intent: str, item: str) -> Step:
    if intent.endswith("RemoveItem"):
        return Step(todo, "todo.remove_item", {"item": item})
    return Step(todo, "todo.update_item", {"item": item, "status": "completed"})
