"""Numbers in names, in digits and in words: "Door 2" is "door two", and "Lamp Twelve" is "lamp 12"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from edge.nlu.lexicon import lexicon_key
from edge.nlu.matching import folded_words
from edge.types import Area, Entity, Floor, Home

_LONGEST_NUMBER = 4
_MOST_FORMS = 6


def with_number_names(home: Home, numbers: Mapping[str, int]) -> Home:
    """The home with an alias for each other way to say the numbers in its names.

    Args:
        home: left as it is.
        numbers: folded spellings of numbers in one language.
    """
    spellings: dict[int, list[str]] = {}
    for spelled, number in numbers.items():
        spellings.setdefault(number, []).append(spelled)

    def aliases(part: Area | Floor | Entity) -> tuple[str, ...]:
        names = (part.name, *part.aliases)
        further = dict.fromkeys(form for name in names for form in _other_forms(name, numbers, spellings))
        return (*part.aliases, *(form for form in further if form not in names))

    return Home(
        tuple(replace(area, aliases=aliases(area)) for area in home.areas),
        tuple(replace(floor, aliases=aliases(floor)) for floor in home.floors),
        tuple(replace(entity, aliases=aliases(entity)) for entity in home.entities),
    )


def _other_forms(name: str, numbers: Mapping[str, int], spellings: Mapping[int, list[str]]) -> Iterator[str]:
    """The name with its first number said otherwise."""
    words = folded_words(name)
    for first in range(len(words)):
        for last in range(min(len(words), first + _LONGEST_NUMBER), first, -1):
            said = " ".join(words[first:last])
            number = int(said) if said.isdecimal() else numbers.get(lexicon_key(said))
            if number is None or (first, last) == (0, len(words)):
                continue
            forms = (str(number), *spellings.get(number, ())[:_MOST_FORMS])
            yield from (" ".join((*words[:first], form, *words[last:])) for form in forms if form != said)
            return
