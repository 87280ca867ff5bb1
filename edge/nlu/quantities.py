"""Values exactly as the words give them: durations, decimals, halves, signs; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edge.nlu.decode import Span
from edge.nlu.durations import UNITS, Durations
from edge.nlu.lexicon import Lexicon
from edge.nlu.said import Said
from edge.nlu.words import Words
from edge.types import Entity, Home, Parse, Slot

_DURATIONS = ("HassStartTimer", "HassIncreaseTimer", "HassDecreaseTimer")
_HOME = ("name", "area", "floor")
_SIGNED = ("temperature", "volume_step", "volume_step-")
_PERCENT = ("brightness", "position", "percentage", "volume_level", "humidity", "step")
_ABSOLUTE = ("HassLightSet", "HassSetPosition", "HassFanSetSpeed", "HassSetVolume", "HassClimateSetTemperature")
_MINUS = re.compile(r"(?:^|\s)[-−–]\s?$")
_FAHRENHEIT, _CELSIUS = ("fahrenheit", "f"), ("celsius", "c")
_HOTTEST = 50.0
_UNIT_WITHIN = 3
"""Words after a number within which its unit stands."""


@dataclass(frozen=True)
class _Number:
    """A number that was said for a slot: its value, and the words that it takes."""

    slot: str
    value: float
    first: int
    last: int


_DELAYED = "conversation_command"


class Quantities:
    """Reads the numbers of commands in one language and home."""

    def __init__(self, home: Home, lexicon: Lexicon, words: Words, numeric: Sequence[str]) -> None:
        self._words, self._numeric = words, frozenset(numeric)
        self._durations = Durations(lexicon, words)
        self._in_fahrenheit = any(_is_in_fahrenheit(entity) for entity in home.entities)

    def judge(self, parse: Parse, said: Said) -> Parse | None:
        """The parse with the values that the words give; None where they give none exactly."""
        if parse.intent in _DURATIONS and self._words.hours:
            return self._with_duration(parse, said)
        spans = [span for span in said.spans if span.slot in self._numeric and span.slot not in UNITS]
        found = list(self._numbers(spans, said))
        if len({number.slot for number in found}) < len(found):
            return None
        slots = list(parse.slots)
        for number in found:
            if number.value != number.value:  # a listed word, or what the skill refuses because it is no number
                continue
            value = self._exact(parse, number, said)
            if value is None:
                return None
            slots = [_valued(slot, number.slot, value) for slot in slots]
        read = {number.slot.removesuffix("-") for number in found}
        once = {slot.name: slot for slot in reversed(slots) if slot.name in read and slot.text is not None}
        return replace(parse, slots=tuple(s for s in slots if s.name not in once or s is once[s.name]))

    def taken(self, said: Said) -> frozenset[int]:
        """Places of the words of durations, and of those that add a half: "an hour *and a half*"."""
        places = [(found.first, found.last) for found in self._durations.all(said.words)]
        places += self._words.phrases["half"].places(said.words)
        return frozenset(at for place in places for at in range(*place))

    def _numbers(self, spans: Sequence[Span], said: Said) -> Iterator[_Number]:
        """The numbers of spans; spans of one slot that a decimal point joins are one."""
        after = 0
        for span in spans:
            if span.first < after:
                continue
            read = self._durations.number(said.words, span.first)
            if read is None:
                yield _Number(span.slot, float("nan"), span.first, span.last)
                after = span.last
                continue
            value, after = read
            after = max(after, span.last)
            half = self._words.phrases["half"].at(said.words, after) if after < len(said.words) else 0
            yield _Number(span.slot, value + 0.5 * bool(half), span.first, after + half)
            after += half

    def _exact(self, parse: Parse, number: _Number, said: Said) -> float | None:
        """The value that a slot gets; None where it is not sure."""
        value, name = number.value, number.slot.removesuffix("-")
        if self._is_negative(number.first, said):
            if number.slot not in _SIGNED:
                return None
            value = -value
        if parse.intent in _ABSOLUTE and number.first and said.words[number.first - 1] in self._words.folded("by"):
            return None
        unit = number.last < len(said.words) and said.words[number.last] in (*_FAHRENHEIT, *_CELSIUS)
        if number.last < len(said.words) and not (unit or said.is_plain(number.last)):
            return None
        if self._is_in_a_name(number, said) or (name in _PERCENT and not 0 <= value <= 100):
            return None
        if number.slot.endswith("-"):
            value = -value
        return self._in_unit(value, number.last, said) if name == "temperature" else value

    def _is_negative(self, first: int, said: Said) -> bool:
        minus = self._words.folded("minus")
        return bool(_MINUS.search(said.text[: said.tokens[first].start])) or (
            first > 0 and said.words[first - 1] in minus
        )

    def _is_in_a_name(self, number: _Number, said: Said) -> bool:
        """Whether a number right after the noun for a device, and without a unit, may be part of a name: "lamp 7"."""
        if any(span.slot in _HOME for span in said.spans):
            return False
        if not number.first or (number.last < len(said.words) and said.says(number.last)):
            return False
        before = number.first - 1
        nouns = self._words.folded("single") | self._words.folded("plural")
        return said.words[before] in nouns or any(
            s.slot == "device_class" and s.last == number.first for s in said.spans
        )

    def _in_unit(self, value: float, after: int, said: Said) -> float:
        """A temperature in the unit of the home."""
        words = said.words[after : after + _UNIT_WITHIN]
        if any(word in _FAHRENHEIT for word in words) and not self._in_fahrenheit:
            return round((value - 32) * 5 / 9, 1)
        if any(word in _CELSIUS for word in words) and self._in_fahrenheit:
            return float(round(value * 9 / 5 + 32))
        return value

    def _with_duration(self, parse: Parse, said: Said) -> Parse | None:
        """The parse of a timer with its length; None without an exact length, or with another number beside it."""
        spans = [span for span in said.spans if span.slot in UNITS]
        if not spans or any(span.slot.startswith("start_") for span in said.spans):
            return parse
        found = self._durations.all(said.words)
        if not found and all(self._has_unit(span, said) for span in spans):
            return None if self._is_negative(spans[0].first, said) else parse
        if len(found) != 1 or self._is_negative(found[0].first, said) or found[0].seconds != int(found[0].seconds):
            return None
        taken = range(found[0].first, found[0].last)
        named = [span for span in said.spans if span.slot == "name"]
        if any(at not in taken and self._is_stray(said, at, named) for at in range(len(said.words))):
            return None
        delayed = any(span.slot == _DELAYED for span in said.spans)  # its verb may end the sentence
        if not delayed and found[0].last < len(said.words) and not said.is_plain(found[0].last):
            return None
        known = sum(
            UNITS[slot.name] * float(slot.value) for slot in parse.slots if slot.name in UNITS and _is_number(slot)
        )
        if known == found[0].seconds:
            return parse
        kept = [slot for slot in parse.slots if slot.name not in UNITS and not _overlaps(slot, taken, said)]
        text, place = said.region(taken)
        length = [Slot(name, value, text, place) for name, value in _split(int(found[0].seconds)) if value]
        return replace(parse, slots=(*kept, *length))

    def _has_unit(self, span: Span, said: Said) -> bool:
        """Whether a word of such commands, perhaps a unit that nobody listed, stands beside a number."""
        if any(other.first == span.last and other.slot == "name" for other in said.spans):
            return False
        after = span.last < len(said.words) and said.says(span.last)
        strange = span.last < len(said.words) and not said.is_plain(span.last)
        return not strange and (after or (span.first > 0 and said.says(span.first - 1)))

    def _is_stray(self, said: Said, at: int, named: Sequence[Span]) -> bool:
        """Whether a number stands beside the length, outside a longer name."""
        if not said.words[at].isdigit() or at in said.quoted:
            return False
        return not any(span.first <= at < span.last and span.last - span.first > 1 for span in named)


def _is_in_fahrenheit(entity: Entity) -> bool:
    """Whether a thermostat counts in °F, by its unit or a target that no home has in °C."""
    if entity.domain != "climate":
        return False
    return entity.attributes.get("temperature_unit") == "°F" or entity.number("max_temp") > _HOTTEST


def _split(seconds: int) -> tuple[tuple[str, int], ...]:
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return ("hours", hours), ("minutes", minutes), ("seconds", left)


def _is_number(slot: Slot) -> bool:
    return isinstance(slot.value, (int, float))


def _overlaps(slot: Slot, taken: range, said: Said) -> bool:
    if slot.span is None:
        return False
    start, end = said.tokens[taken.start].start, said.tokens[taken.stop - 1].end
    return slot.span[0] < end and start < slot.span[1]


def _valued(slot: Slot, tag: str, value: float) -> Slot:
    if slot.name != tag.removesuffix("-") or slot.text is None:
        return slot
    return replace(slot, value=int(value) if value == int(value) else value)
