"""Finds the devices that a parse is about, and says why there are none or which are meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from edge.home.port import HomePort
from edge.types import Area, Entity, Floor, Parse, Scope, Slot

_Thing = TypeVar("_Thing", bound=Area | Floor)
_COVERINGS = ("blind", "shade", "shutter")
"""What hangs before windows and is called by each other's names: Spanish has one word for the first and the last."""


_LONG_WORD, _ENDING = 3, 2
_RUNNING = ("light", "fan", "media_player", "switch")
_OFF_STATES = ("off", "idle", "standby", "unavailable", None)
"""Of what can be turned off, only what is on can be meant."""


class Refusal(Exception):
    """A command that cannot be carried out; ``key`` names one of the package's error replies."""

    def __init__(self, key: str, **variables: str) -> None:
        super().__init__(key)
        self.key = key
        self.variables = variables


@dataclass(frozen=True)
class Candidate:
    """One thing that may have been meant: the slot that picks it, how to offer it, its names and those of its room."""

    slot: Slot
    label: str
    names: tuple[str, ...]
    places: tuple[str, ...] = ()


class Question(Exception):
    """Several things may have been meant; the person is asked which."""

    def __init__(self, candidates: Iterable[Candidate], key: str = "duplicate_targets", **variables: str) -> None:
        super().__init__(key)
        self.candidates = tuple(candidates)
        self.key = key
        self.variables = variables


class Targets:
    """Looks devices up in the home; ``preferred_area`` (name or id) is where the assistant stands."""

    def __init__(self, home: HomePort, preferred_area: str | None = None) -> None:
        self._home = home
        self._standing_in = preferred_area

    @property
    def preferred_area(self) -> Area | None:
        """The area of the assistant, if the home has it."""
        return _named(self._home.snapshot().areas, self._standing_in) if self._standing_in else None

    def find(self, parse: Parse, domains: Collection[str], everywhere: bool = False) -> list[Entity]:
        """All devices of ``domains`` that fit the slots name, area, floor, domain and device_class; at least one.

        Without name, area and floor those of the preferred area are meant, unless ``everywhere``.

        Raises:
            Refusal: nothing fits.
            Question: several devices have the name.
        """
        name = _text(parse, "name")
        found = list(self._home.snapshot().entities)
        if name is None and (called := self._called_after_place(parse, found, domains)):
            return called
        area, floor = self.area(parse), self.floor(parse)
        if name is not None:
            called = [entity for entity in found if _is_called(entity, name)]
            found = called or self._kept(
                found, lambda entity: _holds(entity, name), "no_entity", entity=_said(parse, "name")
            )
        if area or floor:
            key, variables = _absence(parse, domains)
            found = self._kept(found, lambda entity: self._is_in(entity, area, floor), key, **variables)
        if name is None:
            found = self._of_kind(parse, found, domains)
            return found if area or floor else self._unplaced(parse, found, everywhere)
        found = self._of_name(parse, found, domains)
        found = self._nearby(found) if not (area or floor) else found
        if len(found) > 1:
            raise self.which(found, "duplicate_entities", entity=_said(parse, "name"))
        return found

    def one(self, parse: Parse, domains: Collection[str], prefer: Callable[[Entity], bool] | None = None) -> Entity:
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
        area = _named(self._home.snapshot().areas, wanted)
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
        floor = _named(self._home.snapshot().floors, wanted)
        if floor is None:
            raise Refusal("no_floor", floor=_said(parse, "floor"))
        return floor

    def which(self, entities: Iterable[Entity], key: str = "duplicate_targets", **variables: str) -> Question | Refusal:
        """The question which of ``entities`` is meant; they are told apart by name or, failing that, by area.

        Where no answer could tell them apart, the refusal with the same reason.
        """
        entities = list(entities)
        names = {entity.name for entity in entities}
        candidates = []
        for entity in entities:
            area = next((area for area in self._home.snapshot().areas if area.id == entity.area_id), None)
            by_name = len(names) == len(entities) or area is None
            own = (entity.name, *entity.aliases) if by_name else entity.aliases
            label = entity.name if area is None or by_name else area.name
            places = (area.name, *area.aliases) if area else ()
            slot = Slot("name", entity.id, entity.name)
            candidates.append(Candidate(slot, label, own, places))
        if len({candidate.label for candidate in candidates}) < len(candidates[:2]):
            return Refusal(key, **variables)
        return Question(candidates, key, **variables)

    def _called_after_place(self, parse: Parse, found: list[Entity], domains: Collection[str]) -> list[Entity]:
        """The device of the kind that bears the place in its name, where none of the kind stands there: "porch light".

        Raises:
            Question: several bear it.
        """
        place, wanted = _text(parse, "area"), _text(parse, "domain")
        if place is None or wanted is None:
            return []
        able = [entity for entity in found if entity.domain in domains and entity.domain == wanted]
        area = _named(self._home.snapshot().areas, place)
        if area is not None and any(self._is_in(entity, area, None) for entity in able):
            return []
        called = [entity for entity in able if any(_bears(own, place) for own in (entity.name, *entity.aliases))]
        if len(called) > 1:
            raise self.which(called, "duplicate_entities", entity=_said(parse, "area"))
        return called

    def _of_kind(self, parse: Parse, found: list[Entity], domains: Collection[str]) -> list[Entity]:
        """Devices of the kind; where there is none of the covering that is named, those that go by its name too."""
        wanted, device_class = _text(parse, "domain"), _text(parse, "device_class")
        key, variables = _absence(parse, domains)
        able = [entity for entity in found if entity.domain in domains and wanted in (None, entity.domain)]
        exact = [entity for entity in able if device_class in (None, entity.device_class)]
        alike = _COVERINGS if device_class in _COVERINGS else ()
        return exact or self._kept(able, lambda entity: entity.device_class in alike, key, **variables)

    def _of_name(self, parse: Parse, found: list[Entity], domains: Collection[str]) -> list[Entity]:
        """Devices that can do it; kind and device class only choose between devices of the same name."""
        wanted, device_class = _text(parse, "domain"), _text(parse, "device_class")
        able = self._kept(found, lambda entity: entity.domain in domains, "feature_not_supported")
        able = [entity for entity in able if wanted in (None, entity.domain)] or able
        return [entity for entity in able if device_class in (None, entity.device_class)] or able

    def _kept(self, found: list[Entity], wanted: Callable[[Entity], bool], key: str, **variables: str) -> list[Entity]:
        kept = [entity for entity in found if wanted(entity)]
        if not kept:
            raise Refusal(key, **variables)
        return kept

    def _is_in(self, entity: Entity, area: Area | None, floor: Floor | None) -> bool:
        own = next((own for own in self._home.snapshot().areas if own.id == entity.area_id), None)
        if own is None:
            return False
        return (area is None or own.id == area.id) and (floor is None or own.floor_id == floor.id)

    def _unplaced(self, parse: Parse, found: list[Entity], everywhere: bool) -> list[Entity]:
        """The devices of a kind that are meant where no place was said.

        Raises:
            Refusal: those here are meant, and nobody knows where that is.
            Question: one of several is meant.
        """
        if self.preferred_area is not None and not everywhere:
            return self._nearby(found)
        if len(found) == 1 or parse.scope not in (Scope.HERE, Scope.ONE):
            return found
        if parse.scope is Scope.HERE:
            raise Refusal("no_here")
        running = [entity for entity in found if entity.domain in _RUNNING and entity.state not in _OFF_STATES]
        if parse.intent == "HassTurnOff" and len(running) == 1:
            return running
        raise self.which(running if parse.intent == "HassTurnOff" and running else found)

    def _nearby(self, found: list[Entity]) -> list[Entity]:
        if self.preferred_area is None:
            return found
        near = [entity for entity in found if entity.area_id == self.preferred_area.id]
        return near or found


