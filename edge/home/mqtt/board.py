"""What the devices of a broker have told: their states, which are away, and which must be asked."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from edge.home.live import LiveHome
from edge.home.mqtt.things import Thing
from edge.types import Entity

_LOG = logging.getLogger(__name__)
_FAILED = re.compile(r"Publish '\w+' '[^']*' to '(?P<device>.+)' failed")
"""Zigbee2mqtt tells on its log alone that the radio did not reach a device."""


class Board:
    """The devices by their topics. ``told`` counts messages by entity, ``failed`` failures by device.

    ``unasked`` are entities whose state must be asked for: new ones, and those that came back.
    """

    def __init__(self, live: LiveHome) -> None:
        self._live = live
        self.things: dict[str, Thing] = {}
        self._topics: dict[str, list[Thing]] = {}
        self._away: dict[str, set[str]] = {}
        self.unasked: set[str] = set()
        self.told: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def replace(self, things: Iterable[Thing]) -> None:
        """Take over what there is now; devices that were there before keep their states."""
        before, self.things = self.things, {thing.entity.id: thing for thing in things}
        self.unasked |= self.things.keys() - before.keys()
        topics: dict[str, list[Thing]] = defaultdict(list)
        for thing in self.things.values():
            for topic in dict.fromkeys(topic for topic, _ in (*thing.reads, *thing.lives)):
                topics[topic].append(thing)
        self._topics = dict(topics)
        self._away = {id_: away & self._topics.keys() for id_, away in self._away.items() if id_ in self.things}
        self._live.keep_only(self.things)
        for thing in self.things.values():
            self._live.put(_in_state_of(thing.entity, self._live.entity(thing.entity.id)))

    def topics(self) -> set[str]:
        """The topics on which the devices speak."""
        return set(self._topics)

    def entity(self, thing: Thing) -> Entity:
        """The entity of a device as it is now."""
        return self._live.entity(thing.entity.id) or thing.entity

    def take(self, topic: str, payload: bytes) -> None:
        """Read a message for every device that it is about; one that says nothing usable changes nothing."""
        for thing in self._topics.get(topic, ()):
            try:
                self._take_for(thing, topic, payload)
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                _LOG.debug("%s says nothing of %s: %s", topic, thing.entity.id, error)

    def note_failure(self, payload: bytes) -> None:
        """Read a line of zigbee2mqtt's log."""
        found = _FAILED.search(payload.decode("utf-8", "replace"))
        if found is not None and b'"error"' in payload:
            self.failed[found["device"]] += 1
            self._live.wake()

    def _take_for(self, thing: Thing, topic: str, payload: bytes) -> None:
        """What a message says of one entity: its state, or that it came or went."""
        id_, entity = thing.entity.id, self.entity(thing)
        away = self._away.setdefault(id_, set())
        for own, is_there in thing.lives:
            if own == topic and is_there(payload):
                away.discard(topic)
                self.unasked.add(id_)
            elif own == topic:
                away.add(topic)
        told = [read for own, read in thing.reads if own == topic]
        now = replace(entity, state="unknown") if not (entity.reachable or away) else entity
        for read in told:
            now = read(payload, now)
        self.told[id_] += bool(told)
        self._live.put(replace(now, state="unavailable") if away else now)


def _in_state_of(entity: Entity, before: Entity | None) -> Entity:
    """The entity as it is announced, with its last state."""
    if before is None or before.state in (None, "unknown"):
        return entity
    attributes = {**before.attributes, **entity.attributes}
    return Entity(entity.id, entity.name, entity.aliases, entity.area_id, before.state, attributes)
