"""Questions about what a device is set to: how bright, how loud, which colour, what is playing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.dialogue.views import plain
from edge.home.colors import color_name
from edge.types import Action, Entity, Parse, Reply

_Value = Callable[[Entity], str | None]


class GetAttribute:
    """EdgeGetAttribute: ``what`` is brightness, color, volume, title, position, speed, target or humidity."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the value of the device that is meant; of several, of the only one that has it."""
        what = str(parse.value("what"))
        if what not in _VALUES:
            raise Refusal("no_intent")
        domains, value = _VALUES[what]
        entity = self._tools.targets.one(parse, domains, lambda one: _is_meant(one, what, value))
        if not entity.reachable:
            raise Refusal("unreachable", entity=entity.name)
        found = value(entity)
        if found is None:
            return self._without(parse, entity, what)
        said = self._tools.replies.word(parse.language, "color", found) if what == "color" else found
        slots: Mapping[str, object] = {"value": said, "name": entity.name}
        key = "last_title" if what == "title" and entity.state != "playing" else what
        return self._tools.told(parse, [entity], slots=slots, key=key)

    def _without(self, parse: Parse, entity: Entity, what: str) -> tuple[Action | None, Reply]:
        """What is said of a device that has no such value: that it is off, or that nobody knows."""
        if entity.state in ("off", "idle", "standby", "unknown") or what == "title":
            return self._tools.told(replace(parse, intent="HassGetState"), [entity], key="one")
        raise Refusal("feature_not_supported")


def _is_meant(entity: Entity, what: str, value: _Value) -> bool:
    playing = what not in ("title", "volume") or entity.state == "playing"
    return playing and value(entity) is not None


def _percent(attribute: str, of: float) -> _Value:
    def value(entity: Entity) -> str | None:
        has = isinstance(entity.attributes.get(attribute), (int, float, str))
        return str(round(100 * entity.number(attribute) / of)) if has else None

    return value


def _when_on(value: _Value) -> _Value:
    return lambda entity: value(entity) if entity.state != "off" else None


def _color(entity: Entity) -> str | None:
    return color_name(entity.attributes.get("rgb_color"))


def _title(player: Entity) -> str | None:
    title, artist = player.attributes.get("media_title"), player.attributes.get("media_artist")
    if not title:
        return None
    return f"{title}, {artist}" if artist else str(title)


def _target(thermostat: Entity) -> str | None:
    value = thermostat.attributes.get("temperature")
    return plain(value) if isinstance(value, (int, float)) else None


def _humidity(entity: Entity) -> str | None:
    """Humidity that is measured, else the one that is aimed at."""
    if entity.domain == "sensor":
        return entity.state if entity.device_class == "humidity" else None
    values = (entity.attributes.get(name) for name in ("current_humidity", "humidity"))
    return next((plain(value) for value in values if isinstance(value, (int, float))), None)


_VALUES: dict[str, tuple[tuple[str, ...], _Value]] = {
    "brightness": (("light",), _when_on(_percent("brightness", 255))),
    "color": (("light",), _when_on(_color)),
    "volume": (("media_player",), _when_on(_percent("volume_level", 1))),
    "title": (("media_player",), _when_on(_title)),
    "position": (("cover", "valve"), _percent("current_position", 100)),
    "speed": (("fan",), _percent("percentage", 100)),
    "target": (("climate", "water_heater"), _target),
    "humidity": (("sensor", "climate", "humidifier"), _humidity),
}
