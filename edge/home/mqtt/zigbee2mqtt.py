"""Zigbee2mqtt's device list as entities: what a device *exposes* says what it is and how it is told what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from edge.home.mqtt.things import Message, Reader, Rooms, Thing, changed, decoded, number, slug
from edge.home.mqtt.zigbee_kinds import KINDS, Feature, encoded, given
from edge.types import Entity

_SENSORS = {
    **{name: name for name in ("temperature", "humidity", "pressure", "illuminance", "battery", "power", "energy")},
    **{name: name for name in ("pm25", "pm10", "aqi")},
    "co2": "carbon_dioxide",
    "voc": "volatile_organic_compounds",
    "soil_moisture": "moisture",
}
_BINARY_SENSORS = {
    **{name: name for name in ("occupancy", "presence", "smoke", "gas", "carbon_monoxide", "vibration")},
    "contact": "door",
    "water_leak": "moisture",
}
"""Properties that people ask about, and Home Assistant's device class of each. ``contact`` is true when closed."""


class _Definition(msgspec.Struct):
    exposes: list[Feature] = []


class Device(msgspec.Struct):
    """A device of ``bridge/devices``."""

    ieee_address: str
    friendly_name: str
    type: str = ""
    disabled: bool = False
    definition: _Definition | None = None


class _Member(msgspec.Struct):
    ieee_address: str


class Group(msgspec.Struct):
    """A group of ``bridge/groups``."""

    id: int
    friendly_name: str
    members: list[_Member] = []


def read_devices(payload: bytes) -> list[Device]:
    """The devices of ``bridge/devices``; one that is described in a way we do not know is left out."""
    return _known(payload, Device)


def read_groups(payload: bytes) -> list[Group]:
    """The groups of ``bridge/groups``."""
    return _known(payload, Group)


def _known(payload: bytes, kind: type[Any]) -> list[Any]:
    found = []
    for raw in msgspec.json.decode(payload, type=list[msgspec.Raw]):
        try:
            found.append(msgspec.json.decode(raw, type=kind))
        except msgspec.MsgspecError:
            continue
    return found


def things(devices: Iterable[Device], groups: Iterable[Group], base: str, rooms: Rooms) -> Iterator[Thing]:
    """Every entity of the devices and groups; ``base`` is the base topic."""
    exposes = {
        device.ieee_address: device.definition.exposes
        for device in devices
        if device.definition is not None and not device.disabled
    }
    for device in devices:
        for feature in exposes.get(device.ieee_address, ()):
            thing = _thing(feature, device.friendly_name, base, rooms)
            if thing is not None:
                yield thing
    for group in groups:
        members = [feature for member in group.members for feature in exposes.get(member.ieee_address, ())]
        shared = next((feature for feature in members if feature.type in KINDS), None)
        thing = _thing(shared, group.friendly_name, base, rooms) if shared is not None else None
        if thing is not None:
            yield thing


def _thing(feature: Feature, device: str, base: str, rooms: Rooms) -> Thing | None:
    topic = f"{base}/{device}"
    called = f"{device} {feature.endpoint}" if feature.endpoint else device
    if feature.type in KINDS:
        domain, make = KINDS[feature.type]
        reads, writes, static, asked = make(feature, topic)
        entity = rooms.placed(Entity(f"{domain}.{slug(called)}", called, (), None, "unknown", static), called)
        asks = Message(f"{topic}/get", encoded({asked: ""})) if asked else None
        return Thing(entity, ((topic, reads),), writes, asks=asks, confirms=True, source=device)
    classes = {"numeric": _SENSORS, "binary": _BINARY_SENSORS}.get(feature.type, {})
    if feature.name not in classes:
        return None
    domain = "sensor" if feature.type == "numeric" else "binary_sensor"
    static = {"device_class": classes[feature.name]}
    if feature.unit:
        static["unit_of_measurement"] = feature.unit
    called = f"{called} {feature.name.replace('_', ' ')}"
    entity = rooms.placed(Entity(f"{domain}.{slug(called)}", called, (), None, "unknown", dict(static)), called)
    return Thing(entity, ((topic, _sensor(feature)),), source=device)


def _sensor(feature: Feature) -> Reader:
    inverted = feature.name == "contact"

    def read(payload: bytes, entity: Entity) -> Entity:
        value = given(decoded(payload), feature)
        if feature.type == "numeric":
            return changed(entity, f"{number(value):g}")
        return changed(entity, "on" if (value == feature.value_on) != inverted else "off")

    return read
