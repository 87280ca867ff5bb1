"""Between Home Assistant's units, in which cases are written, and those of the simulated home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge.types import Entity, Home

Translate = Callable[[object], object]

_COLORS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "orange": (255, 165, 0),
    "yellow": (255, 255, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "purple": (128, 0, 128),
    "brown": (165, 42, 42),
    "pink": (255, 192, 203),
    "turquoise": (64, 224, 208),
}
"""CSS's values, which Home Assistant uses, of the colours that its sentences have."""


def _scaled(factor: float, digits: int | None = None) -> Translate:
    def scale(value: object) -> object:
        return round(value * factor, digits) if isinstance(value, (int, float)) else value

    return scale


def _unchanged(value: object) -> object:
    return value


def _color_name(rgb: object) -> object:
    return next((name for name, own in _COLORS.items() if rgb == list(own)), rgb)


def _rgb(name: object) -> object:
    return list(_COLORS[str(name)]) if name in _COLORS else name


_UNITS: dict[str, tuple[str, str, Translate, Translate]] = {
    "light.brightness": ("brightness", "brightness", _scaled(100 / 255), _scaled(255 / 100)),
    "light.rgb_color": ("rgb_color", "color", _color_name, _rgb),
    "media_player.volume_level": ("volume_level", "volume_level", _scaled(100), _scaled(1 / 100, 4)),
    "cover.current_position": ("current_position", "position", _unchanged, _unchanged),
    "valve.current_position": ("current_position", "position", _unchanged, _unchanged),
}
"""Name and value in Home Assistant and in the simulated home, both ways."""


def to_simulated(home: Home) -> Home:
    """The home with the attributes of the simulated one."""
    return replace(home, entities=tuple(_entity_to_simulated(entity) for entity in home.entities))


def from_simulated(entity_id: str, changed: Mapping[str, tuple[object, object]]) -> dict[str, tuple[object, object]]:
    """Changes of one entity in Home Assistant's attributes."""
    domain = entity_id.split(".", 1)[0]
    names = {own: (name, back) for key, (name, own, _, back) in _UNITS.items() if key.startswith(f"{domain}.")}
    found: dict[str, tuple[object, object]] = {}
    for own, (before, after) in changed.items():
        name, back = names.get(own, (own, _unchanged))
        found[name] = (back(before), back(after))
    return found


def _entity_to_simulated(entity: Entity) -> Entity:
    attributes: dict[str, object] = {}
    for name, value in entity.attributes.items():
        _, own, there, _ = _UNITS.get(f"{entity.domain}.{name}", (name, name, _unchanged, _unchanged))
        attributes[own] = there(value)
    return replace(entity, attributes=attributes)
