"""From spans to values: the home's own names, numbers, and the values that a language's words stand for."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import lru_cache

import msgspec

from edge.manifest import Frame
from edge.nlu.alike import nearest
from edge.nlu.decode import Span
from edge.nlu.matching import Match, plain
from edge.nlu.tokens import Token, tokenize
from edge.types import Area, Entity, Floor, Home, Slot, SlotValue

_PARTS: dict[str, type[Area] | type[Floor] | type[Entity]] = {"area": Area, "floor": Floor, "name": Entity}
_NAME_CUTOFF = 0.82
_WORD_CUTOFF = 0.8
_MAX_GAP = 2
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


class ListedValue(msgspec.Struct, frozen=True, array_like=True):
    """What a text stands for; ``domains`` are the kinds of device of which that holds, empty for all."""

    value: str | int | float | bool
    domains: tuple[str, ...] = ()


class Lexicon(msgspec.Struct, frozen=True, omit_defaults=True):
    """Words of one language: ``values`` by tag and folded text, ``numbers`` by folded text.

    ``proclitics`` are words that the language writes together with the next one (Arabic "بثانية": by a second).
    """

    values: dict[str, dict[str, tuple[ListedValue, ...]]] = {}
    numbers: dict[str, int] = {}
    proclitics: tuple[str, ...] = ()

    def number_words(self) -> set[str]:
        """The single words that numbers are spelled with."""
        return {token.text for form in self.numbers for token in tokenize(form)}

    def value_words(self) -> set[str]:
        """The single words that stand for a listed value."""
        return {text for texts in self.values.values() for text in texts if " " not in text}


def lexicon_key(text: str) -> str:
    """``text`` as a lexicon spells it: folded tokens with single spaces."""
    return " ".join(plain(token.text) for token in tokenize(text))


class Resolver:
    """Turns the spans of a reading into slots, for one home and one language."""

    def __init__(self, home: Home, lexicon: Lexicon, numeric: Sequence[str]) -> None:
        self._lexicon = lexicon
        self._numeric = frozenset(numeric)
        parts: tuple[Area | Floor | Entity, ...] = (*home.areas, *home.floors, *home.entities)
        self._spellings = [(plain(name), part) for part in parts for name in (part.name, *part.aliases)]
        self._nearest = lru_cache(maxsize=256)(self._find_nearest)

    def slots(
        self, text: str, frame: Frame, spans: Sequence[Span], tokens: Sequence[Token], matches: Sequence[Match]
    ) -> tuple[Slot, ...]:
        """Slots of a reading: what the frame implies first, then the spans in the order of the text."""
        slots = [Slot(name, value) for name, value in frame.implied.items()]
        named: Entity | None = None
        pending: list[tuple[int, str, str, tuple[int, int]]] = []
        spans = _joined(spans, frame)
        area = self._area(text, frame, spans, tokens, matches)
        for span in spans:
            start, end = tokens[span.first].start, tokens[span.last - 1].end
            name, written = span.slot.removesuffix("-"), text[start:end]
            place = len(slots)
            if name in _PARTS and span.slot not in frame.free:
                part = self._part(name, span, written, frame, matches)
                if name == "name" and area is not None:
                    part = self._inside(area, written, frame, part)
                value: SlotValue = part.name if part else written
                named = part if isinstance(part, Entity) else named
            else:
                value = written
                pending.append((place, span.slot, written, (start, end)))
            slots.append(Slot(name, value, written, (start, end)))
        domain = str(frame.implied.get("domain") or (named.domain if named else ""))
        for place, tag, written, where in pending:
            value = self.value(tag, written, domain, free=tag in frame.free)
            slots[place] = Slot(tag.removesuffix("-"), value, written, where)
        if named and not any(slot.name == "domain" for slot in slots):
            slots.append(Slot("domain", named.domain))
        return tuple(slots)

    def value(self, tag: str, written: str, domain: str = "", free: bool = False) -> SlotValue:
        """Value of ``written`` for a tag: a listed value, a number, or (at once where ``free``) the text itself."""
        key = lexicon_key(written)
        listed = self._lexicon.values.get(tag, {})
        bare = key if free else self._bare(key, listed)
        if bare in listed:
            return _choose(listed[bare], domain)
        if free:
            return written
        if tag in self._numeric:
            number = self._number(written, bare)
            if number is not None:
                return -number if tag.endswith("-") else number
        near = nearest(bare, listed, _WORD_CUTOFF)
        return _choose(listed[near], domain) if near is not None else written

    def _bare(self, key: str, listed: Container[str]) -> str:
        """``key``, or what is left of it without a proclitic where only that is a known word."""
        forms = (key, *(key.removeprefix(proclitic) for proclitic in self._lexicon.proclitics))
        return next((form for form in forms if form in listed or form in self._lexicon.numbers), key)

    def is_value(self, slot: Slot) -> bool:
        """Whether a slot that was said holds a value: a part of the home, a number, or one listed for it, if any is."""
        listed = self._lexicon.values.get(slot.name)
        if slot.text is None or listed is None or slot.name in _PARTS or not isinstance(slot.value, str):
            return True
        return any(slot.value == choice.value for choices in listed.values() for choice in choices)

    def _number(self, written: str, key: str) -> int | float | None:
        digits = _NUMBER.search(written)
        if digits:
            number = float(digits.group().replace(",", "."))
            return int(number) if number.is_integer() else number
        numbers = self._lexicon.numbers
        if key in numbers:
            return numbers[key]
        near = nearest(key, numbers, _WORD_CUTOFF)
        return numbers[near] if near is not None else None

    def _part(
        self, name: str, span: Span, written: str, frame: Frame, matches: Sequence[Match]
    ) -> Area | Floor | Entity | None:
        kind = _PARTS[name]
        best: tuple[float, Area | Floor | Entity] | None = None
        for match in matches:
            if not isinstance(match.part, kind):
                continue
            shared = min(match.last, span.last) - max(match.first, span.first)
            if shared <= 0:
                continue
            union = max(match.last, span.last) - min(match.first, span.first)
            score = match.score * shared / union + _fits(match.part, frame)
            if best is None or score > best[0]:
                best = (score, match.part)
        if best is not None and best[0] >= 0.5:
            return best[1]
        return self._nearest(name, plain(written)) or (best[1] if best else None)

    def _area(
        self, text: str, frame: Frame, spans: Sequence[Span], tokens: Sequence[Token], matches: Sequence[Match]
    ) -> Area | None:
        """The area that is said, if any."""
        for span in spans:
            if span.slot == "area" and span.slot not in frame.free:
                written = text[tokens[span.first].start : tokens[span.last - 1].end]
                part = self._part("area", span, written, frame, matches)
                return part if isinstance(part, Area) else None
        return None

    def _inside(
        self, area: Area, written: str, frame: Frame, found: Area | Floor | Entity | None
    ) -> Area | Floor | Entity | None:
        """What stands in ``area`` in place of a device elsewhere whose name is only alike ("fenster", "Fernseher")."""
        key = plain(written)
        if isinstance(found, Entity) and (found.area_id == area.id or (key, found) in self._spellings):
            return found
        within = {
            part.id: part
            for spelled, part in self._spellings
            if isinstance(part, Entity) and part.area_id == area.id and key in spelled
        }
        fitting = [part for part in within.values() if _fits(part, frame)] or list(within.values())
        return fitting[0] if len(fitting) == 1 else found

    def _find_nearest(self, name: str, written: str) -> Area | Floor | Entity | None:
        spellings = {spelled: part for spelled, part in self._spellings if isinstance(part, _PARTS[name])}
        near = nearest(written, spellings, _NAME_CUTOFF)
        return spellings[near] if near is not None else None


def _joined(spans: Sequence[Span], frame: Frame) -> list[Span]:
    """Spans in order; pieces of one free text with little between them are one piece."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.slot == span.slot and span.slot in frame.free and span.first - last.last <= _MAX_GAP:
            joined[-1] = Span(span.slot, last.first, span.last)
        else:
            joined.append(span)
    return joined


def _fits(part: Area | Floor | Entity, frame: Frame) -> float:
    """Bonus for a device of a kind that the frame speaks of."""
    wanted = frame.domains or tuple(str(v) for k, v in frame.implied.items() if k == "domain")
    return 0.3 if isinstance(part, Entity) and part.domain in wanted else 0.0


def _choose(values: Sequence[ListedValue], domain: str) -> SlotValue:
    fitting = [listed.value for listed in values if domain in listed.domains]
    general = [listed.value for listed in values if not listed.domains]
    return (fitting or general or [values[0].value])[0]
