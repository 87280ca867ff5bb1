"""Where the home's own names occur in an utterance: input features for the student, candidates for the resolver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.nlu.alike import Spellings
from edge.nlu.tokens import Token, fold, strip_marks, tokenize
from edge.types import Area, Entity, Floor, Home

DOMAINS = (
    "light", "switch", "fan", "cover", "lock", "valve", "climate", "media_player", "todo", "vacuum", "lawn_mower",
    "scene", "script", "weather", "person", "sensor", "binary_sensor", "other",
)  # fmt: skip
_AREA, _FLOOR = len(DOMAINS), len(DOMAINS) + 1
_AREA_BEGIN, _FLOOR_BEGIN, _NAME_BEGIN, _LONGEST, _NUMBER = range(_FLOOR + 1, _FLOOR + 6)
FEATURES = _NUMBER + 1
_ALIKE = 0.86
_ALIKE_THOUGH_MEANINGFUL = 0.94
"""Of a name and a word with a meaning of its own: "windows" may be "Window", "halfway" is no "hallway"."""
_MIN_SCORE = 0.8
_SHORTEST_PART, _LONGEST_PART, _PART_SCORE = 2, 4, 0.9
"""Words of a part of a name, and its score: less than another device's whole name."""
_MOST_HOLDERS, _SHORTEST_WORD = 4, 3
_MAX_LOST_LETTERS = 1
_SHORTEST_FOUND = 3
_MAX_GLUED_PREFIX = 3
_MAX_GLUED_SUFFIX = 5
_MAX_COMPOUND = 14
_GENITIVE = ("'", "’")
_SHORTEST_OWNER = 3
"""Letters of a word with an s at its end that may be somebody's: "Ruths Lamp"."""
_NAMES_KEPT = 16_384
"""Folded once for all languages: another language of a home of 2,000 devices is ready in 12 instead of 54 ms."""


class Match(NamedTuple):
    """Tokens ``first`` to ``last`` (exclusive) read as a name of ``part``; ``score`` 1 is letter by letter.

    Not ``whole``, they are some words of a longer name.
    """

    part: Area | Floor | Entity
    first: int
    last: int
    score: float
    whole: bool = True


class _Plain(dict[int, str]):
    """Folded character without diacritics, for ``str.translate``, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = strip_marks(fold(char))
        self[code] = found = folded if len(folded) == 1 else char.lower()[:1]
        return found


_PLAIN = _Plain()


def plain(text: str) -> str:
    """``text`` folded and without diacritics, character by character, so that offsets stay."""
    return text.translate(_PLAIN)


@lru_cache(maxsize=_NAMES_KEPT)
def folded_words(name: str) -> tuple[str, ...]:
    """The words of a name, folded."""
    return tuple(plain(token.text) for token in tokenize(name))


def without_apostrophes(words: Sequence[str]) -> tuple[str, ...]:
    """Folded words with an English genitive as one: ``ruth'``, ``s`` as ``ruths``, as many homes write it."""
    joined: list[str] = []
    for word in words:
        if word == "s" and joined and joined[-1][-1:] in _GENITIVE:
            joined[-1] = joined[-1][:-1] + word
        else:
            joined.append(word)
    return tuple(joined)


