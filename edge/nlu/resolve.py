"""From spans to values: the home's own names, numbers, and the values that a language's words stand for."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

from edge.bundle.manifest import Frame
from edge.nlu.alike import nearest
from edge.nlu.decode import Span
from edge.nlu.lexicon import Lexicon, ListedValue, lexicon_key
from edge.nlu.matching import Match, plain, plain_name
from edge.nlu.naming import Naming
from edge.nlu.tokens import Token
from edge.nlu.words import Words, is_harmless
from edge.types import Area, Entity, Floor, Home, Slot, SlotValue

Part: TypeAlias = Area | Floor | Entity
_PARTS: dict[str, type[Area] | type[Floor] | type[Entity]] = {"area": Area, "floor": Floor, "name": Entity}
_NAME_CUTOFF = 0.82
_WORD_CUTOFF = 0.8
_TELLING_CUTOFF = 0.7
_MAX_GAP = 2
_LEAST_SHARED = 0.5
_LOCK_STATES = ("locked", "unlocked")
_WHOLE_KINDS = ("light", "fan", "cover", "lock")
_SHORTEST = 3
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


class Resolver:
    """Turns the spans of a reading into slots, for one home and one language."""

    def __init__(self, home: Home, lexicon: Lexicon, numeric: Sequence[str], naming: Naming | None = None) -> None:
        self._lexicon = lexicon
        self._naming = naming or Naming(home, lexicon, Words())
        self._common = lexicon.common_words()
        self._numeric = frozenset(numeric)
        parts: tuple[Part, ...] = (*home.areas, *home.floors, *home.entities)
        self._spellings = [(plain_name(name), part) for part in parts for name in (part.name, *part.aliases)]
        self._nearest = lru_cache(maxsize=256)(self._find_nearest)

    def slots(
        self, text: str, frame: Frame, spans: Sequence[Span], tokens: Sequence[Token], matches: Sequence[Match]
    ) -> tuple[Slot, ...]:
        """Slots of a reading: what the frame implies first, then the spans in the order of the text."""
        slots = [Slot(name, value) for name, value in frame.implied.items()]
        named: Entity | None = None
        pending: list[tuple[int, str, str, tuple[int, int]]] = []
        spans = _joined(spans, frame)
        places = {span: _place(text, span, tokens, span.slot in frame.free) for span in spans}
        spoken = [(span, text[slice(*places[span])]) for span in spans]
        kinds, words = self._kinds(frame, spoken), [plain(token.text) for token in tokens]
        home = {
            span: self._parts(span, written, kinds, matches, words, frame.intent)
            for span, written in spoken
            if span.slot in _PARTS and span.slot not in frame.free
        }
        area = next((part for span in home if span.slot == "area" for part in home[span]), None)
        for span, written in spoken:
            where = places[span]
            name, value = span.slot.removesuffix("-"), cast(SlotValue, written)
            if span in home:
                meant = home[span]
                if name == "name" and isinstance(area, Area):
                    meant = self._inside(area, written, kinds, meant)
                value = meant[0].name if len(meant) == 1 else written
                named = next((part for part in meant if isinstance(part, Entity)), named)
            else:
                pending.append((len(slots), span.slot, written, where))
            slots.append(Slot(name, value, written, where))
        domain = str(frame.implied.get("domain") or (named.domain if named else ""))
        for place, tag, written, where in pending:
            value = self.value(tag, written, domain, free=tag in frame.free)
            slots[place] = Slot(tag.removesuffix("-"), value, written, where)
        kind = named.domain if named else _only_kind(frame) if _placed(slots) else None
        if kind and not any(slot.name == "domain" for slot in slots):
            slots.append(Slot("domain", kind))
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

    def tells_kind(self, frame: Frame, spans: Sequence[Span], tokens: Sequence[Token]) -> bool:
        """Whether a command that is about all devices of a kind may be so: "turn off the pool" is not about lights.

        Words that the language's commands do not know need one beside them that tells the kind ("shut off the lights").
        """
        kind = str(frame.implied.get("domain"))
        named = any(span.slot in ("name", "device_class") for span in spans)
        if kind not in _WHOLE_KINDS or named or not self._common:
            return True
        inside = {at for span in spans for at in range(span.first, span.last)}
        words = {plain(token.text) for at, token in enumerate(tokens) if at not in inside}
        telling = self._lexicon.kinds.get(kind, ())
        if any(nearest(word, telling, _TELLING_CUTOFF) for word in words):
            return True
        return all(len(word) < _SHORTEST or nearest(word, self._common, _WORD_CUTOFF) for word in words - self._common)

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

    def _kinds(self, frame: Frame, spoken: Sequence[tuple[Span, str]]) -> tuple[str, ...]:
        """Kinds of device that are spoken of: what is locked is a lock, else those of the frame."""
        states = [self.value("state", written) for span, written in spoken if span.slot == "state"]
        if any(state in _LOCK_STATES for state in states):
            return ("lock",)
        return frame.domains or tuple(str(value) for name, value in frame.implied.items() if name == "domain")

    def _parts(
        self,
        span: Span,
        written: str,
        kinds: Sequence[str],
        matches: Sequence[Match],
        words: Sequence[str],
        intent: str | None,
    ) -> Sequence[Part]:
        """What the span may name: one part of the home, several whose longer names hold its words, or none."""
        scored: list[tuple[tuple[float, int], Match]] = []
        name, said = span.slot, words[span.first : span.last]
        used = frozenset[str]().union(*(self._lexicon.used(intent or "", kind) for kind in ("", *kinds)))
        for match in matches:
            around = words[min(match.first, span.first) : max(match.last, span.last)]
            shared = min(match.last, span.last) - max(match.first, span.first)
            if (
                isinstance(match.part, _PARTS[name])
                and shared > 0
                and self._is_named(match, around, used, is_harmless(intent))
            ):
                length, union = match.last - match.first, max(match.last, span.last) - min(match.first, span.first)
                share = shared / (union if match.whole else span.last - span.first)
                rank = match.score * share + _bonus(match.part, kinds), 0 if match.whole else length
                scored.append((rank, match))
        best = max((rank for rank, _ in scored), default=(0.0, 0))
        likeliest = [match for rank, match in scored if rank == best]
        if best[0] < _LEAST_SHARED:
            near = self._nearest(name, plain(written))
            if near is not None and self._naming.names(near, said, used):
                return (near,)
            return [match.part for match in likeliest[:1]]
        whole = [match.part for match in likeliest if match.whole]
        return whole[:1] or [match.part for match in likeliest]

    def _is_named(self, match: Match, said: Sequence[str], used: Collection[str], harmless: bool) -> bool:
        """Whether the words name the part that they match, and no other; a question may have more words beside it."""
        if harmless and match.whole and match.score == 1.0:
            return True
        if not match.whole:
            return self._naming.names_some(match.part, said)
        return self._naming.names(match.part, said, used)

    def _inside(self, area: Area, written: str, kinds: Sequence[str], found: Sequence[Part]) -> Sequence[Part]:
        """What stands in ``area`` in place of a device elsewhere whose name is only alike ("fenster", "Fernseher")."""
        key = plain(written)
        if any(
            isinstance(part, Entity) and (part.area_id == area.id or (key, part) in self._spellings) for part in found
        ):
            return [part for part in found if isinstance(part, Entity) and part.area_id == area.id] or found
        within = {
            part.id: part
            for spelled, part in self._spellings
            if isinstance(part, Entity) and part.area_id == area.id and key in spelled
        }
        fitting = [part for part in within.values() if _bonus(part, kinds)] or list(within.values())
        return fitting if len(fitting) == 1 else found

    def _find_nearest(self, name: str, written: str) -> Part | None:
        spellings = {spelled: part for spelled, part in self._spellings if isinstance(part, _PARTS[name])}
        near = nearest(written, spellings, _NAME_CUTOFF)
        return spellings[near] if near is not None else None


def _place(text: str, span: Span, tokens: Sequence[Token], free: bool) -> tuple[int, int]:
    """Where a span begins and ends in the text; free text has whole words, though "7up" is two tokens."""
    start, end = tokens[span.first].start, tokens[span.last - 1].end
    while free and start > 0 and _is_latin(text[start - 1 : start + 1]):
        start -= 1
    while free and end < len(text) and _is_latin(text[end - 1 : end + 1]):
        end += 1
    return start, end


def _is_latin(letters: str) -> bool:
    return letters.isascii() and letters.isalnum()


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


def _only_kind(frame: Frame) -> str | None:
    """The kind of device that a command about a place can only mean: "unlock the office"."""
    kinds = [kind for kind in frame.domains if kind != "valve"]
    return kinds[0] if len(kinds) == 1 else None


def _placed(slots: Sequence[Slot]) -> bool:
    """Whether a room or floor was said, and no name."""
    said = {slot.name for slot in slots if slot.text is not None}
    return "name" not in said and bool(said & {"area", "floor"})


def _bonus(part: Part, kinds: Sequence[str]) -> float:
    """For a device of a kind that is spoken of."""
    return 0.4 if isinstance(part, Entity) and part.domain in kinds else 0.0


def _choose(values: Sequence[ListedValue], domain: str) -> SlotValue:
    fitting = [listed.value for listed in values if domain in listed.domains]
    general = [listed.value for listed in values if not listed.domains]
    return (fitting or general or [values[0].value])[0]
