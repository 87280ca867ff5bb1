"""Devices on a broker: how their messages are read, how they are told what to do, and where they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import msgspec

from edge.home.colors import rgb_of
from edge.types import Area, Entity, Home, ServiceCall

Presence: TypeAlias = Callable[[bytes], bool]
"""Whether a last will or its opposite says that the device is there; raises ValueError for anything else."""
Reader: TypeAlias = Callable[[bytes, Entity], Entity]
"""The entity after a message; raises ValueError for a message that says nothing of it."""
FULL = 255


class NotSupportedError(Exception):
    """The device does not do this; the text says why."""


@dataclass(frozen=True)
class Message:
    """What is published."""

    topic: str
    payload: str


Writer: TypeAlias = Callable[[ServiceCall, Entity], tuple[Message, ...]]
"""What to publish for a service; raises NotSupportedError."""


@dataclass(frozen=True)
class Thing:
    """An entity on a broker.

    ``lives`` are the topics that say whether it is there. ``asks`` requests its state. ``confirms``: it answers every
    command with its state, also one that changes nothing. ``source`` is what the bridge calls its device.
    """

    entity: Entity
    reads: tuple[tuple[str, Reader], ...] = ()
    writes: Writer | None = None
    lives: tuple[tuple[str, Presence], ...] = ()
    asks: Message | None = None
    confirms: bool = False
    source: str = ""


def slug(text: str) -> str:
    """The text as the object id of an entity."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode()).strip("_") or "device"


def changed(entity: Entity, state: str) -> Entity:
    """The entity in another state."""
    return replace(entity, state=state)


def with_attribute(entity: Entity, name: str, value: object) -> Entity:
    """The entity with an attribute changed."""
    return replace(entity, attributes={**entity.attributes, name: value})


def decoded(payload: bytes) -> dict[str, object]:
    """A JSON object; raises ValueError for anything else."""
    try:
        return msgspec.json.decode(payload, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def number(value: object) -> float:
    """A finite number; raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is no number")
    found = float(value)
    if not -1e12 < found < 1e12:
        raise ValueError(f"{value!r} is out of range")
    return found


def asked_brightness(call: ServiceCall, light: Entity) -> int | None:
    """Brightness of 0 to 255 that the call asks for, steps included; None where it asks for none."""
    data, now = call.data, light.number("brightness") if light.state == "on" else 0.0
    wanted = None
    if "brightness" in data:
        wanted = number(data["brightness"])
    elif "brightness_pct" in data:
        wanted = FULL * number(data["brightness_pct"]) / 100
    elif "brightness_step" in data:
        wanted = now + number(data["brightness_step"])
    elif "brightness_step_pct" in data:
        wanted = now + FULL * number(data["brightness_step_pct"]) / 100
    return None if wanted is None else max(0, min(FULL, round(wanted)))


def asked_rgb(call: ServiceCall) -> tuple[int, int, int] | None:
    """Red, green and blue of 0 to 255 that the call asks for."""
    if "color_name" in call.data:
        rgb = rgb_of(str(call.data["color_name"]))
        if rgb is None:
            raise NotSupportedError(f"no colour is called {call.data['color_name']!r}")
        return rgb
    given = call.data.get("rgb_color")
    if isinstance(given, (list, tuple)) and len(given) == 3:
        red, green, blue = (max(0, min(FULL, round(number(part)))) for part in given)
        return red, green, blue
    return None


@dataclass(frozen=True)
class Rooms:
    """Names and places of devices: from their own names ("kitchen/lamp") and from a home file, which comes first."""

    home: Home = field(default_factory=Home)

    @classmethod
    def from_file(cls, path: str | None) -> Rooms:
        """Read a home file; raises ConfigError."""
        if path is None:
            return cls()
        from edge.home.home_file import load_home

        return cls(load_home(Path(path)))

    def placed(self, entity: Entity, called: str, room: str | None = None) -> Entity:
        """The entity with its names and its room; ``called`` is its whole name, ``room`` what the broker says."""
        own = next((known for known in self.home.entities if known.id == entity.id), None)
        if own is not None:
            return replace(entity, name=own.name, aliases=own.aliases, area_id=own.area_id)
        *parents, _ = called.split("/")
        name = " ".join(called.replace("/", " ").replace("_", " ").split())
        area = self._area(room or (parents[0] if parents else ""), name)
        return replace(entity, name=name, area_id=area)

    def areas(self, entities: Mapping[str, Entity], rooms: Mapping[str, str]) -> tuple[Area, ...]:
        """The home file's areas, and those of ``rooms`` (id to name) that some entity is in."""
        known = {area.id for area in self.home.areas}
        used = {entity.area_id for entity in entities.values()}
        found = (Area(id_, name) for id_, name in sorted(rooms.items()) if id_ in used and id_ not in known)
        return (*self.home.areas, *found)

    def _area(self, room: str, name: str) -> str | None:
        for area in self.home.areas:
            names = [slug(one) for one in (area.name, *area.aliases)]
            if slug(room) in names or any(f"{slug(name)}_".startswith(f"{one}_") for one in names):
                return area.id
        return slug(room) if room else None


def room_name(called: str) -> str | None:
    """The room in a name like ``kitchen/lamp``."""
    first, slash, _ = called.partition("/")
    return first.replace("_", " ").strip() or None if slash else None