def _spellings(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The words of a name with and without the apostrophes of its genitives."""
    joined = without_apostrophes(words)
    first = next((at for at, word in enumerate(joined) if word.endswith("s") and len(word) > _SHORTEST_OWNER), None)
    if first is None:
        return {words, joined}
    return {words, joined, (*joined[:first], f"{joined[first][:-1]}'", "s", *joined[first + 1 :])}


@lru_cache(maxsize=_NAMES_KEPT)
def plain_name(name: str) -> str:
    """``plain`` of a name of the home, the same for every language."""
    return plain(name)


class HomeIndex:
    """All names of a home, ready to be found. Building it is linear in the names; finding touches few of them."""

    def __init__(self, home: Home, number_words: Iterable[str] = (), value_words: Iterable[str] = ()) -> None:
        """``number_words`` and ``value_words``: folded words that mean something by themselves, such as "half"."""
        self.home = home
        self._number_words = frozenset(number_words)
        self._meaningful = self._number_words.union(value_words)
        self._by_first: dict[str, list[tuple[tuple[str, ...], Area | Floor | Entity]]] = defaultdict(list)
        self._long_names: dict[str, list[tuple[frozenset[str], Entity]]] = defaultdict(list)
        self._spelled: dict[str, None] = {}
        vocabulary: dict[str, None] = {}
        parts: tuple[Area | Floor | Entity, ...] = (*home.areas, *home.floors, *home.entities)
        for part in parts:
            for name in (part.name, *part.aliases):
                tokens = folded_words(name)
                if tokens:
                    for spelled in _spellings(tokens):
                        self._by_first[spelled[0]].append((spelled, part))
                        vocabulary.update(dict.fromkeys(spelled))
                    self._spelled[plain_name(name)] = None
                    vocabulary.update(dict.fromkeys(tokens))
                    if isinstance(part, Entity) and len(tokens) > _SHORTEST_PART:
                        words = frozenset(token for token in tokens if len(token) >= _SHORTEST_WORD)
                        for word in words:
                            self._long_names[word].append((words, part))
        self._findable = [name for name in self._spelled if len(name) >= _SHORTEST_FOUND]
        self._vocabulary = Spellings(vocabulary)
        self._known = frozenset(vocabulary)
        self._alike = lru_cache(maxsize=512)(self._find_alike)

    def tokens(self, text: str) -> list[Token]:
        """Tokens of ``text``, split too where a name of the home has a particle or ending glued to it."""
        return tokenize(text, self._boundaries(text))

    def matches(self, tokens: Sequence[Token]) -> list[Match]:
        """Every name that the tokens spell, exactly or nearly, and every long name that they spell in part."""
        words = [plain(token.text) for token in tokens]
        alike = [self._alike(word) for word in words]
        found: list[Match] = []
        for first, candidates in enumerate(alike):
            for spelling in candidates:
                for name, part in self._by_first.get(spelling, ()):
                    last = first + len(name)
                    if last > len(tokens):
                        continue
                    scores = [alike[first + k].get(word, 0.0) for k, word in enumerate(name)]
                    if min(scores) == 0.0:
                        continue
                    score = sum(s * len(w) for s, w in zip(scores, name, strict=True)) / sum(map(len, name))
                    if score >= _MIN_SCORE:
                        found.append(Match(part, first, last, score))
        return [*found, *self._parts(words, [match for match in found if match.score == 1.0])]

    def _parts(self, words: Sequence[str], exact: Sequence[Match]) -> Iterator[Match]:
        """Words in any order that a few devices' longer names hold ("island light"), and that mean nothing else."""
        for first, word in enumerate(words):
            names = self._long_names.get(word, ())
            for last in range(first + _SHORTEST_PART, min(first + _LONGEST_PART, len(words)) + 1 if names else 0):
                said = {word for word in words[first:last] if len(word) >= _SHORTEST_WORD}
                held = {part.id: part for name, part in names if said <= name}
                short = len(said) < _SHORTEST_PART or words[last - 1] not in said
                if short or len(held) > _MOST_HOLDERS or any(_takes(match, first, last) for match in exact):
                    continue
                for part in held.values():
                    yield Match(part, first, last, _PART_SCORE, whole=False)

    def features(self, tokens: Sequence[Token], matches: Sequence[Match]) -> NDArray[np.float32]:
        """Student input [T, FEATURES]: per token the best match per kind of device, areas, floors, begins, numbers."""
        grid = [[0.0] * FEATURES for _ in tokens]
        longest = [0] * len(tokens)
        for match in matches:
            length = match.last - match.first
            for i in range(match.first, match.last):
                longest[i] = max(longest[i], length)
        for match in matches:
            kind, begin = _channels(match.part)
            length = match.last - match.first
            is_longest = max(longest[match.first : match.last]) == length
            for row in grid[match.first : match.last]:
                row[kind] = max(row[kind], match.score)
                if is_longest:
                    row[_LONGEST] = 1.0
            grid[match.first][begin] = max(grid[match.first][begin], match.score)
        for row, token in zip(grid, tokens, strict=True):
            if token.text[0].isdigit() or plain(token.text) in self._number_words:
                row[_NUMBER] = 1.0
        return np.array(grid, np.float32).reshape(len(tokens), FEATURES)

    def _find_alike(self, word: str) -> dict[str, float]:
        if word in self._known:
            return {word: 1.0}
        if len(word) < 3 or word.isdigit():
            return {}
        near = self._vocabulary.alike(word, _ALIKE_THOUGH_MEANINGFUL if word in self._meaningful else _ALIKE, 4)
        return {spelling: score for spelling, score in near if _may_be(word, spelling)}

    def _boundaries(self, text: str) -> set[int]:
        """Where names end inside words; a name inside a longer whole one (*Schlafzimmerlampe*) cuts nothing."""
        line = plain(text)
        whole: list[tuple[int, int]] = []
        glued: list[tuple[int, int]] = []
        for name in [name for name in self._findable if name in line]:
            start = line.find(name)
            end = start + len(name)
            before = _letters(line, start - 1, -1)
            after = _letters(line, end, 1)
            if not before and not after:
                whole.append((start, end))
            elif before <= _MAX_GLUED_PREFIX and after <= (_MAX_COMPOUND if len(name) > 3 else _MAX_GLUED_SUFFIX):
                glued.append((start, end))
        return {
            cut
            for start, end in glued
            if not any(low <= start and end <= high for low, high in whole)
            for cut in (start, end)
        }


def _takes(match: Match, first: int, last: int) -> bool:
    """Whether words are part of a room's name, or of a device's whole and longer one."""
    if isinstance(match.part, Entity):
        return match.first <= first and last <= match.last and match.last - match.first > last - first
    return match.first < last and first < match.last


def _may_be(word: str, spelling: str) -> bool:
    """Whether a word may be a name's, misheard.

    A word of three letters counts only at the beginning of a name ("all" does not mean the hall), and never at the end
    of a longer one:
    "Licht" speaks of lights, not of "Badlicht".
    """
    if len(spelling) < 3 or spelling.isdigit():
        return False
    if len(word) == 3:
        return spelling.startswith(word)
    return not spelling.endswith(word) or len(spelling) - len(word) <= _MAX_LOST_LETTERS


def _letters(line: str, i: int, step: int) -> int:
    """How many letters follow from ``i`` in direction ``step``."""
    count = 0
    while 0 <= i < len(line) and (line[i].isalpha() or not line[i].isascii() and not line[i].isspace()):
        count += 1
        i += step
    return count


def _channels(part: Area | Floor | Entity) -> tuple[int, int]:
    if isinstance(part, Area):
        return _AREA, _AREA_BEGIN
    if isinstance(part, Floor):
        return _FLOOR, _FLOOR_BEGIN
    domain = part.domain if part.domain in DOMAINS else "other"
    return DOMAINS.index(domain), _NAME_BEGIN
