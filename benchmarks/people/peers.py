"""Runs cases with what Home Assistant understands, and the device's own skills carrying it out.

``hassil`` matches the package's sentence templates. ``gazetteer`` is Home Assistant's order for English: hassil first,
then ``gazetteer-matcher`` where no template fits. Both name the reply, which the device's replies then use. What they
understand is carried out without a question, as Home Assistant does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from benchmarks.people.cases import Case, Result
from benchmarks.people.conversation import Answer, Conversation
from edge.bundle.format import Bundle
from edge.dialogue.choice import ReplyChoice
from edge.dialogue.language import match_language
from edge.dialogue.replies import Replies
from edge.errors import EdgeError, EngineError
from edge.types import Action, Home, Parse, Reply, Slot


@dataclass(frozen=True)
class Command:
    """An intent with its slots, and the reply that the peer chose."""

    intent: str
    slots: tuple[tuple[str, Any], ...]
    reply: ReplyChoice


@dataclass(frozen=True)
class Understood:
    """The commands of an utterance; without any, ``refusal`` is what the peer says, if it says something itself."""

    commands: tuple[Command, ...] = ()
    refusal: str | None = None


Peer = Callable[[str], Understood]


class ChosenReplies(Replies):
    """Replies among which a peer chooses."""

    chosen: ReplyChoice | None = None

    def choose(self, parse: Parse, domains: Sequence[str] = ()) -> ReplyChoice:
        """The peer's choice, or the device's own where it made none."""
        return self.chosen or super().choose(parse, domains)


def run_peer(name: str, cases: Iterable[Case], bundle: Bundle) -> Iterator[Result]:
    """A result per case of the peer called ``name``.

    Raises:
        EngineError: the peer is not installed.
    """
    replies = ChosenReplies()
    start = {"hassil": _hassil, "gazetteer": _hassil_then_gazetteer}[name]
    for _, group in groupby(cases, key=lambda case: (case.home_id, case.language)):
        alike = list(group)
        try:
            conversing = start(alike[0].home, match_language(alike[0].language))
        except ImportError as error:
            raise EngineError(f"no {error.name}; pip install 'edge-assistant[build]'") from error
        for case in alike:
            conversation = Conversation(case, bundle, replies)
            understand = conversing(case.area)
            yield conversation.result([_turn(conversation, understand, replies, text, case) for text in case.say])


def _turn(conversation: Conversation, understand: Peer, replies: ChosenReplies, text: str, case: Case) -> Answer:
    understood = understand(text)
    parses, actions, said = [], [], []
    asks, error = False, None
    for command in understood.commands:
        slots = tuple(Slot(*slot) for slot in command.slots)
        parse = Parse(command.intent, slots, 0.0, case.language, "peer", text, confirmed=True)
        replies.chosen = command.reply
        try:
            action, reply = conversation.dialogue.handle(parse)
        except EdgeError as problem:
            action, reply, error = None, Reply("", case.language), str(problem)
        replies.chosen = None
        parses.append(parse)
        actions += [action] if action is not None else []
        said.append(reply.text)
        asks = reply.expects_answer
    if not understood.commands:
        said.append(understood.refusal or replies.error(case.language, "no_intent"))
    whole: tuple[Action, ...] = tuple(actions) if len(actions) == len(parses) else ()
    return Answer(tuple(parses), whole, Reply(" ".join(said), case.language, asks), error)


def _hassil_then_gazetteer(home: Home, language: str) -> Callable[[str | None], Peer]:
    first = _hassil(home, language)
    second = _gazetteer(home) if language == "en" else None

    def conversing(area: str | None) -> Peer:
        by_template, by_gazetteer = first(area), second(area) if second is not None else None

        def understand(text: str) -> Understood:
            found = by_template(text)
            return found if found.commands or by_gazetteer is None else by_gazetteer(text)

        return understand

    return conversing


def _hassil(home: Home, language: str) -> Callable[[str | None], Peer]:
    """Home Assistant's template matcher with its slot lists, as its conversation agent fills them."""
    from hassil import recognize_best
    from hassil.intents import SlotList, TextSlotList

    intents = _templates(language)
    lists: dict[str, SlotList] = {
        "name": TextSlotList.from_tuples(
            [
                (name, entity.name, _context(entity.domain, entity.attributes))
                for entity in home.entities
                for name in (entity.name, *entity.aliases)
            ],
            allow_template=False,
        ),
        "area": TextSlotList.from_tuples(
            [(name, area.id) for area in home.areas for name in (area.name, *area.aliases)], allow_template=False
        ),
        "floor": TextSlotList.from_tuples(
            [(name, floor.id) for floor in home.floors for name in (floor.name, *floor.aliases)], allow_template=False
        ),
    }

    def conversing(area: str | None) -> Peer:
        def understand(text: str) -> Understood:
            context = {"area": area} if area is not None else None
            found = recognize_best(
                text, intents, slot_lists=lists, intent_context=context, language=language, best_slot_name="name"
            )
            if found is None:
                return Understood()
            slots = tuple((entity.name, entity.value) for entity in found.entities_list)
            combination = (found.intent_metadata or {}).get("slot_combination", "")
            reply = ReplyChoice(found.response or "default", str(combination))
            return Understood((Command(found.intent.name, slots, reply),))

        return understand

    return conversing


def _context(domain: str, attributes: Mapping[str, object]) -> dict[str, object]:
    """What Home Assistant tells the templates about a name: its domain and device class."""
    own = attributes.get("device_class")
    return {"domain": domain} if own is None else {"domain": domain, "device_class": own}


@lru_cache(maxsize=1)
def _templates(language: str) -> Any:
    """The package's sentences of the language."""
    from hassil.intents import Intents
    from home_assistant_intents import get_intents

    return Intents.from_dict(get_intents(language) or {})


def _gazetteer(home: Home) -> Callable[[str | None], Peer]:
    """``gazetteer-matcher``, which remembers what it was last about for "it" and "them"."""
    matcher = _matcher()
    matcher.set_home(
        {
            "areas": {
                area.id: {"name": area.name, "aliases": list(area.aliases), "floor": area.floor_id}
                for area in home.areas
            },
            "floors": {floor.id: {"name": floor.name, "aliases": list(floor.aliases)} for floor in home.floors},
            "entities": {
                entity.id: {
                    "name": entity.name,
                    "aliases": list(entity.aliases),
                    "area": entity.area_id,
                    **_context(entity.domain, entity.attributes),
                }
                for entity in home.entities
            },
        }
    )

    def conversing(area: str | None) -> Peer:
        targets: list[Any] = []

        def understand(text: str) -> Understood:
            found = matcher.interpret(text, context_area=area, previous_targets=targets)
            if not found.accepted:
                return Understood(refusal=found.response)
            targets[:] = found.targets
            return Understood(
                tuple(
                    Command(
                        frame.intent,
                        tuple(_pairs(frame.slots)),
                        ReplyChoice(frame.response_key or "default", frame.combination),
                    )
                    for frame in found.frames
                )
            )

        return understand

    return conversing


@lru_cache(maxsize=1)
def _matcher() -> Any:
    from gazetteer_matcher import GazetteerMatcher

    return GazetteerMatcher()


def _pairs(slots: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in slots.items():
        values: Collection[Any] = value if isinstance(value, (list, tuple)) else (value,)
        yield from ((name, one) for one in values)
