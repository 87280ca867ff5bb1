"""Words without a device: never mind, small talk, announcements."""

from __future__ import annotations

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply, ServiceCall

_SATELLITES = "assist_satellite"


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
        return self._tools.told(parse)

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
