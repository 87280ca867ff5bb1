"""Finds the devices that a parse is about, and says why there are none or which are meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from edge.dialogue.state import EntityState, SimulatedHome
from edge.types import Area, Floor, Parse, Slot

_Thing = TypeVar("_Thing", bound=Area | Floor)


class Refusal(Exception):
    """A command that cannot be carried out; ``key`` names one of the package's error replies."""

    def __init__(self, key: str, **variables: str) -> None:
        super().__init__(key)
        self.key = key
        self.variables = variables


@dataclass(frozen=True)
class Candidate:
    """One thing that may have been meant: the slot that picks it, how to offer it, and further names."""

    slot: Slot
    label: str
    names: tuple[str, ...]


class Question(Exception):
    """Several things may have been meant; the person is asked which."""

    def __init__(self, candidates: Iterable[Candidate], key: str = "duplicate_targets", **variables: str) -> None:
        super().__init__(key)
        self.candidates = tuple(candidates)
        self.key = key
        self.variables = variables


class Targets:
    """Looks devices up in the home; ``preferred_area`` (name or id) is where the assistant stands."""

    def __init__(self, home: SimulatedHome, preferred_area: str | None = None) -> None:
        self._home = home
        self.preferred_area = _named(home.areas, preferred_area) if preferred_area else None

    def find(self, parse: Parse, domains: Collection[str], everywhere: bool = False) -> list[EntityState]:
        """All devices of ``domains`` that fit the slots name, area, floor, domain and device_class; at least one.

        Without name, area and floor those of the preferred area are meant, unless ``everywhere``.

        Raises:
            Refusal: nothing fits.
            Question: several devices have the name.
        """
        area, floor = self.area(parse), self.floor(parse)
        name = _text(parse, "name")
        place = _Place(area, floor)
        found = list(self._home.entities.values())
        if name is not None:
            found = self._kept(found, lambda entity: _is_called(entity, name), "no_entity", entity=_said(parse, "name"))
        if area or floor:
            suffix = "area" if area else "floor"
            key, variables = self._missing_in(parse, domains, name)
            found = self._kept(found, lambda entity: self._is_in(entity, place), f"{key}_in_{suffix}", **variables)
        found = self._of_kind(parse, found, domains, name, place)
        if name is None:
            return found if area or floor or everywhere else self._nearby(found)
        found = self._nearby(found) if not (area or floor) else found
        if len(found) > 1:
            raise self.which(found, "duplicate_entities", entity=_said(parse, "name"))
        return found

    def one(
        self, parse: Parse, domains: Collection[str], prefer: Callable[[EntityState], bool] | None = None
    ) -> EntityState:
        """The only device that fits, or the only one of those that ``prefer`` picks.

        Raises:
            Refusal: nothing fits.
            Question: several fit.
        """
        found = self.find(parse, domains)
        preferred = [entity for entity in found if prefer(entity)] if prefer else []
        if len(preferred) == 1 or len(found) == 1:
            return (preferred or found)[0]
        raise self.which(preferred or found)

    def area(self, parse: Parse) -> Area | None:
        """The area that the parse names.

        Raises:
            Refusal: the home has no such area.
        """
        wanted = _text(parse, "area")
        if wanted is None:
            return None
        area = _named(self._home.areas, wanted)
        if area is None:
            raise Refusal("no_area", area=_said(parse, "area"))
        return area

    def floor(self, parse: Parse) -> Floor | None:
        """The floor that the parse names.

        Raises:
            Refusal: the home has no such floor.
        """
        wanted = _text(parse, "floor")
        if wanted is None:
            return None
        floor = _named(self._home.floors, wanted)
        if floor is None:
            raise Refusal("no_floor", floor=_said(parse, "floor"))
        return floor

    def which(self, entities: Iterable[EntityState], key: str = "duplicate_targets", **variables: str) -> Question:
        """The question which of ``entities`` is meant; they are told apart by name or, failing that, by area."""
        entities = list(entities)
        names = {entity.name for entity in entities}
        candidates = []
        for entity in entities:
            area = next((area for area in self._home.areas if area.id == entity.entity.area_id), None)
            label = entity.name if len(names) == len(entities) or area is None else area.name
            own = (entity.name, *entity.entity.aliases) if len(names) == len(entities) else entity.entity.aliases
            places = (area.name, *area.aliases) if area else ()
            slot = Slot("name", entity.id, entity.name)
            candidates.append(Candidate(slot, label, (*own, *places)))
        return Question(candidates, key, **variables)

    def _of_kind(
        self, parse: Parse, found: list[EntityState], domains: Collection[str], name: str | None, place: _Place
    ) -> list[EntityState]:
        wanted, device_class = _text(parse, "domain"), _text(parse, "device_class")
        where = place.suffix
        if wanted is not None and name is None:
            key = f"no_domain{where}"
            found = self._kept(found, lambda entity: entity.domain == wanted, key, domain=wanted, **place.variables)
        if device_class is not None and name is None:
            key = f"no_device_class{where}"
            found = self._kept(
                found,
                lambda entity: entity.device_class == device_class,
                key,
                device_class=_said(parse, "device_class"),
                **place.variables,
            )
        if name is not None and wanted is not None:
            found = [entity for entity in found if entity.domain == wanted] or found
        if name is not None:
            return self._kept(found, lambda entity: entity.domain in domains, "feature_not_supported")
        kind = wanted or min(domains)
        return self._kept(
            found, lambda entity: entity.domain in domains, f"no_domain{where}", domain=kind, **place.variables
        )

    def _missing_in(self, parse: Parse, domains: Collection[str], name: str | None) -> tuple[str, dict[str, str]]:
        place = {slot: _said(parse, slot) for slot in ("area", "floor") if _text(parse, slot) is not None}
        if name is not None:
            return "no_entity", {"entity": _said(parse, "name"), **place}
        device_class = _text(parse, "device_class")
        if device_class is not None:
            return "no_device_class", {"device_class": _said(parse, "device_class"), **place}
        return "no_domain", {"domain": _text(parse, "domain") or min(domains), **place}

    def _kept(
        self, found: list[EntityState], wanted: Callable[[EntityState], bool], key: str, **variables: str
    ) -> list[EntityState]:
        kept = [entity for entity in found if wanted(entity)]
        if not kept:
            raise Refusal(key, **variables)
        return kept

    def _is_in(self, entity: EntityState, place: _Place) -> bool:
        area = next((area for area in self._home.areas if area.id == entity.entity.area_id), None)
        if place.area is not None:
            return area is not None and area.id == place.area.id
        return area is not None and place.floor is not None and area.floor_id == place.floor.id

    def _nearby(self, found: list[EntityState]) -> list[EntityState]:
        if self.preferred_area is None:
            return found
        near = [entity for entity in found if entity.entity.area_id == self.preferred_area.id]
        return near or found


@dataclass(frozen=True)
class _Place:
    area: Area | None
    floor: Floor | None

    @property
    def suffix(self) -> str:
        return "_in_area" if self.area else "_in_floor" if self.floor else ""

    @property
    def variables(self) -> dict[str, str]:
        if self.area:
            return {"area": self.area.name}
        return {"floor": self.floor.name} if self.floor else {}


def same(one: str, other: str) -> bool:
    """Whether two names are the same but for case and spaces."""
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _named(things: Iterable[_Thing], wanted: str) -> _Thing | None:
    for thing in things:
        names = (thing.id, thing.name, *thing.aliases)
        if any(same(wanted, own) for own in names):
            return thing
    return None


def _is_called(entity: EntityState, name: str) -> bool:
    return any(same(name, own) for own in (entity.id, entity.name, *entity.entity.aliases))


def _text(parse: Parse, slot: str) -> str | None:
    value = parse.value(slot)
    return None if value is None else str(value)


def _said(parse: Parse, name: str) -> str:
    slot = next(slot for slot in parse.slots if slot.name == name)
    return slot.text or str(slot.value)
