"""Words without a device: the time, small talk, announcements, what can be done and what cannot."""

from __future__ import annotations

from dataclasses import replace

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply, ServiceCall

_SATELLITES = "assist_satellite"
_COMMANDS = "commands"
_EXAMPLES = ("light", "switch", "fan", "media_player")


class Talk:
    """HassNevermind, HassRespond, HassBroadcast."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Answer; a broadcast is announced on every satellite of the home."""
        if parse.intent == "HassBroadcast":
            return self._broadcast(parse)
        given = parse.value("response") if parse.intent == "HassRespond" else None
        if given is not None:
            return Action(parse.intent or ""), Reply(str(given), parse.language)
        if parse.intent == "HassRespond" and self._key(parse) == _COMMANDS:
            return WhatCanYouDo(self._tools).handle(replace(parse, intent="EdgeWhatCanYouDo"))
        return self._tools.told(parse)

    def _key(self, parse: Parse) -> str:
        return parse.response if parse.response != "default" else self._tools.replies.choose(parse).key

    def _broadcast(self, parse: Parse) -> tuple[Action | None, Reply]:
        message = str(parse.value("message") or "").strip()
        if not message:
            raise Refusal("no_intent")
        satellites = [one.id for one in self._tools.home.snapshot().entities if one.domain == _SATELLITES]
        call = ServiceCall(_SATELLITES, "announce", tuple(satellites), {"message": message})
        outcome = self._tools.outcome(call)
        if not outcome.done:
            raise Refusal(outcome.status.name.lower(), entity="")
        return self._tools.done(parse, touched=call.targets, changes=outcome.changes)


class WhatCanYouDo:
    """EdgeWhatCanYouDo, and HassRespond where it is asked for commands."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the kinds of commands, with a device of this home as the example."""
        entities = self._tools.home.snapshot().entities
        firsts = (next((one.name for one in entities if one.domain == domain), None) for domain in _EXAMPLES)
        examples = [name for name in firsts if name is not None]
        key = "example" if examples else "default"
        slots = {"examples": examples, "example": examples[0] if examples else ""}
        return self._tools.told(parse, slots=slots, key=key)


class Unsupported:
    """EdgeUnsupported: understood, but no home and no assistant of this kind does it."""

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Refuse.

        Raises:
            Refusal: always.
        """
        raise Refusal("unsupported")


class Today:
    """HassGetCurrentTime, HassGetCurrentDate."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the local time or date."""
        now = self._tools.clock.now()
        return self._tools.told(parse, slots={"time": now.time(), "date": now.date()})
