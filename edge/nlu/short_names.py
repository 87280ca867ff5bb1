"""What devices may be called without their room: "kettle" for "Kitchen Kettle" in the kitchen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace

from edge.nlu.matching import folded_words
from edge.types import Area, Entity, Floor, Home

_SHORTEST = 3

Words = tuple[str, ...]


def with_short_names(home: Home, common: Collection[str]) -> Home:
    """The home with a further alias for every device whose name begins or ends with that of its room.

    Args:
        home: left as it is.
        common: folded words that make no name of their own, such as "light": what is left has another one. Without
            any, names stay as they are.
    """
    if not common:
        return home
    rooms = {area.id: [folded_words(name) for name in (area.name, *area.aliases)] for area in home.areas}
    parts: tuple[Area | Floor | Entity, ...] = (*home.areas, *home.floors, *home.entities)
    taken = {folded_words(name) for part in parts for name in (part.name, *part.aliases)}
    called: dict[Words, set[str]] = defaultdict(set)
    for entity in home.entities:
        for name in (entity.name, *entity.aliases):
            for rest in _without_room(folded_words(name), rooms.get(entity.area_id or "", ())):
                for short in (rest, _own_part(rest, common)):
                    if any(_is_own(word, common, len(short) == 1) for word in short):
                        called[short].add(entity.id)
    found: dict[str, list[str]] = defaultdict(list)
    for short, holders in sorted(called.items()):
        if len(holders) == 1 and short not in taken:
            found[next(iter(holders))].append(" ".join(short))
    entities = (
        replace(entity, aliases=(*entity.aliases, *found[entity.id])) if entity.id in found else entity
        for entity in home.entities
    )
    return replace(home, entities=tuple(entities))


def _without_room(name: Words, rooms: Collection[Words]) -> Iterator[Words]:
    for room in rooms:
        if room and name[: len(room)] == room:
            yield name[len(room) :]
        elif room and name[-len(room) :] == room:
            yield name[: -len(room)]


def _own_part(words: Words, common: Collection[str]) -> Words:
    """The words from the first to the last that is a name's own."""
    own = [at for at, word in enumerate(words) if _is_own(word, common, alone=False)]
    return words[own[0] : own[-1] + 1] if own else ()


def _is_own(word: str, common: Collection[str], alone: bool) -> bool:
    return word not in common and not any(map(str.isdigit, word)) and len(word) >= (_SHORTEST - alone)
