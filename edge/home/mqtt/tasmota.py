"""Tasmota's own discovery topics as entities: relays and dimmable lights."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from edge.home.mqtt.settings import is_topic
from edge.home.mqtt.things import (
    FULL,
    Message,
    NotSupportedError,
    Presence,
    Reader,
    Rooms,
    Thing,
    Writer,
    asked_brightness,
    changed,
    decoded,
    number,
    slug,
    with_attribute,
)
from edge.types import Entity, ServiceCall

_RELAY, _LIGHT = 1, 2
_AS_LIGHT = "30"
"""The option of a device whose relays are lamps."""


class Device(msgspec.Struct):
    """A message on ``tasmota/discovery/MAC/config``, by the names that Tasmota gives its parts."""

    name: str = msgspec.field(name="dn")
    topic: str = msgspec.field(name="t")
    full_topic: str = msgspec.field(name="ft")
    prefixes: list[str] = msgspec.field(name="tp")
    mac: str = ""
    hostname: str = msgspec.field(name="hn", default="")
    relay_names: list[str | None] = msgspec.field(name="fn", default_factory=list)
    relays: list[int] = msgspec.field(name="rl", default_factory=list)
    words: list[str] = msgspec.field(name="state", default_factory=lambda: ["OFF", "ON"])
    online: str = msgspec.field(name="onln", default="Online")
    offline: str = msgspec.field(name="ofln", default="Offline")
    light_kind: int = msgspec.field(name="lt_st", default=0)
    options: dict[str, int] = msgspec.field(name="so", default_factory=dict)

    def at(self, prefix: int, last: str) -> str:
        """The topic under the command, state or telemetry prefix (0, 1, 2) that ends in ``last``."""
        filled = self.full_topic.replace("%prefix%", self.prefixes[prefix]).replace("%topic%", self.topic)
        return filled.replace("%hostname%", self.hostname).replace("%id%", self.mac[-6:]) + last


def read_device(payload: bytes) -> Device | None:
    """The device that a message announces; None for one that says nothing usable."""
    try:
        device = msgspec.json.decode(payload, type=Device)
    except (msgspec.MsgspecError, RecursionError):
        return None
    usable = len(device.prefixes) == 3 and len(device.words) >= 2 and is_topic(device.at(0, "STATE"))
    return device if usable else None


def things(device: Device, rooms: Rooms) -> Iterator[Thing]:
    """The relays and lights of a device."""
    used = [at for at, kind in enumerate(device.relays) if kind in (_RELAY, _LIGHT)]
    for at in used:
        own = device.relay_names[at] if at < len(device.relay_names) else None
        called = device.name if len(used) == 1 else own or f"{device.name} {at + 1}"
        is_light = device.relays[at] == _LIGHT or device.options.get(_AS_LIGHT) == 1
        dims = device.relays[at] == _LIGHT and device.light_kind > 0
        static: dict[str, object] = {"supported_color_modes": ["brightness" if dims else "onoff"]} if is_light else {}
        domain = "light" if is_light else "switch"
        entity = rooms.placed(Entity(f"{domain}.{slug(called)}", called, (), None, "unknown", static), called)
        power = "POWER" if device.relays.count(0) == len(device.relays) - 1 else f"POWER{at + 1}"
        read, topics = _reader(device, power, dims), (device.at(1, "RESULT"), device.at(2, "STATE"))
        yield Thing(
            entity,
            tuple((topic, read) for topic in topics),
            _writer(device, at, dims),
            ((device.at(2, "LWT"), _presence(device)),),
            asks=Message(device.at(0, "STATE"), ""),
            confirms=True,
        )


def _reader(device: Device, power: str, dims: bool) -> Reader:
    off, on = device.words[:2]

    def read(payload: bytes, entity: Entity) -> Entity:
        told = decoded(payload)
        word = told.get(power, told.get("POWER1") if power == "POWER" else None)
        if word not in (off, on):
            raise ValueError(f"no {power}")
        now, level = changed(entity, "on" if word == on else "off"), told.get("Dimmer")
        if not dims or not isinstance(level, (int, float)):
            return now
        return with_attribute(now, "brightness", round(number(level) * FULL / 100))

    return read


def _writer(device: Device, at: int, dims: bool) -> Writer:
    off, on = device.words[:2]

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        brightness = asked_brightness(call, entity)
        if brightness is not None and call.service == "turn_on":
            if not dims:
                raise NotSupportedError(f"{entity.id} cannot be dimmed")
            return (Message(device.at(0, "Dimmer"), str(round(brightness * 100 / FULL))),)
        words = {"turn_on": on, "turn_off": off, "toggle": "TOGGLE"}
        if call.service not in words:
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        return (Message(device.at(0, f"Power{at + 1}"), words[call.service]),)

    return write


def _presence(device: Device) -> Presence:
    def read(payload: bytes) -> bool:
        word = payload.decode("utf-8", "replace").strip()
        if word not in (device.online, device.offline):
            raise ValueError(f"{word!r} is neither {device.online!r} nor {device.offline!r}")
        return word == device.online

    return read
