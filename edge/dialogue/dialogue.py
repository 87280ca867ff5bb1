"""Carries out parses on the home: routes each to its skill, asks back, rings timers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge.dialogue.chime import chime
from edge.dialogue.replies import Replies
from edge.dialogue.skills.climate import GetTemperature, SetFanMode, SetTemperature
from edge.dialogue.skills.levels import FanSetSpeed, SetPosition
from edge.dialogue.skills.lights import LightSet
from edge.dialogue.skills.lists import Lists
from edge.dialogue.skills.machines import Machines
from edge.dialogue.skills.media import SearchAndPlay, Transport, Volume
from edge.dialogue.skills.own import OwnCommands
from edge.dialogue.skills.states import GetState
from edge.dialogue.skills.switching import TurnOff, TurnOn
from edge.dialogue.skills.talk import Talk
from edge.dialogue.skills.timing import CancelAllTimers, ChangeTimer, StartTimer, TimerStatus
from edge.dialogue.skills.today import Today
from edge.dialogue.skills.weather import GetWeather
from edge.dialogue.targets import Candidate, Question, Refusal, Targets
from edge.dialogue.toolbox import Toolbox
from edge.home.clock import Clock, SystemClock
from edge.home.simulated import SimulatedHome
from edge.home.store import restore_home, save_home
from edge.home.timers import Timer
from edge.protocols import Skill
from edge.types import Action, AudioFrame, Home, Parse, Reply

_ANSWER_WITHIN_S = 30.0
_ANSWER_LIKENESS = 0.75
_ANSWER_EXTRA_LETTERS = 12
_SURE_COMMAND, _CERTAIN_COMMAND = 0.85, 0.97
_SHORTEST_VERB = 3
"""Letters beside a name that make a certain command of it: "tv off"."""
"""A room alone ("in the hall") is understood as a command with less, a command in a room with more."""
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


def skill_table(tools: Toolbox, weather_path: Path | None = None) -> dict[str, Skill]:
    """Which skill carries out which intent."""
    change, transport, volume, lists = ChangeTimer(tools), Transport(tools), Volume(tools), Lists(tools)
    machines, today, talk = Machines(tools), Today(tools), Talk(tools)
    return {
        "HassTurnOn": TurnOn(tools),
        "HassTurnOff": TurnOff(tools),
        "HassLightSet": LightSet(tools),
        "HassSetPosition": SetPosition(tools),
        "HassFanSetSpeed": FanSetSpeed(tools),
        "HassClimateGetTemperature": GetTemperature(tools),
        "HassClimateSetTemperature": SetTemperature(tools),
        "HassClimateSetFanMode": SetFanMode(tools),
        "HassMediaPause": transport,
        "HassMediaUnpause": transport,
        "HassMediaNext": transport,
        "HassMediaPrevious": transport,
        "HassSetVolume": volume,
        "HassSetVolumeRelative": volume,
        "HassMediaPlayerMute": volume,
        "HassMediaPlayerUnmute": volume,
        "HassMediaSearchAndPlay": SearchAndPlay(tools),
        "HassStartTimer": StartTimer(tools),
        "HassIncreaseTimer": change,
        "HassDecreaseTimer": change,
        "HassPauseTimer": change,
        "HassUnpauseTimer": change,
        "HassCancelTimer": change,
        "HassCancelAllTimers": CancelAllTimers(tools),
        "HassTimerStatus": TimerStatus(tools),
        "HassShoppingListAddItem": lists,
        "HassShoppingListCompleteItem": lists,
        "HassListAddItem": lists,
        "HassListCompleteItem": lists,
        "HassListRemoveItem": lists,
        "HassVacuumStart": machines,
        "HassVacuumReturnToBase": machines,
        "HassVacuumCleanArea": machines,
        "HassLawnMowerStartMowing": machines,
        "HassLawnMowerDock": machines,
        "HassGetCurrentTime": today,
        "HassGetCurrentDate": today,
        "HassGetState": GetState(tools),
        "HassGetWeather": GetWeather(tools, weather_path),
        "HassBroadcast": talk,
        "HassNevermind": talk,
        "HassRespond": talk,
    }


def open_dialogue(
    home: Home,
    *,
    preferred_area: str | None = None,
    weather_path: Path | None = None,
    store_path: Path | None = None,
    clock: Clock | None = None,
    own_replies: Mapping[str, Mapping[str, str]] | None = None,
    replies: Replies | None = None,
) -> Dialogue:
    """The dialogue with a simulated ``home``.

    ``preferred_area`` is where the assistant stands (name or id of an area), ``weather_path`` a weather file,
    ``store_path`` a file that keeps the home's state across restarts, ``own_replies`` the user's own intents with the
    templates of their replies; intents that have a skill stay with it. ``replies`` are shared by dialogues that run
    one after another.

    Raises:
        ConfigError: the replies are not installed, or the store is damaged.
    """
    state = SimulatedHome(home, clock or SystemClock())
    if store_path is not None:
        restore_home(state, store_path)
    replies = replies or Replies()
    tools = Toolbox(state, replies, Targets(state, preferred_area))
    own = OwnCommands(replies, own_replies or {})
    skills = dict.fromkeys(own_replies or {}, own) | skill_table(tools, weather_path)
    return Dialogue(state, replies, skills, store_path)


class Dialogue:
    """Handles one parse after another; a question that it asked is answered by the next."""

    def __init__(
        self, state: SimulatedHome, replies: Replies, skills: Mapping[str, Skill], store_path: Path | None = None
    ) -> None:
        self.state = state
        self._replies = replies
        self._skills = skills
        self._store_path = store_path
        self._pending: _Pending | None = None

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Carry out the parse, ask what it means, or say why it cannot be done.

        Raises:
            EdgeError: a weather file, the store or a reply template is broken.
        """
        pending, self._pending = self._pending, None
        if pending is not None and self.state.clock.monotonic_s() - pending.asked_s <= _ANSWER_WITHIN_S:
            chosen = _answer(parse, pending.candidates)
            if chosen is not None:
                parse = _resolved(pending.parse, chosen)
        skill = self._skills.get(parse.intent or "")
        if skill is None:
            return None, Reply(self._replies.error(parse.language, "no_intent"), parse.language)
        self.state.take_changes()
        try:
            action, reply = skill.handle(parse)
        except Refusal as refusal:
            return None, Reply(self._replies.error(parse.language, refusal.key, **refusal.variables), parse.language)
        except Question as question:
            return None, self._ask(parse, question)
        if self._store_path is not None and action is not None and action.changes:
            save_home(self.state, self._store_path)
        return action, reply

    def due(self) -> tuple[Ring, ...]:
        """The timers whose time is up, each once."""
        rings = tuple(
            Ring(timer, chime(), Reply(timer.name or "", timer.language), timer.command)
            for timer in self.state.timers.due()
        )
        if rings and self._store_path is not None:
            save_home(self.state, self._store_path)
        return rings

    def _ask(self, parse: Parse, question: Question) -> Reply:
        self._pending = _Pending(parse, question.candidates, self.state.clock.monotonic_s())
        labels = list(dict.fromkeys(candidate.label for candidate in question.candidates))[:_OFFERED]
        problem = self._replies.error(parse.language, question.key, **question.variables).rstrip(".!。")
        return Reply(f"{problem}. {', '.join(labels)}?", parse.language, expects_answer=True)


