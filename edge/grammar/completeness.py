"""How whole a command is as far as it was heard, so that nobody need wait longer than for what may follow."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec

from edge.errors import ConfigError
from edge.protocols import Completeness
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


def completeness(parse: Parse) -> Completeness:
    """COMPLETE for a confident parse whose slots are one of its intent's combinations in ``home-assistant-intents``.

    A combination that leaves the place to the assistant's own, or that takes free text, is OPEN: "turn off the lights"
    may go on with "in the kitchen", "add milk" with "and eggs". So is a sentence of the user's own commands. Any other
    parse is UNSURE, as is one after which more may be meant to follow: "turn on living room" without "lights".
    """
    if parse.intent is None or parse.confidence < _SURE or parse.unfinished:
        return Completeness.UNSURE
    names = {slot.name for slot in parse.slots}
    if parse.source == "grammar" and parse.intent not in _combinations():
        return Completeness.OPEN
    known = _combinations().get(parse.intent, _Intent())
    fitting = [c for c in known.slot_combinations.values() if c.slots - _IMPLIED == names - _IMPLIED]
    if not fitting:
        return Completeness.UNSURE
    if names & _OPEN or any(c.context_area or c.wildcard_slots for c in fitting):
        return Completeness.OPEN
    return Completeness.COMPLETE


@lru_cache(maxsize=1)
def _combinations() -> dict[str, _Intent]:
    try:
        content = (files("home_assistant_intents") / "intents.json").read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise ConfigError("home-assistant-intents is missing: pip install home-assistant-intents") from error
    return msgspec.json.decode(content, type=dict[str, _Intent])
