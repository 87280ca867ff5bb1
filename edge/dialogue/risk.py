"""What may go wrong where a service is called by mistake, and how sure one must be to call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from edge.dialogue.targets import Refusal, same
from edge.types import Entity, Parse


class Risk(Enum):
    """Classes of services: what costs nothing, what costs something, what lets people in or alarms them."""

    FREE = "free"
    COSTLY = "costly"
    GUARDED = "guarded"


@dataclass(frozen=True)
class Limits:
    """Confidence below which a command counts as not understood, and below which the person is asked.

    With ``named`` the person is asked too, unless the whole name of one device was said and every word is explained.
    """

    understood: float
    sure: float
    named: bool = False


LIMITS = {
    Risk.FREE: Limits(understood=0.3, sure=0.4),
    Risk.COSTLY: Limits(understood=0.3, sure=0.6),
    Risk.GUARDED: Limits(understood=0.5, sure=0.98, named=True),
}
"""Chosen with ``python -m tests.edge.dialogue.dangerous.cases dev.yaml`` and ``edge-bench people``: docs/safety.md."""

_COSTLY = frozenset(("climate", "cover", "humidifier", "lawn_mower", "vacuum", "water_heater"))
_ENTRANCES = frozenset(("door", "garage", "gate"))
_OPENS = frozenset(("open_cover", "set_cover_position", "toggle"))
_ALWAYS = frozenset(
    (
        *("lock.unlock", "lock.open", "lock.toggle", "siren.turn_on", "siren.toggle"),
        *("valve.open_valve", "valve.set_valve_position", "valve.toggle", "alarm_control_panel.alarm_disarm"),
    )
)


class Confirmation(Exception):
    """A service that is called only after a yes; ``service`` is its full name, ``entities`` are its targets."""

    def __init__(self, service: str, entities: Sequence[Entity]) -> None:
        super().__init__(service)
        self.service, self.entities = service, tuple(entities)


def risk_of(service: str, entity: Entity) -> Risk:
    """The class of calling ``service`` (``lock.unlock``) for a device."""
    domain, _, name = service.partition(".")
    if service in _ALWAYS or (domain == "cover" and name in _OPENS and entity.device_class in _ENTRANCES):
        return Risk.GUARDED
    return Risk.COSTLY if domain in _COSTLY else Risk.FREE


def assure(parse: Parse, wanted: Sequence[tuple[str, Entity]]) -> None:
    """Let services with their devices pass where the parse is sure enough for the riskiest.

    Raises:
        Refusal: the command may be quite another one.
        Confirmation: the person has to say yes first.
    """
    if parse.confirmed:
        return
    for risk in (Risk.GUARDED, Risk.COSTLY, Risk.FREE):
        asked = [(service, entity) for service, entity in wanted if risk_of(service, entity) is risk]
        limits = LIMITS[risk]
        if not asked:
            continue
        if 0.0 < parse.confidence < limits.understood:
            raise Refusal("no_intent")
        unsure = parse.confidence < limits.sure and (parse.confidence > 0.0 or risk is not Risk.FREE)
        if unsure or (limits.named and not (parse.explained and len(asked) == 1 and _is_named(parse, asked[0][1]))):
            raise Confirmation(asked[0][0], [entity for _, entity in asked])


def _is_named(parse: Parse, entity: Entity) -> bool:
    """Whether the device's whole name was said, not a part of it or a kind of device."""
    said = next((slot.text or str(slot.value) for slot in parse.slots if slot.name == "name"), None)
    return said is not None and any(same(said, name) for name in (entity.name, *entity.aliases))
