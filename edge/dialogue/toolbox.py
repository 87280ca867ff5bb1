"""What every skill works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeAlias

from edge.dialogue.replies import Replies
from edge.dialogue.risk import assure
from edge.dialogue.targets import Refusal, Targets
from edge.home.clock import Clock
from edge.home.port import HomePort
from edge.home.timers import Timers
from edge.types import Action, Entity, Outcome, OutcomeStatus, Parse, Reply, ServiceCall, StateChange

_NAMED = 3
"""Devices that a refusal names at most."""
_GRACE_S = 0.1
"""How much longer than a call's deadline its outcome is waited for."""


Tell: TypeAlias = Callable[[Sequence[Entity]], Mapping[str, object]]
"""Makes slots of a reply out of devices."""


@dataclass(frozen=True)
class Step:
    """A service for one device: ``light.turn_on`` with its data."""

    entity: Entity
    service: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Toolbox:
    """The home, the devices that a parse means, timers, the time, and the words for what was done."""

    home: HomePort
    replies: Replies
    targets: Targets
    timers: Timers
    clock: Clock

    def everywhere(self, parse: Parse) -> bool:
        """Whether the user said that the whole home is meant ("all lights")."""
        domain = parse.value("domain")
        return self.replies.choose(parse, () if domain is None else (str(domain),)).everywhere

    def carry_out(
        self,
        parse: Parse,
        steps: Sequence[Step],
        slots: Mapping[str, object] | None = None,
        tell: Tell | None = None,
        spoken_as: Parse | None = None,
        otherwise: Parse | None = None,
        key: str | None = None,
    ) -> tuple[Action, Reply]:
        """Call the services, wait, and tell what happened: what was done, then what failed and why.

        ``slots`` and ``key`` are for the reply. ``tell`` makes further slots of the devices as they are afterwards, so
        that the reply says the value that was set. ``spoken_as`` is the command for which the words are chosen;
        ``otherwise`` is another, for a language that has no words for that.
        """
        assure(parse, [(step.service, step.entity) for step in steps])
        calls = _grouped(step for step in steps if step.entity.reachable)
        outcomes = self.outcomes(calls)
        missed = {step.entity.id: OutcomeStatus.UNREACHABLE for step in steps if not step.entity.reachable}
        for call, outcome in zip(calls, outcomes, strict=True):
            missed.update(dict.fromkeys(outcome.left_out, OutcomeStatus.UNREACHABLE))
            missed.update({} if outcome.done else dict.fromkeys(call.targets, outcome.status))
        asked = {step.entity.id: step.entity for step in steps}
        done = self.fresh(entity for id_, entity in asked.items() if id_ not in missed)
        action = _action(parse, tuple(asked), calls, outcomes)
        said = []
        if done:
            shown = {**(slots or {}), **(tell(done) if tell else {})}
            spoken = spoken_as or parse
            if otherwise is not None and not self.replies.has(spoken):
                spoken, key = otherwise, None
            said.append(self.replies.say(spoken, done, slots=shown, key=key))
        for status in dict.fromkeys(missed.values()):
            names = [asked[id_].name for id_, why in missed.items() if why is status]
            said.append(self.failure(parse.language, status, names))
        return action, Reply(_joined(said), parse.language, refused=not done)

    def outcomes(self, calls: Sequence[ServiceCall]) -> tuple[Outcome, ...]:
        """Begin all calls at once and wait for each until its deadline."""
        begun_s = monotonic()
        futures = [self.home.call(call) for call in calls]
        return tuple(_outcome(future, call, begun_s) for call, future in zip(calls, futures, strict=True))

    def outcome(self, call: ServiceCall) -> Outcome:
        """Call one service and wait for it."""
        return self.outcomes((call,))[0]

    def fresh(self, entities: Iterable[Entity]) -> list[Entity]:
        """The devices in their present state."""
        now = {entity.id: entity for entity in self.home.snapshot().entities}
        return [now.get(entity.id, entity) for entity in entities]

    def failure(self, language: str, status: OutcomeStatus, names: Iterable[str]) -> str:
        """Why something was not done, in words."""
        entity = ", ".join(dict.fromkeys(names))
        return self.replies.error(language, status.name.lower(), entity=entity)

    def done(
        self,
        parse: Parse,
        slots: Mapping[str, object] | None = None,
        touched: Sequence[str] = (),
        changes: Sequence[StateChange] = (),
    ) -> tuple[Action, Reply]:
        """The action on something other than a device (a timer), and the reply."""
        text = self.replies.say(parse, slots=slots)
        return Action(parse.intent or "", tuple(touched), tuple(changes)), Reply(text, parse.language)

    def told(
        self,
        parse: Parse,
        matched: Sequence[Entity] = (),
        unmatched: Sequence[Entity] = (),
        slots: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> tuple[Action, Reply]:
        """The answer to a question; nothing changed.

        Raises:
            Refusal: the home is out of reach, so that nobody knows its states.
        """
        home = self.home.snapshot()
        asked = [entity.name for entity in (*matched, *unmatched) if home.entity(entity.id) is not None]
        if asked and not home.connected:
            raise Refusal("unreachable", entity=", ".join(asked[:_NAMED]))
        text = self.replies.say(parse, matched, unmatched, slots, key)
        targets = tuple(entity.id for entity in (*matched, *unmatched))
        return Action(parse.intent or "", targets), Reply(text, parse.language)


def _grouped(steps: Iterable[Step]) -> tuple[ServiceCall, ...]:
    """One call for all devices that get the same service with the same data, in order."""
    groups: list[tuple[str, Mapping[str, object], list[str]]] = []
    for step in steps:
        ids = next((ids for name, data, ids in groups if name == step.service and data == step.data), None)
        if ids is None:
            groups.append((step.service, step.data, [step.entity.id]))
        else:
            ids.append(step.entity.id)
    calls = []
    for name, data, ids in groups:
        domain, _, service = name.partition(".")
        calls.append(ServiceCall(domain, service, tuple(ids), data))
    return tuple(calls)


def _outcome(future: Future[Outcome], call: ServiceCall, begun_s: float) -> Outcome:
    left_s = begun_s + call.deadline_s + _GRACE_S - monotonic()
    try:
        return future.result(max(0.0, left_s))
    except NotInTime:
        future.cancel()
        return Outcome(OutcomeStatus.TIMED_OUT, f"nothing came back within {call.deadline_s:g} s")


def _action(
    parse: Parse, targets: tuple[str, ...], calls: tuple[ServiceCall, ...], outcomes: tuple[Outcome, ...]
) -> Action:
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    return Action(parse.intent or "", targets, changes, calls, outcomes)


def _joined(sentences: Sequence[str]) -> str:
    """Sentences one after the other, each but the last with a full stop."""
    *first, last = [sentence for sentence in sentences if sentence] or [""]
    return " ".join([*(one if one[-1] in ".!?。！？" else f"{one}." for one in first), last])
