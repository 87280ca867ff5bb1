"""Which devices a broker has: zigbee2mqtt's lists, discovery topics and Tasmota's, kept as they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from edge.home.mqtt import tasmota
from edge.home.mqtt.discovery import read_config, suggested_area, thing
from edge.home.mqtt.settings import Config
from edge.home.mqtt.things import Rooms, Thing, decoded, room_name, slug
from edge.home.mqtt.zigbee2mqtt import Device, Group, read_devices, read_groups, things
from edge.types import Area, Floor

_TASMOTA = "tasmota/discovery/"


class Catalog:
    """The devices that were announced. Messages that say nothing usable change nothing."""

    def __init__(self, base: str, discovery: str, rooms: Rooms) -> None:
        """``base`` is zigbee2mqtt's topic, ``discovery`` the prefix of discovery topics."""
        self._base, self._discovery, self._rooms = base, discovery, rooms
        self._devices: list[Device] = []
        self._groups: list[Group] = []
        self._announced: dict[str, list[tuple[Thing, str | None]]] = {}
        self._tasmota: dict[str, tasmota.Device] = {}
        self._last: dict[str, int] = {}
        self.log_topic = f"{base}/bridge/logging"

    def topics(self) -> tuple[str, ...]:
        """What to subscribe to."""
        bridge = (f"{self._base}/bridge/{name}" for name in ("devices", "groups", "logging"))
        announced = (f"{self._discovery}/+/+/config", f"{self._discovery}/+/+/+/config", f"{_TASMOTA}+/config")
        return (*bridge, *announced)

    def accept(self, topic: str, payload: bytes) -> bool:
        """Take a message; whether it changed what there is."""
        is_config = topic.startswith((f"{self._discovery}/", _TASMOTA)) and topic.endswith("/config")
        if not is_config and topic not in (f"{self._base}/bridge/devices", f"{self._base}/bridge/groups"):
            return False
        if self._last.get(topic) == hash(payload):
            return False
        self._last[topic] = hash(payload)
        if topic.startswith(_TASMOTA):
            before, device = self._tasmota.pop(topic, None), tasmota.read_device(payload)
            self._tasmota |= {topic: device} if device is not None else {}
            return bool(before or device)
        if is_config:
            return self._take_config(topic, payload)
        try:
            if topic.endswith("/devices"):
                self._devices = read_devices(payload)
            else:
                self._groups = read_groups(payload)
        except (msgspec.MsgspecError, RecursionError):
            return False
        return True

    def things(self) -> Iterator[Thing]:
        """Every entity; of two with the same id the second gets a number."""
        taken: set[str] = set()
        for each in (*self._of_zigbee(), *self._of_discovery()):
            id_, number = each.entity.id, 2
            while id_ in taken:
                id_, number = f"{each.entity.id}_{number}", number + 1
            taken.add(id_)
            yield each if id_ == each.entity.id else replace(each, entity=replace(each.entity, id=id_))

    def areas(self) -> tuple[Area, ...]:
        """Rooms that have devices."""
        named = [room_name(device.friendly_name) for device in self._devices]
        named += [room_name(group.friendly_name) for group in self._groups]
        named += [room_name(device.name) for device in self._tasmota.values()]
        named += [room for announced in self._announced.values() for _, room in announced]
        entities = {each.entity.id: each.entity for each in self.things()}
        return self._rooms.areas(entities, {slug(name): name for name in named if name})

    @property
    def floors(self) -> tuple[Floor, ...]:
        """The home file's floors."""
        return self._rooms.home.floors

    def _take_config(self, topic: str, payload: bytes) -> bool:
        before = self._announced.pop(topic, None)
        configs = [
            each for each in read_config(topic, payload, self._discovery).values() if not self._is_of_zigbee(each)
        ]
        found = [(each, suggested_area(config)) for config in configs if (each := thing(config, self._rooms))]
        if found:
            self._announced[topic] = found
        return bool(before or found)

    def _is_of_zigbee(self, config: Config) -> bool:
        """Whether zigbee2mqtt announced it, whose own lists say more."""
        topics = (config.text("state_topic"), config.text("command_topic"))
        return any(topic is not None and topic.startswith(f"{self._base}/") for topic in topics)

    def _of_zigbee(self) -> Iterator[Thing]:
        for each in things(self._devices, self._groups, self._base, self._rooms):
            topics = (f"{self._base}/bridge/state", f"{self._base}/{each.source}/availability")
            yield replace(each, lives=tuple((topic, _is_online) for topic in topics))

    def _of_discovery(self) -> Iterator[Thing]:
        for _, announced in sorted(self._announced.items()):
            yield from (each for each, _ in announced)
        for _, device in sorted(self._tasmota.items()):
            yield from tasmota.things(device, self._rooms)


def _is_online(payload: bytes) -> bool:
    """The last will of the bridge or a device: ``online`` or ``offline``, as JSON or as a bare word."""
    word = payload.decode("utf-8", "replace").strip()
    if word.startswith("{"):
        word = str(decoded(payload).get("state"))
    if word not in ("online", "offline"):
        raise ValueError(f"{word!r} is neither online nor offline")
    return word == "online"
