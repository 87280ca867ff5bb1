"""What Home Assistant's registries say of a home: areas, floors, and the names of what is exposed to assist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from edge.home.home_assistant.socket import HomeSocket
from edge.types import Area, Entity, Floor

_ASSISTANT = "conversation"
_BATCH = 250
"""Entries asked for at once: 5,000 in one answer are 5 MB."""
_BY_DEFAULT = frozenset(
    (
        *("climate", "cover", "fan", "humidifier", "light", "media_player"),
        *("scene", "switch", "todo", "vacuum", "water_heater"),
    )
)
_CLASSES_BY_DEFAULT = {
    "binary_sensor": frozenset(("door", "garage_door", "lock", "motion", "opening", "presence", "window")),
    "sensor": frozenset(
        (
            *("aqi", "carbon_monoxide", "carbon_dioxide", "humidity", "pm10", "pm25", "temperature"),
            "volatile_organic_compounds",
        )
    ),
}
"""What Home Assistant exposes where nobody decided, as in its ``exposed_entities.py``."""
_Decoded = TypeVar("_Decoded")


class _Area(msgspec.Struct):
    area_id: str
    name: str
    aliases: list[str] = []
    floor_id: str | None = None


class _Floor(msgspec.Struct):
    floor_id: str
    name: str
    aliases: list[str] = []


class _Label(msgspec.Struct):
    label_id: str
    name: str


class _Device(msgspec.Struct):
    id: str
    area_id: str | None = None


class _Listed(msgspec.Struct):
    entity_id: str
    options: dict[str, dict[str, object]] = {}
    entity_category: str | None = None
    hidden_by: str | None = None
    disabled_by: str | None = None


class _Entry(msgspec.Struct):
    entity_id: str
    name: str | None = None
    original_name: str | None = None
    aliases: list[str | None] = []
    area_id: str | None = None
    device_id: str | None = None
    device_class: str | None = None
    original_device_class: str | None = None
    labels: list[str] = []


class _Units(msgspec.Struct):
    temperature: str = "°C"


class _Config(msgspec.Struct):
    unit_system: _Units
    state: str = "RUNNING"


class _Exposed(msgspec.Struct):
    exposed_entities: dict[str, dict[str, bool]]


class _ExposeNew(msgspec.Struct):
    expose_new: bool


@dataclass(frozen=True)
class Naming:
    """How people call an entity and where it is; ``own_name`` says whether its own name is one that they may say."""

    registered: str | None = None
    given: str | None = None
    aliases: tuple[str, ...] = ()
    own_name: bool = True
    area_id: str | None = None
    labels: tuple[str, ...] = ()

    def entity(self, entity_id: str, shown: str, state: str, attributes: dict[str, object]) -> Entity:
        """The entity in this state; ``shown`` is the name that Home Assistant shows, where there is one."""
        own = shown or self.registered or entity_id.partition(".")[2].replace("_", " ")
        names = [own, *((self.given,) if self.given else ())] if self.own_name or not self.aliases else []
        name, *others = dict.fromkeys(cleaned for each in (*names, *self.aliases) if (cleaned := each.strip()))
        if self.labels != attributes.get("labels", ()) or not _UNUSED.isdisjoint(attributes):
            attributes = {key: value for key, value in attributes.items() if key not in _UNUSED}
            attributes |= {"labels": self.labels} if self.labels else {}
        return Entity(entity_id, name, tuple(others), self.area_id, state, attributes)


_UNUSED = frozenset(("friendly_name", "icon", "entity_picture", "attribution", "restored", "editable", "labels"))


@dataclass(frozen=True)
class Registries:
    """The names of a home at one moment, without states; ``exposure`` is the hash of ``read_exposure``."""

    areas: tuple[Area, ...] = ()
    floors: tuple[Floor, ...] = ()
    naming: Mapping[str, Naming] = field(default_factory=dict)
    temperature_unit: str = "°C"
    exposure: int = 0


async def read_exposure(home: HomeSocket) -> bytes:
    """What was decided to be exposed, as Home Assistant writes it."""
    return bytes(await home.ask("homeassistant/expose_entity/list"))


async def read_registries(home: HomeSocket) -> Registries:
    """Ask for everything that names and places the entities that are exposed to assist.

    Raises:
        CommandError: the token's user may not read them; only administrators may.
        LostError: the connection ended.
    """
    config = _decoded(await home.ask("get_config"), _Config)
    areas = _decoded(await home.ask("config/area_registry/list"), list[_Area])
    floors = _decoded(await home.ask("config/floor_registry/list"), list[_Floor])
    labels = _decoded(await home.ask("config/label_registry/list"), list[_Label])
    devices = _decoded(await home.ask("config/device_registry/list"), list[_Device])
    exposure = await read_exposure(home)
    return Registries(
        tuple(Area(area.area_id, area.name, _sorted(area.aliases), area.floor_id) for area in areas),
        tuple(Floor(floor.floor_id, floor.name, _sorted(floor.aliases)) for floor in floors),
        await _read_naming(home, {device.id: device.area_id for device in devices}, labels, exposure),
        config.unit_system.temperature,
        hash(exposure),
    )


async def _read_naming(
    home: HomeSocket, area_of_device: Mapping[str, str | None], labels: list[_Label], exposure: bytes
) -> dict[str, Naming]:
    decided, undecided = await _exposed(home, exposure)
    label_names = {label.label_id: label.name for label in labels}
    entries: dict[str, _Entry | None] = {}
    wanted, surely = [*decided, *undecided], set(decided)
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        answer = await home.ask("config/entity_registry/get_entries", entity_ids=batch)
        entries |= _decoded(answer, dict[str, _Entry | None])
    lists_own_name = any(entry is not None and None in entry.aliases for entry in entries.values())
    return {
        entity_id: _naming(entry, area_of_device, label_names, lists_own_name)
        for entity_id, entry in entries.items()
        if entity_id in surely or _is_exposed_by_default(entity_id, entry)
    }


async def _exposed(home: HomeSocket, exposure: bytes) -> tuple[list[str], list[str]]:
    """Entities that are exposed, and those of the registry that nobody asked about yet and that may be by default."""
    exposed = _decoded(exposure, _Exposed).exposed_entities
    decided = [entity_id for entity_id, assistants in exposed.items() if assistants.get(_ASSISTANT)]
    answer = await home.ask("homeassistant/expose_new_entities/get", assistant=_ASSISTANT)
    if not _decoded(answer, _ExposeNew).expose_new:
        return decided, []
    listed = _decoded(await home.ask("config/entity_registry/list"), list[_Listed])
    return decided, [
        entry.entity_id
        for entry in listed
        if "should_expose" not in entry.options.get(_ASSISTANT, {})
        and not (entry.hidden_by or entry.disabled_by or entry.entity_category)
        and entry.entity_id.partition(".")[0] in _BY_DEFAULT | _CLASSES_BY_DEFAULT.keys()
    ]


def _is_exposed_by_default(entity_id: str, entry: _Entry | None) -> bool:
    domain = entity_id.partition(".")[0]
    if entry is None or domain in _BY_DEFAULT:
        return entry is not None
    return (entry.device_class or entry.original_device_class or "") in _CLASSES_BY_DEFAULT[domain]


def _naming(
    entry: _Entry | None, area_of_device: Mapping[str, str | None], labels: Mapping[str, str], lists_own_name: bool
) -> Naming:
    """Names of an entry; since 2026 its list of aliases holds ``null`` where its own name may be said."""
    if entry is None:
        return Naming()
    return Naming(
        registered=entry.name or entry.original_name,
        given=entry.name,
        aliases=tuple(alias for alias in entry.aliases if alias),
        own_name=None in entry.aliases or not lists_own_name,
        area_id=entry.area_id or area_of_device.get(entry.device_id or ""),
        labels=_sorted(labels[label] for label in entry.labels if label in labels),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    """Home Assistant keeps these in sets, whose order changes from one start to the next."""
    return tuple(sorted(names))


def _decoded(answer: msgspec.Raw | bytes, kind: type[_Decoded]) -> _Decoded:
    return msgspec.json.decode(answer, type=kind)
