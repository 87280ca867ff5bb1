"""What every skill works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.dialogue.replies import Replies
from edge.dialogue.targets import Targets
from edge.home.simulated import EntityState, SimulatedHome
from edge.types import Action, Parse, Reply


@dataclass(frozen=True)
class Toolbox:
    """The home, the devices that a parse means, and the words for what was done."""

    home: SimulatedHome
    replies: Replies
    targets: Targets

    def everywhere(self, parse: Parse) -> bool:
        """Whether the user said that the whole home is meant ("all lights")."""
        domain = parse.value("domain")
        return self.replies.choose(parse, () if domain is None else (str(domain),)).everywhere

    def done(
        self,
        parse: Parse,
        matched: Sequence[EntityState] = (),
        slots: Mapping[str, object] | None = None,
        touched: Sequence[str] = (),
    ) -> tuple[Action, Reply]:
        """The action with all changes since the last one, and the reply; ``touched`` are lists or timers."""
        text = self.replies.say(parse, matched, slots=slots)
        targets = tuple(entity.id for entity in matched) + tuple(touched)
        return Action(parse.intent or "", targets, self.home.take_changes()), Reply(text, parse.language)

    def told(
        self,
        parse: Parse,
        matched: Sequence[EntityState] = (),
        unmatched: Sequence[EntityState] = (),
        slots: Mapping[str, object] | None = None,
    ) -> tuple[Action, Reply]:
        """The answer to a question; nothing changed."""
        text = self.replies.say(parse, matched, unmatched, slots)
        targets = tuple(entity.id for entity in (*matched, *unmatched))
        return Action(parse.intent or "", targets), Reply(text, parse.language)
