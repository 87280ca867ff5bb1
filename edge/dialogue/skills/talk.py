"""Words without a device: never mind, small talk, announcements."""

from __future__ import annotations

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply


class Talk:
    """HassNevermind, HassRespond, HassBroadcast."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Answer; a broadcast is noted as a change of ``broadcast``."""
        if parse.intent == "HassBroadcast":
            message = str(parse.value("message") or "").strip()
            if not message:
                raise Refusal("no_intent")
            self._tools.home.record("broadcast", "message", None, message)
            return self._tools.done(parse, touched=("broadcast",))
        given = parse.value("response") if parse.intent == "HassRespond" else None
        if given is not None:
            return Action(parse.intent or ""), Reply(str(given), parse.language)
        return self._tools.told(parse)
