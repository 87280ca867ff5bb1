"""How the words of a language change their endings, learned from the words alone."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable

_SHORTEST_STEM, _LONGEST_ENDING = 4, 4
_LEAST_STEMS = 3
_MOST = 40


class Endings:
    """Pairs of endings that many stems share: *valo*, *valon* and *talo*, *talon* (signatures, after Goldsmith 2001).

    A language without spaces or with too few words has none.
    """

    def __init__(self, words: Iterable[str]) -> None:
        endings: dict[str, set[str]] = defaultdict(set)
        for word in {word.lower() for word in words}:
            for at in range(max(_SHORTEST_STEM, len(word) - _LONGEST_ENDING), len(word) + 1):
                endings[word[:at]].add(word[at:])
        stems = Counter(
            (old, new)
            for known in endings.values()
            for old in known
            for new in known
            if old != new and len(old) <= 2 and new and old[:1] != new[:1]
        )
        often = sorted(stems.items(), key=lambda item: (-item[1], item[0]))
        self.pairs = [(old, new, n) for (old, new), n in often[:_MOST] if n >= _LEAST_STEMS]

    def other_form(self, word: str, rng: random.Random) -> str:
        """The word with another ending; the same word where no known ending fits."""
        stem = len(word) - _SHORTEST_STEM
        fit = [(old, new, n) for old, new, n in self.pairs if len(old) <= stem and word.lower().endswith(old)]
        if not fit:
            return word
        old, new, _ = rng.choices(fit, [n for _, _, n in fit])[0]
        return word[: len(word) - len(old)] + new
