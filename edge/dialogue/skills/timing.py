"""Timers, named or not, several at once, and commands that are carried out later."""

from __future__ import annotations

from edge.dialogue.skills.levels import number
from edge.dialogue.targets import Candidate, Question, Refusal, same
from edge.dialogue.toolbox import Toolbox
from edge.dialogue.views import timer_view
from edge.home.timers import Timer
from edge.types import Action, Parse, Reply, Slot, StateChange

_UNIT_S = {"hours": 3600, "minutes": 60, "seconds": 1}


class StartTimer:
    """HassStartTimer."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Start a timer; with ``conversation_command`` that command is carried out when its time has come."""
        seconds = _duration_s(parse)
        if seconds <= 0:
            raise Refusal("no_intent")
        name, command = parse.value("name"), parse.value("conversation_command")
        area = self._tools.targets.preferred_area
        timer = self._tools.timers.start(
            round(seconds),
            name=None if name is None else str(name),
            area_id=None if area is None else area.id,
            command=None if command is None else str(command),
            language=parse.language,
        )
        changes = [StateChange(timer.id, "seconds", None, timer.length_s)]
        if timer.name is not None:
            changes.append(StateChange(timer.id, "name", None, timer.name))
        return self._tools.done(parse, touched=(timer.id,), changes=changes)


class ChangeTimer:
    """HassIncreaseTimer, HassDecreaseTimer, HassPauseTimer, HassUnpauseTimer, HassCancelTimer."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Change the only timer, or the one that is meant."""
        timers, timer = self._tools.timers, _one(self._tools, parse)
        before_s = round(timers.remaining_s(timer))
        if parse.intent == "HassCancelTimer":
            timers.cancel(timer)
            change = StateChange(timer.id, "seconds", before_s, None)
        elif parse.intent in ("HassPauseTimer", "HassUnpauseTimer"):
            after = timers.set_active(timer, parse.intent == "HassUnpauseTimer")
            change = StateChange(timer.id, "active", timer.active, after.active)
        else:
            seconds = _duration_s(parse)
            if seconds <= 0:
                raise Refusal("no_intent")
            after = timers.add(timer, -seconds if parse.intent == "HassDecreaseTimer" else seconds)
            change = StateChange(timer.id, "seconds", before_s, round(after.left_s))
        return self._tools.done(parse, touched=(timer.id,), changes=(change,))


class CancelAllTimers:
    """HassCancelAllTimers."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Cancel every timer, or those of an area."""
        cancelled = _matching(self._tools, parse)
        changes = []
        for timer in cancelled:
            changes.append(StateChange(timer.id, "seconds", round(self._tools.timers.remaining_s(timer)), None))
            self._tools.timers.cancel(timer)
        ids = tuple(timer.id for timer in cancelled)
        return self._tools.done(parse, slots={"canceled": len(cancelled)}, touched=ids, changes=changes)


class TimerStatus:
    """HassTimerStatus."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell how long is left."""
        names = {area.id: area.name for area in self._tools.home.snapshot().areas}
        timers = self._tools.timers
        views = [
            timer_view(timer, timers.remaining_s(timer), names.get(timer.area_id or ""))
            for timer in _matching(self._tools, parse)
        ]
        return self._tools.told(parse, slots={"timers": views})


def _duration_s(parse: Parse) -> float:
    total = 0.0
    for slot in parse.slots:
        if slot.name in _UNIT_S:
            total += number(Parse(None, (slot,)), slot.name) * _UNIT_S[slot.name]
    return total


def _matching(tools: Toolbox, parse: Parse) -> list[Timer]:
    """Timers with the name, length and area that the parse says.

    Raises:
        Refusal: A length is not a number, or the home has no such area.
    """
    found = list(tools.timers.all())
    name = parse.value("name")
    if name is not None:
        found = [timer for timer in found if str(name) == timer.id or (timer.name and same(str(name), timer.name))]
    starts = [unit for unit in _UNIT_S if parse.value(f"start_{unit}") is not None]
    if starts:
        wanted_s = sum(number(parse, f"start_{unit}") * _UNIT_S[unit] for unit in starts)
        found = [timer for timer in found if timer.length_s == wanted_s]
    area = tools.targets.area(parse)
    return [timer for timer in found if timer.area_id == area.id] if area is not None else found


def _one(tools: Toolbox, parse: Parse) -> Timer:
    found = _matching(tools, parse)
    if not found:
        raise Refusal("timer_not_found")
    if len(found) > 1 and tools.targets.preferred_area is not None:
        near = [timer for timer in found if timer.area_id == tools.targets.preferred_area.id]
        found = near if len(near) == 1 else found
    if len(found) == 1:
        return found[0]
    names = [(timer.id, timer.name) for timer in found if timer.name]
    if len(names) < len(found):
        raise Refusal("multiple_timers_matched")
    candidates = [Candidate(Slot("name", timer_id, name), name, (name,)) for timer_id, name in names]
    raise Question(candidates, "multiple_timers_matched")
