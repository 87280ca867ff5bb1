"""What a language says where a command must not be carried out as it seems: ``edge/data/words/LANGUAGE.json``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from edge.nlu.matching import folded_words, plain

_FOLDER = Path(__file__).parents[1] / "data" / "words"

_HARMLESS = (
    *("HassGet", "HassRespond", "HassNevermind", "HassTimerStatus", "HassClimateGetTemperature"),
    *("EdgeGet", "EdgeList", "EdgeCount", "EdgeWhat", "EdgeUnsupported"),
)

Places = tuple[int, int]


def is_harmless(intent: str | None) -> bool:
    """Whether an intent changes nothing, such as a question."""
    return intent is None or intent.startswith(_HARMLESS)


class Phrases:
    """Phrases to find in folded words."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        for words in map(folded_words, phrases):
            if words:
                self._by_first.setdefault(words[0], []).append(words)

    def at(self, words: Sequence[str], first: int) -> int:
        """Length of the longest phrase that begins at ``first``; 0 where none does."""
        fitting = (p for p in self._by_first.get(words[first], ()) if tuple(words[first : first + len(p)]) == p)
        return max(map(len, fitting), default=0)

    def places(self, words: Sequence[str]) -> list[Places]:
        """Where phrases stand: the first word and the one after the last."""
        return [(first, first + length) for first in range(len(words)) if (length := self.at(words, first))]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Words and phrases of one language, by what they do to a command.

    ``negation`` forbids it, ``exception`` leaves something out, ``joiner`` begins a second one. ``question`` begins a
    question that does not ask for an action, ``polite`` one that may. ``single`` are nouns for one device, ``plural``
    for several, ``all`` words for every one. ``place`` are nouns for places that name none, ``here`` phrases for the
    place where the assistant stands. ``telling`` words beside such a noun choose a device, ``empty`` ones choose none,
    ``own`` are possessives. ``half`` adds a half to a number, ``point`` separates decimals, ``minus`` makes a number
    negative, ``by`` makes it a change. ``hours`` to ``days`` are units; ``half_unit`` and ``quarter`` take a part of
    one; ``fractions`` are words for numbers with a half.
    """

    negation: tuple[str, ...] = ()
    exception: tuple[str, ...] = ()
    joiner: tuple[str, ...] = ()
    question: tuple[str, ...] = ()
    polite: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    plural: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    point: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    minutes: tuple[str, ...] = ()
    seconds: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    half_unit: tuple[str, ...] = ()
    quarter: tuple[str, ...] = ()
    fractions: dict[str, float] = {}

    @cached_property
    def phrases(self) -> dict[str, Phrases]:
        """The phrases of each field."""
        return {name: Phrases(getattr(self, name)) for name in self.__struct_fields__ if name != "fractions"}

    def folded(self, name: str) -> frozenset[str]:
        """The single words of a field, folded."""
        if name not in self._folded:
            self._folded[name] = frozenset(map(plain, getattr(self, name)))
        return self._folded[name]

    @cached_property
    def _folded(self) -> dict[str, frozenset[str]]:
        return {}


def read_words(language: str) -> Words:
    """The words of a language; none where it has no file."""
    file = _FOLDER / f"{language}.json"
    return msgspec.json.decode(file.read_bytes(), type=Words) if file.is_file() else Words()
