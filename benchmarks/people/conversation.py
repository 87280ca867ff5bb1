"""The home of a case before and after its turns, and what came of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from benchmarks.people.cases import Case, Changes, Result, State, changes
from edge.bundle.format import Bundle
from edge.dialogue.dialogue import Dialogue, open_dialogue
from edge.dialogue.replies import Replies
from edge.home.clock import FakeClock
from edge.home.simulated import COMPLETED
from edge.home.timers import Timer
from edge.types import Action, Parse, Reply

_NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Answer:
    """One turn: what was understood, done and said; ``actions`` are empty where it was refused or asked back."""

    parses: tuple[Parse, ...]
    actions: tuple[Action, ...]
    reply: Reply
    error: str | None = None


class Conversation:
    """The dialogue of a case, in a home whose devices, lists and timers are as the case says."""

    def __init__(self, case: Case, bundle: Bundle, replies: Replies | None = None) -> None:
        clock = FakeClock(datetime.fromisoformat(case.now) if case.now else _NOW)
        self._case = case
        self.dialogue: Dialogue = open_dialogue(
            case.home,
            preferred_area=case.area,
            clock=clock,
            own_replies=bundle.manifest.replies,
            replies=replies,
        )
        self._set_up_timers()
        self._before = _snapshot(self.dialogue)

    def result(self, answers: Sequence[Answer]) -> Result:
        """What changed since the start, and what was said."""
        found = changes(self._before, _snapshot(self.dialogue))
        found |= _elsewhere(answers, found.keys() | self._before.keys())
        last = answers[-1]
        return Result(
            self._case.id,
            found,
            [answer.reply.text for answer in answers],
            last.reply.expects_answer,
            not last.actions and not last.reply.expects_answer,
            [[_parse_json(parse) for parse in answer.parses] for answer in answers],
            next((answer.error for answer in answers if answer.error), None),
        )

    def _set_up_timers(self) -> None:
        for timer_id, given in self._case.timers.items():
            seconds, name = given.attributes.get("seconds", 0), given.attributes.get("name")
            active = given.state != "paused"
            self.dialogue.timers.restore(
                Timer(timer_id, seconds, seconds, 0.0, name, language=self._case.language, active=active)
            )


def _snapshot(dialogue: Dialogue) -> dict[str, State]:
    """State and attributes of every device, list and timer; of a list, the open items alone."""
    found: dict[str, State] = {}
    for entity in dialogue.home.snapshot().entities:
        attributes = {name: value for name, value in entity.attributes.items() if name != COMPLETED}
        found[entity.id] = {"state": entity.state, **attributes}
    for timer in dialogue.timers.all():
        seconds = round(dialogue.timers.remaining_s(timer))
        found[timer.id] = {"state": "active" if timer.active else "paused", "seconds": seconds, "name": timer.name}
    return found


def _elsewhere(answers: Sequence[Answer], known: Collection[str]) -> Changes:
    """What actions changed beside devices, lists and timers: announcements."""
    found: Changes = {}
    for change in (change for answer in answers for action in answer.actions for change in action.changes):
        if change.entity_id not in known and not change.entity_id.startswith(("timer.", "todo.")):
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
