"""Runs cases on the device's own path from typed text to reply, in a simulated home per case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from itertools import groupby

from benchmarks.people.cases import Case, Result, State, changes
from benchmarks.people.units import from_simulated, to_simulated
from edge import compose
from edge.assistant import Assistant
from edge.bundle.format import Bundle
from edge.dialogue.dialogue import Dialogue, open_dialogue
from edge.grammar.completeness import completeness
from edge.home.clock import FakeClock
from edge.home.simulated import ListItem, SimulatedHome
from edge.home.timers import Timer
from edge.parts import Mind, Turn
from edge.protocols import Parser
from edge.types import Home, Parse, Reply, Transcript

_NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone.utc)


def run_device(cases: Iterable[Case], bundle: Bundle) -> Iterator[Result]:
    """A result per case; a parser is made once for all consecutive cases of a home and language."""
    for (_, language), group in groupby(cases, key=lambda case: (case.home_id, case.language)):
        alike = list(group)
        parser = compose.parser(bundle, _without_states(alike[0].home), _known(language, bundle))
        for case in alike:
            yield _run(case, parser, bundle)


def _run(case: Case, parser: Parser, bundle: Bundle) -> Result:
    dialogue = _open(case, bundle)
    mind = Mind(parser, dialogue, completeness, lambda: Reply("", case.language), dialogue.due)
    before = _snapshot(dialogue.state)
    turns = list(Assistant(mind).turns(Transcript(text) for text in case.say))
    found = changes(before, _snapshot(dialogue.state))
    found |= _elsewhere(turns, found.keys() | dialogue.state.entities.keys())
    last = turns[-1]
    asked = last.reply is not None and last.reply.expects_answer
    return Result(
        case.id,
        {entity_id: from_simulated(entity_id, changed) for entity_id, changed in found.items()},
        [turn.reply.text if turn.reply else "" for turn in turns],
        asked,
        last.action is None and not asked,
        [[_parse_json(turn.parse)] if turn.parse else [] for turn in turns],
        next((turn.error for turn in turns if turn.error), None),
    )


def _known(language: str, bundle: Bundle) -> str | None:
    """The bundle's code for the language, or None, which lets the student find it."""
    primary = language.split("-")[0]
    known = [name for name in bundle.manifest.languages if name.split("-")[0] == primary]
    return language if language in known else min(known, key=len, default=None)


def _open(case: Case, bundle: Bundle) -> Dialogue:
    """A dialogue in a home whose devices, lists and timers are as the case says."""
    clock = FakeClock(datetime.fromisoformat(case.now) if case.now else _NOW)
    dialogue = open_dialogue(
        to_simulated(case.home), preferred_area=case.area, clock=clock, own_replies=bundle.manifest.replies
    )
    for entity in dialogue.state.entities.values():
        items = entity.attributes.pop("items", None)
        if isinstance(items, list):
            dialogue.state.lists[entity.id] = [ListItem(str(item)) for item in items]
    for timer_id, state in case.timers.items():
        seconds, name = state.attributes.get("seconds", 0), state.attributes.get("name")
        active = state.state != "paused"
        dialogue.state.timers.restore(
            Timer(timer_id, seconds, seconds, 0.0, name, language=case.language, active=active)
        )
    return dialogue


def _snapshot(home: SimulatedHome) -> dict[str, State]:
    """State and attributes of every device, list and timer."""
    found: dict[str, State] = {
        entity.id: {"state": entity.state, **entity.attributes} for entity in home.entities.values()
    }
    for list_id, items in home.lists.items():
        found.setdefault(list_id, {})["items"] = [item.text for item in items if not item.done]
    for timer in home.timers.all():
        seconds = round(home.timers.remaining_s(timer))
        found[timer.id] = {"state": "active" if timer.active else "paused", "seconds": seconds, "name": timer.name}
    return found


def _elsewhere(turns: Iterable[Turn], known: Iterable[str]) -> dict[str, dict[str, tuple[object, object]]]:
    """What actions changed that is no device, list or timer: announcements."""
    found: dict[str, dict[str, tuple[object, object]]] = {}
    for turn in turns:
        for change in turn.action.changes if turn.action else ():
            if change.entity_id not in set(known) and not change.entity_id.startswith(("timer.", "todo.")):
                found.setdefault(change.entity_id, {})[change.attribute] = (change.before, change.after)
    return found


def _parse_json(parse: Parse) -> dict[str, object]:
    slots: dict[str, object] = {}
    for slot in parse.slots:
        others = slots.get(slot.name)
        if others is None:
            slots[slot.name] = slot.value
        else:
            slots[slot.name] = [*others, slot.value] if isinstance(others, list) else [others, slot.value]
    return {"intent": parse.intent, "slots": slots, "confidence": round(parse.confidence, 4)}


def _without_states(home: Home) -> Home:
    """The home as the parser sees it, which is the same for all its cases."""
    return replace(home, entities=tuple(replace(entity, state=None) for entity in home.entities))
