"""Whether words name a part of the home, and not another one: a word that tells devices apart is never exchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from edge.nlu.alike import misspelt
from edge.nlu.lexicon import Lexicon
from edge.nlu.matching import folded_words, plain, without_apostrophes
from edge.nlu.words import Words
from edge.types import Area, Entity, Floor, Home

Part = Area | Floor | Entity
_SWITCHED = ("HassTurnOn", "HassTurnOff")
_MAY_BE = dict.fromkeys(("switch", "input_boolean", "group"), ("light", "fan"))
"""What else people call a device of a kind: what it switches."""
_LONGEST_LETTERS = 1
_FEW_KINDS = 4


def _words_of(name: str) -> tuple[str, ...]:
    return without_apostrophes(folded_words(name))


class Naming:
    """Compares what was said with the names of a home in one language."""

    def __init__(self, home: Home, lexicon: Lexicon, words: Words) -> None:
        self._lexicon = lexicon
        self._function = frozenset((*lexicon.function, *map(plain, words.empty)))
        self._rare = _rare_words(lexicon)
        self._areas = {area.id: area for area in home.areas}
        self._floors = {floor.id: floor for floor in home.floors}
        self._kind_words = lru_cache(maxsize=32)(self._find_kind_words)
        self._place_words = lru_cache(maxsize=256)(self._find_place_words)

    def names(self, part: Part, said: Sequence[str], used: Collection[str] = ()) -> bool:
        """Whether folded words name ``part``.

        Every word must be one of its name, of its kind of device, of its place, of the command (``used``), or one that
        says nothing. Of the name only words for its kind may be missing.
        """
        if not self._lexicon.commands:
            return True
        said = without_apostrophes(said)
        return any(self._fits(part, said, _words_of(name), used) for name in (part.name, *part.aliases))

    def names_some(self, part: Part, said: Sequence[str]) -> bool:
        """Whether folded words are some of a name of ``part``, and no other's."""
        if not self._lexicon.commands:
            return True
        extra, said = self._explained(part), without_apostrophes(said)
        return any(
            all(_held(word, name) or self.is_empty(word) or _held(word, extra) for word in said)
            for name in map(_words_of, (part.name, *part.aliases))
        )

    def _fits(self, part: Part, said: Sequence[str], name: Sequence[str], used: Collection[str]) -> bool:
        if misspelt("".join(said), "".join(name)):
            return True
        extra = self._explained(part)
        missing = [word for word in name if not _held(word, said)]
        if missing and (
            all(word in extra for word in name if word not in missing)
            or any(word not in extra and not self.is_empty(word) for word in missing)
        ):
            return False
        return all(_held(word, name) or self.is_empty(word) or word in used or _held(word, extra) for word in said)

    def _explained(self, part: Part) -> Collection[str]:
        if isinstance(part, Entity):
            return self._kind_words(part.domain, part.device_class or "") | self._place_words(part.area_id or "")
        return frozenset()

    def is_empty(self, word: str) -> bool:
        """Whether a folded word tells no devices apart, such as an article."""
        return word in self._function or (len(word) <= _LONGEST_LETTERS and word == "s")

    def _find_kind_words(self, domain: str, device_class: str) -> frozenset[str]:
        """Words for a kind of device: those of commands about it that commands about few other kinds have."""
        words = {word for kind in (domain, *_MAY_BE.get(domain, ())) for word in self._lexicon.kinds.get(kind, ())}
        for intent in _SWITCHED:
            words |= self._lexicon.used(intent, domain) & self._rare
        for text, listed in self._lexicon.values.get("device_class", {}).items():
            if any(choice.value == device_class for choice in listed):
                words.update(text.split())
        return frozenset(words)

    def _find_place_words(self, area_id: str) -> frozenset[str]:
        return frozenset(word for name in self._names_of_place(area_id) for word in folded_words(name))

    def _names_of_place(self, area_id: str) -> Iterator[str]:
        area = self._areas.get(area_id)
        floor = self._floors.get(area.floor_id or "") if area is not None else None
        for place in (area, floor):
            if place is not None:
                yield from (place.name, *place.aliases)


def _rare_words(lexicon: Lexicon) -> frozenset[str]:
    """The words that are used of few kinds of device."""
    kinds: dict[int, set[str]] = defaultdict(set)
    for key, places in lexicon.uses.items():
        for place in places:
            kinds[place].add(key.partition("|")[2])
    return frozenset(lexicon.commands[place] for place, found in kinds.items() if len(found) <= _FEW_KINDS)


def _held(word: str, words: Collection[str]) -> bool:
    return any(misspelt(word, other) for other in words)
