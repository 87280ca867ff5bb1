"""Whether a command that was heard so far is whole, so that nobody need wait for more of it."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec

from edge.errors import ConfigError
from edge.types import Parse

_SURE = 0.8
_IMPLIED = {"domain", "device_class", "state"}
_OPEN = {"message", "search_query", "conversation_command"}
"""Slots of free text besides the package's ``wildcard_slots``: more words may always follow them."""


class _Combination(msgspec.Struct):
    slots: set[str] = set()
    context_area: bool = False
    wildcard_slots: set[str] = set()


class _Intent(msgspec.Struct):
    slot_combinations: dict[str, _Combination] = {}


def is_complete(parse: Parse) -> bool:
    """True for a confident parse whose slots are one of its intent's slot combinations in ``home-assistant-intents``.

    A combination that leaves the place to the assistant's own, or that takes free text, is never complete: "turn off
    the lights" may go on with "in the kitchen", "add milk" with "and eggs".
    """
    if parse.intent is None or parse.confidence < _SURE:
        return False
    names = {slot.name for slot in parse.slots}
    known = _combinations().get(parse.intent)
    if known is None or names & _OPEN:
        return False
    fitting = [c for c in known.slot_combinations.values() if c.slots - _IMPLIED == names - _IMPLIED]
    return bool(fitting) and not any(c.context_area or c.wildcard_slots for c in fitting)


@lru_cache(maxsize=1)
def _combinations() -> dict[str, _Intent]:
    try:
        content = (files("home_assistant_intents") / "intents.json").read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise ConfigError("home-assistant-intents is missing: pip install home-assistant-intents") from error
    return msgspec.json.decode(content, type=dict[str, _Intent])
