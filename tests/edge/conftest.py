"""A dialogue with the demo home, a clock that stands still, and a short way to write parses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from edge.dialogue.dialogue import Dialogue, open_dialogue
from edge.home.clock import FakeClock
from edge.home.demo import default_home
from edge.home.simulated import SimulatedHome
from edge.types import Action, Entity, Parse, Reply, Slot, SlotValue

HOME = default_home()


def parse_of(intent: str | None, text: str = "", language: str = "en", **slots: SlotValue) -> Parse:
    """A parse with these slots."""
    return Parse(intent, tuple(Slot(name, value) for name, value in slots.items()), 1.0, language, text=text)


@dataclass
class Talker:
    """Speaks to a dialogue and remembers what came of it."""

    dialogue: Dialogue
    clock: FakeClock
    action: Action | None = None
    reply: Reply = Reply("")
    confidence: float = 1.0

    def __call__(self, intent: str | None, text: str = "", language: str = "en", **slots: SlotValue) -> str:
        """Handle one parse; the text of the reply."""
        parse = replace(parse_of(intent, text, language, **slots), confidence=self.confidence)
        self.action, self.reply = self.dialogue.handle(parse)
        return self.reply.text

    @property
    def home(self) -> SimulatedHome:
        """The home, to change devices by hand."""
        assert isinstance(self.dialogue.home, SimulatedHome)
        return self.dialogue.home

    def device(self, entity_id: str) -> Entity:
        """A device as it is now."""
        entity = self.dialogue.home.snapshot().entity(entity_id)
        assert entity is not None
        return entity

    def state(self, entity_id: str) -> str | None:
        """State of a device."""
        return self.device(entity_id).state

    def attribute(self, entity_id: str, name: str) -> object:
        """Attribute of a device."""
        return self.device(entity_id).attributes.get(name)

    @property
    def changed(self) -> dict[tuple[str, str], object]:
        """What the last action changed, and to what."""
        changes = self.action.changes if self.action else ()
        return {(change.entity_id, change.attribute): change.after for change in changes}


@pytest.fixture
def talker() -> Callable[..., Talker]:
    """Opens a dialogue with the demo home."""

    def start(area: str | None = None, weather_path: Path | None = None, store_path: Path | None = None) -> Talker:
        clock = FakeClock(datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone.utc))
        dialogue = open_dialogue(
            HOME, preferred_area=area, weather_path=weather_path, store_path=store_path, clock=clock
        )
        return Talker(dialogue, clock)

    return start


@pytest.fixture
def say(talker: Callable[..., Talker]) -> Talker:
    """A dialogue with the demo home, standing in no room."""
    return talker()
