"""Carries out parses on the home: routes each to its skill, asks back, rings timers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.dialogue.answers import answer_among, yes_or_no
from edge.dialogue.chime import chime
from edge.dialogue.replies import Replies
from edge.dialogue.risk import Confirmation
from edge.dialogue.skills.own import OwnCommands
from edge.dialogue.skills.table import skill_table
from edge.dialogue.targets import Candidate, Question, Refusal, Targets
from edge.dialogue.texts import texts_of
from edge.dialogue.toolbox import Toolbox
from edge.home.clock import Clock, SystemClock
from edge.home.port import HomePort
from edge.home.simulated import SimulatedHome
from edge.home.store import Store
from edge.home.timers import Timer, Timers
from edge.protocols import Skill
from edge.types import Action, AudioFrame, Home, Parse, Reply

_ANSWER_WITHIN_S = 30.0
_OFFERED = 4


@dataclass(frozen=True)
class Ring:
    """A timer whose time is up: play ``sound``, then say ``reply``, or carry out ``command`` as if it were said."""

    timer: Timer
    sound: AudioFrame
    reply: Reply
    command: str | None


@dataclass(frozen=True)
class _Pending:
    parse: Parse
    candidates: tuple[Candidate, ...]
    asked_s: float


def open_dialogue(
    home: Home | HomePort,
    *,
    preferred_area: str | None = None,
    weather_path: Path | None = None,
    store_path: Path | None = None,
    clock: Clock | None = None,
    own_replies: Mapping[str, Mapping[str, str]] | None = None,
    replies: Replies | None = None,
) -> Dialogue:
    """The dialogue with a home behind a port, or with a simulated one that a ``Home`` describes.

    ``preferred_area`` is where the assistant stands (name or id of an area), ``weather_path`` a weather file.
    ``store_path`` is a file that keeps timers and a simulated home's states across restarts. ``own_replies`` are the
    user's own intents with the templates of their replies; intents that have a skill stay with it. ``replies`` are
    shared by
    dialogues that run one after another.

    Raises:
        ConfigError: the replies are not installed, or the store is damaged.
    """
    clock = clock or SystemClock()
    timers = Timers(clock)
    port: HomePort = SimulatedHome(home, clock) if isinstance(home, Home) else home
    store = None
    if store_path is not None:
        store = Store(store_path, timers, port if isinstance(port, SimulatedHome) else None)
        store.restore()
    replies = replies or Replies()
    tools = Toolbox(port, replies, Targets(port, preferred_area), timers, clock)
    own = OwnCommands(replies, own_replies or {})
    return Dialogue(tools, dict.fromkeys(own_replies or {}, own) | skill_table(tools, weather_path), store)


class Dialogue:
    """Handles one parse after another; a question that it asked is answered by the next."""

    def __init__(self, tools: Toolbox, skills: Mapping[str, Skill], store: Store | None = None) -> None:
        self.home: HomePort = tools.home
        self.timers = tools.timers
        self._clock = tools.clock
        self._replies = tools.replies
        self._skills = skills
        self._store = store
        self._pending: _Pending | None = None

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Carry out the parse and its further ones, ask what it means, or say why it cannot be done.

        Raises:
            EdgeError: a weather file, the store or a reply template is broken.
        """
        if not parse.further:
            return self._handle(parse)
        done: list[tuple[Action | None, Reply]] = []
        rest = [replace(parse, further=()), *parse.further]
        while rest and not (done and done[-1][1].expects_answer):
            done.append(self._handle(rest.pop(0)))
        if self._pending is not None and rest:
            asked = replace(self._pending.parse, further=tuple(rest))
            self._pending = replace(self._pending, parse=asked)
        return _together(done)

    def _handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        pending, self._pending = self._pending, None
        if pending is not None and self._clock.monotonic_s() - pending.asked_s <= _ANSWER_WITHIN_S:
            settled = self._settled(parse, pending)
            if settled is None:
                return None, self._refused(pending.parse, Refusal("not_done"))
            parse = settled
            if parse.further:
                return self.handle(parse)
        skill = self._skills.get(parse.intent or "")
        if skill is None:
            unsupported = parse.intent is None and parse.response == "unsupported"
            return None, self._refused(parse, Refusal("unsupported" if unsupported else parse.refusal or "no_intent"))
        try:
            action, reply = skill.handle(parse)
        except Refusal as refusal:
            return None, self._refused(parse, refusal)
        except Question as question:
            return None, self._ask(parse, question)
        except Confirmation as confirmation:
            return None, self._confirm(parse, confirmation)
        if self._store is not None and action is not None and action.changes:
            self._store.save()
        return action, reply

    def due(self) -> tuple[Ring, ...]:
        """The timers whose time is up, each once."""
        rings = tuple(
            Ring(timer, chime(), Reply(timer.name or "", timer.language), timer.command) for timer in self.timers.due()
        )
        if rings and self._store is not None:
            self._store.save()
        return rings

    def _settled(self, parse: Parse, pending: _Pending) -> Parse | None:
        """The command that an answer completes, or the new one that it is; None where the answer is no."""
        if pending.candidates:
            chosen = answer_among(parse, pending.candidates)
            return parse if chosen is None else _resolved(pending.parse, chosen)
        agreed = yes_or_no(parse, texts_of(pending.parse.language))
        if agreed is None:
            return parse
        return replace(pending.parse, confirmed=True) if agreed else None

    def _confirm(self, parse: Parse, confirmation: Confirmation) -> Reply:
        self._pending = _Pending(parse, (), self._clock.monotonic_s())
        names = [entity.name for entity in confirmation.entities]
        text = self._replies.question(parse.language, confirmation.service, names)
        return Reply(text, parse.language, expects_answer=True)

    def _refused(self, parse: Parse, refusal: Refusal) -> Reply:
        """Why nothing was done; missing things may exist while the home is out of reach."""
        key, variables = refusal.key, refusal.variables
        if variables and key.startswith("no_") and not self.home.snapshot().connected:
            said = [variables[name] for name in ("entity", "area", "floor") if name in variables]
            key, variables = "unreachable", {"entity": ", ".join(said)}
        text = self._replies.error(parse.language, key, **variables)
        return Reply(text, parse.language, refused=True)

    def _ask(self, parse: Parse, question: Question) -> Reply:
        self._pending = _Pending(parse, question.candidates, self._clock.monotonic_s())
        labels = list(dict.fromkeys(candidate.label for candidate in question.candidates))[:_OFFERED]
        problem = self._replies.error(parse.language, question.key, **question.variables).rstrip(".!。")
        return Reply(f"{problem}. {', '.join(labels)}?", parse.language, expects_answer=True)


def _together(done: Sequence[tuple[Action | None, Reply]]) -> tuple[Action | None, Reply]:
    """What several commands did as one action, and all that is to be said of it, each thing once."""
    actions = [action for action, _ in done if action is not None]
    replies = [reply for _, reply in done]
    said = " ".join(_sentence(text) for text in dict.fromkeys(reply.text for reply in replies) if text)
    last = replies[-1]
    reply = Reply(said, last.language, last.expects_answer, refused=all(reply.refused for reply in replies))
    if not actions:
        return None, reply
    fields = ("targets", "changes", "calls", "outcomes")
    joined = [sum((getattr(action, field) for action in actions), ()) for field in fields]
    return Action(actions[0].intent, *joined), reply


def _sentence(text: str) -> str:
    return text if text.rstrip()[-1:] in ".!?。！？।" else f"{text}."


def _resolved(parse: Parse, chosen: Candidate) -> Parse:
    """The parse with the chosen device, which the person named, in place of the name and the place."""
    kept = tuple(slot for slot in parse.slots if slot.name not in ("name", "area", "floor"))
    return replace(parse, slots=(*kept, chosen.slot), confirmed=True)