def same(one: str, other: str) -> bool:
    """Whether two names are the same but for case and spaces."""
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _named(things: Iterable[_Thing], wanted: str) -> _Thing | None:
    for thing in things:
        names = (thing.id, thing.name, *thing.aliases)
        if any(same(wanted, own) for own in names):
            return thing
    return None


def _is_called(entity: Entity, name: str) -> bool:
    return any(same(name, own) for own in (entity.id, entity.name, *entity.aliases))


def _holds(entity: Entity, words: str) -> bool:
    """Whether a name of the device is longer and holds these words, in any order."""
    said = set(words.casefold().split())
    return any(said < set(own.casefold().split()) for own in (entity.name, *entity.aliases))


def _bears(name: str, place: str) -> bool:
    """Whether a name is a place's and one word more, perhaps with other endings: that word says what it is."""
    own, said = _long_words(name), _long_words(place)
    others = [word for word in own if not any(_alike(word, other) for other in said)]
    return bool(said) and len(others) <= 1 and all(any(_alike(word, other) for other in own) for word in said)


def _long_words(text: str) -> list[str]:
    words = text.casefold().replace("'", " ").replace("’", " ").split()
    return [word for word in words if len(word) >= _LONG_WORD or word.isdigit()]


def _alike(word: str, other: str) -> bool:
    shorter, longer = sorted((word, other), key=len)
    if shorter == longer:
        return True
    return len(shorter) > _LONG_WORD and longer.startswith(shorter) and len(longer) - len(shorter) <= _ENDING


def _text(parse: Parse, slot: str) -> str | None:
    value = parse.value(slot)
    return None if value is None else str(value)


def _absence(parse: Parse, domains: Collection[str]) -> tuple[str, dict[str, str]]:
    """The error that names the missing thing."""
    place = next((slot for slot in ("area", "floor") if parse.value(slot) is not None), None)
    where = {place: _said(parse, place)} if place else {}
    suffix = f"_in_{place}" if place else ""
    if parse.value("name") is not None:
        return f"no_entity{suffix}", {"entity": _said(parse, "name"), **where}
    if parse.value("device_class") is not None:
        return f"no_device_class{suffix}", {"device_class": _said(parse, "device_class"), **where}
    return f"no_domain{suffix}", {"domain": _text(parse, "domain") or min(domains), **where}


def _said(parse: Parse, name: str) -> str:
    slot = next(slot for slot in parse.slots if slot.name == name)
    return slot.text or str(slot.value)
