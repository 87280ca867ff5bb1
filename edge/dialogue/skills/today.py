"""Time and date."""

from __future__ import annotations

from edge.dialogue.toolbox import Toolbox
from edge.types import Action, Parse, Reply


class Today:
    """HassGetCurrentTime, HassGetCurrentDate."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the local time or date."""
        now = self._tools.clock.now()
        return self._tools.told(parse, slots={"time": now.time(), "date": now.date()})
