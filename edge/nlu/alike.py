"""How alike two spellings are: which names a misheard word may stand for, and which listed value is nearest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from os.path import commonprefix

import numpy as np
from jellyfish import damerau_levenshtein_distance, jaro_winkler_similarity
from numpy.typing import NDArray

_LETTERS = 32
_PREFIX_BONUS = 0.4
_SHORTEST_MISSPELT, _LETTERS_A_SLIP = 4, 12
_SHORTEST_STEM, _STEM_SHARE, _LONGEST_ENDING = 3, 0.6, 4


class Spellings:
    """Words to look for by Jaro-Winkler similarity (Winkler 1990).

    Two words of a and b letters with m in common are at most (m / a + m / b + 1) / 3 alike by Jaro. This rules most
    words out before any is compared.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = list(words)
        self._letters = np.stack([_name_counts(word) for word in self.words]) if self.words else None
        self._lengths = np.array([max(1, len(word)) for word in self.words], np.float32)

    def alike(self, word: str, least: float, limit: int) -> list[tuple[str, float]]:
        """At most ``limit`` words with a similarity of ``least`` or more, the most alike first."""
        if self._letters is None or not word:
            return []
        shared = np.minimum(self._letters, _letter_counts(word)).sum(1, dtype=np.float32)
        highest = (shared / self._lengths + shared / len(word) + 1) / 3
        likely = np.flatnonzero(highest + _PREFIX_BONUS * (1 - highest) >= least - 1e-5)
        scored = [(self.words[i], jaro_winkler_similarity(word, self.words[i])) for i in likely]
        return sorted((pair for pair in scored if pair[1] >= least), key=lambda pair: -pair[1])[:limit]


@lru_cache(maxsize=16_384)
def _name_counts(word: str) -> NDArray[np.uint8]:
    """`_letter_counts` of a home's word, the same for every language; what people say is not kept."""
    return _letter_counts(word)


def _letter_counts(word: str) -> NDArray[np.uint8]:
    """Counts of letters [_LETTERS]; letters that share a place are counted together."""
    return np.bincount([ord(letter) % _LETTERS for letter in word[:255]], minlength=_LETTERS).astype(np.uint8)


def nearest(text: str, spellings: Iterable[str], least: float) -> str | None:
    """The spelling with the highest ratio to ``text``, the first of equals, if its ratio is ``least`` or more."""
    places = _places(text)
    best: str | None = None
    for spelling in spellings:
        shorter, both = min(len(text), len(spelling)), len(text) + len(spelling)
        if not both or 2 * shorter / both < least:
            continue
        ratio = 2 * _common(places, len(text), spelling) / both
        if ratio > least or (ratio == least and best is None):
            best, least = spelling, ratio
    return best


def _places(text: str) -> dict[str, int]:
    """For each letter of ``text``, the bits of the places where it stands."""
    places: dict[str, int] = {}
    for i, letter in enumerate(text):
        places[letter] = places.get(letter, 0) | 1 << i
    return places


def _common(places: dict[str, int], length: int, other: Sequence[str]) -> int:
    """Length of the longest common subsequence, a word of bits per letter (Hyyrö 2004)."""
    row = whole = (1 << length) - 1
    for letter in other:
        matched = row & places.get(letter, 0)
        row = ((row + matched) | (row - matched)) & whole
    return length - row.bit_count()


def misspelt(word: str, spelling: str) -> bool:
    """Whether a word is another one with a letter wrong, or with another ending: not a different word.

    Short words have no letter to spare, and numbers none at all.
    """
    if word == spelling:
        return True
    shorter, longer = sorted((len(word), len(spelling)))
    if shorter < _SHORTEST_MISSPELT or any(map(str.isdigit, word + spelling)):
        return False
    wrong = damerau_levenshtein_distance(word, spelling)
    return wrong <= 1 + longer // _LETTERS_A_SLIP or _same_stem(word, spelling, longer)


def _same_stem(word: str, spelling: str, longer: int) -> bool:
    stem = len(commonprefix((word, spelling)))
    return stem >= _SHORTEST_STEM and stem >= _STEM_SHARE * longer and longer - stem <= _LONGEST_ENDING