def _answer(parse: Parse, candidates: tuple[Candidate, ...]) -> Candidate | None:
    """The one candidate that the words name; None where they name none, several, or are a command of their own."""
    text = parse.text.casefold()
    spoken = [str(slot.value) for slot in parse.slots if slot.name in ("name", "area") and isinstance(slot.value, str)]
    scored = []
    for candidate in candidates:
        names = [name.casefold() for name in (*candidate.names, *candidate.places)]
        likeness, letters, said = max((_likeness(name, text), len(name), name) for name in names)
        if any(own.casefold() in names for own in spoken):
            likeness = max(likeness, _ANSWER_LIKENESS)
        scored.append((likeness, letters, said, candidate))
    likeness, letters, said, chosen = max(scored, key=lambda score: score[:2])
    rivals = [score for score in scored if score[:2] == (likeness, letters)]
    if likeness < _ANSWER_LIKENESS or len(rivals) > 1:
        word, only = _told_apart(text, candidates)
        if only is None:
            return None
        letters, said, chosen = len(word), word, only
    by_name = said in [name.casefold() for name in chosen.names]
    extra = len(text) - letters
    is_command = parse.intent is not None and (
        extra > _ANSWER_EXTRA_LETTERS
        or (not by_name and parse.confidence >= _SURE_COMMAND)
        or (extra >= _SHORTEST_VERB and parse.confidence >= _CERTAIN_COMMAND)
    )
    return None if is_command else chosen


def _told_apart(text: str, candidates: tuple[Candidate, ...]) -> tuple[str, Candidate | None]:
    """A word of the text that only one candidate's names and rooms have ("the left one"), and that candidate."""
    words = [set(" ".join((*c.names, *c.places)).casefold().split()) for c in candidates]
    said = {word for word in re.findall(r"\w{3,}", text) if sum(word in own for own in words) == 1}
    meant = [candidate for candidate, own in zip(candidates, words, strict=True) if own & said]
    return (max(said, key=len), meant[0]) if len(meant) == 1 else ("", None)


def _likeness(name: str, text: str) -> float:
    """Best agreement (0..1) of a name with as many words of the text, or with letters of an unspaced script."""
    if name in text:
        return 1.0
    words, length = re.findall(r"\w+", text), len(name.split())
    windows = [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
    return max((difflib.SequenceMatcher(None, name, window).ratio() for window in windows), default=0.0)


def _resolved(parse: Parse, chosen: Candidate) -> Parse:
    """The parse with the chosen device in place of the name and the place."""
    kept = tuple(slot for slot in parse.slots if slot.name not in ("name", "area", "floor"))
    return replace(parse, slots=(*kept, chosen.slot))
