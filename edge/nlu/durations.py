"""Numbers and lengths of time in words: "an hour and a half", "zweieinhalb Minuten", "media hora"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.nlu.lexicon import Lexicon
from edge.nlu.matching import plain
from edge.nlu.words import Words

UNITS = {"hours": 3600, "minutes": 60, "seconds": 1}
_LONGEST_NUMBER = 4
_MOST_FILLERS = 2
_APOSTROPHES = "'’"


@dataclass(frozen=True)
class Duration:
    """A length of time, and the words that give it."""

    seconds: float
    first: int
    last: int


class Durations:
    """Reads numbers and durations from folded words of one language."""

    def __init__(self, lexicon: Lexicon, words: Words) -> None:
        self._numbers, self._words = lexicon.numbers, words
        self._articles = {
            text for tag in UNITS for text, listed in lexicon.values.get(tag, {}).items() if listed[0].value == 1
        }
        self._fractions = {plain(text): value for text, value in words.fractions.items()}
        self._units = {word: 86400 for word in words.folded("days")}
        for name, seconds in UNITS.items():
            self._units.update(dict.fromkeys(words.folded(name), seconds))
        self._skipped = words.folded("empty") | self._articles

    def number(self, words: Sequence[str], at: int) -> tuple[float, int] | None:
        """The number that begins at ``at``, with its decimals, and the place after it."""
        whole = self._whole(words, at)
        if whole is None:
            return None
        value, after = whole
        points = self._words.folded("point")
        if after + 1 < len(words) and words[after] in points:
            decimals = self._whole(words, after + 1)
            if decimals is not None and decimals[0] == int(decimals[0]):
                return float(f"{int(value)}.{int(decimals[0])}"), decimals[1]
        return whole

    def all(self, words: Sequence[str]) -> list[Duration]:
        """Every length of time; parts that follow each other are one."""
        words = [word.rstrip(_APOSTROPHES) if len(word) > 1 else word for word in words]
        found: list[Duration] = []
        at = 0
        while at < len(words):
            part = self._part(words, at)
            if part is None:
                at += 1
                continue
            if found and self._are_joined(words, found[-1].last, part.first):
                found[-1] = Duration(found[-1].seconds + part.seconds, found[-1].first, part.last)
            else:
                found.append(part)
            at = part.last
        return found

    def _whole(self, words: Sequence[str], at: int) -> tuple[float, int] | None:
        if at >= len(words):
            return None
        digits = words[at].replace(",", ".")
        if digits[:1].isdigit():
            try:
                return float(digits), at + 1
            except ValueError:
                return None
        if words[at] in self._fractions:
            return self._fractions[words[at]], at + 1
        for last in range(min(len(words), at + _LONGEST_NUMBER), at, -1):
            number = self._numbers.get(" ".join(words[at:last]))
            if number is not None:
                return float(number), last
        return None

    def _part(self, words: Sequence[str], at: int) -> Duration | None:
        """One number with its unit."""
        value, after = self._amount(words, at)
        if value is None:
            return None
        for _ in range(_MOST_FILLERS + 1):
            if after < len(words) and words[after] in self._units:
                break
            if after >= len(words) or words[after] not in self._skipped:
                return None
            after += 1
        else:
            return None
        unit = self._units[words[after]]
        half = self._words.phrases["half"].at(words, after + 1) if after + 1 < len(words) else 0
        return Duration((value + 0.5 * bool(half)) * unit, at, after + 1 + half)

    def _amount(self, words: Sequence[str], at: int) -> tuple[float | None, int]:
        """How many of a unit: a number, a number and a half, a half, a quarter, or one."""
        for name, share in (("half_unit", 0.5), ("quarter", 0.25)):
            length = self._words.phrases[name].at(words, at)
            if length:
                return share, at + length
        read = self.number(words, at)
        if read is None:
            return (1.0, at + 1) if words[at] in self._articles else (None, at)
        value, after = read
        if after < len(words):
            half = self._words.phrases["half"].at(words, after)
            if half:
                return value + 0.5, after + half
            share = self._words.phrases["half_unit"].at(words, after)
            if share and value == 1:
                return 0.5, after + share
        return value, after

    def _are_joined(self, words: Sequence[str], first: int, last: int) -> bool:
        between = words[first:last]
        return len(between) <= 1 and all(word in self._words.folded("joiner") for word in between)
