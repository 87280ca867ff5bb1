"""A user's own commands: what carries them out listens for the action; here they are answered."""

from __future__ import annotations

from collections.abc import Mapping

from edge.dialogue.replies import Replies
from edge.types import Action, Parse, Reply

_UNDERSTOOD = "OK"


class OwnCommands:
    """Replies with the user's templates, by intent and the parse's ``response``; "OK" where an intent has none."""

    def __init__(self, replies: Replies, templates: Mapping[str, Mapping[str, str]]) -> None:
        self._replies, self._templates = replies, templates

    def handle(self, parse: Parse) -> tuple[Action, Reply]:
        """The action, which touches nothing of the home, and what is said.

        Raises:
            EngineError: a template cannot be rendered.
        """
        intent = parse.intent or ""
        keyed = self._templates.get(intent, {})
        template = keyed.get(parse.response) or keyed.get("default", _UNDERSTOOD)
        return Action(intent), Reply(self._replies.render(template, parse), parse.language)
