"""Home Assistant's discovery topics as entities: Tasmota, ESPHome and whatever else announces itself there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from edge.home.mqtt.discovered import KINDS
from edge.home.mqtt.settings import Config, is_topic
from edge.home.mqtt.templates import rendered
from edge.home.mqtt.things import Presence, Rooms, Thing, slug
from edge.types import Entity

_SHORT = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "bri_cmd_t": "brightness_command_topic",
    "bri_cmd_tpl": "brightness_command_template",
    "bri_scl": "brightness_scale",
    "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template",
    "clr_temp_k": "color_temp_kelvin",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "curr_temp_t": "current_temperature_topic",
    "curr_temp_tpl": "current_temperature_template",
    "def_ent_id": "default_entity_id",
    "dev": "device",
    "dev_cla": "device_class",
    "ent_cat": "entity_category",
    "mode_cmd_t": "mode_command_topic",
    "mode_cmd_tpl": "mode_command_template",
    "mode_stat_t": "mode_state_topic",
    "mode_stat_tpl": "mode_state_template",
    "o": "origin",
    "obj_id": "object_id",
    "opt": "optimistic",
    "p": "platform",
    "pct_cmd_t": "percentage_command_topic",
    "pct_cmd_tpl": "percentage_command_template",
    "pct_stat_t": "percentage_state_topic",
    "pct_val_tpl": "percentage_value_template",
    "pl_avail": "payload_available",
    "pl_cls": "payload_close",
    "pl_lock": "payload_lock",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "pl_open": "payload_open",
    "pl_prs": "payload_press",
    "pl_ret": "payload_return_to_base",
    "pl_stop": "payload_stop",
    "pl_strt": "payload_start",
    "pl_unlk": "payload_unlock",
    "pos_clsd": "position_closed",
    "pos_open": "position_open",
    "pos_t": "position_topic",
    "pos_tpl": "position_template",
    "rgb_cmd_t": "rgb_command_topic",
    "sa": "suggested_area",
    "set_pos_t": "set_position_topic",
    "set_pos_tpl": "set_position_template",
    "spd_rng_max": "speed_range_max",
    "stat_closing": "state_closing",
    "stat_clsd": "state_closed",
    "stat_locked": "state_locked",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_open": "state_open",
    "stat_opening": "state_opening",
    "stat_t": "state_topic",
    "stat_unlocked": "state_unlocked",
    "stat_val_tpl": "state_value_template",
    "sup_clrm": "supported_color_modes",
    "t": "topic",
    "temp_cmd_t": "temperature_command_topic",
    "temp_cmd_tpl": "temperature_command_template",
    "temp_stat_t": "temperature_state_topic",
    "temp_stat_tpl": "temperature_state_template",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
"""Home Assistant's abbreviations (``abbreviations.py`` of its MQTT integration) of the keys that are used here."""
_MOST_BYTES = 64 * 1024


def read_config(topic: str, payload: bytes, prefix: str) -> dict[str, Config]:
    """The entities of a discovery message, by component and key; none for a message that says nothing usable.

    An empty payload removes what its topic announced.
    """
    parts = topic.removeprefix(f"{prefix}/").split("/")
    if len(parts) not in (3, 4) or parts[-1] != "config" or not 0 < len(payload) <= _MOST_BYTES:
        return {}
    try:
        whole = _long(msgspec.json.decode(payload, type=dict[str, Any]))
    except (msgspec.MsgspecError, RecursionError):
        return {}
    if parts[0] != "device":
        return {"": Config(parts[0], parts[-2], _with_base(whole))}
    components = whole.pop("components", None)
    if not isinstance(components, dict):
        return {}
    return {
        str(key): Config(str(own.get("platform")), str(key), _with_base({**whole, **own}))
        for key, own in components.items()
        if isinstance(own, dict)
    }


def thing(config: Config, rooms: Rooms) -> Thing | None:
    """The entity that a configuration announces; None for kinds that nobody speaks to."""
    make = KINDS.get(config.component)
    if make is None or config.text("entity_category"):
        return None
    try:
        parts = make(config)
    except (ValueError, TypeError):
        return None
    given = config.values.get("device")
    device: Mapping[str, Any] = given if isinstance(given, dict) else {}
    called = _name(config, device)
    object_id = (config.text("default_entity_id") or "").partition(".")[2] or config.text("object_id") or slug(called)
    static = dict(parts.static)
    for key in ("device_class", "unit_of_measurement"):
        if config.text(key):
            static[key] = config.text(key)
    entity = Entity(f"{parts.domain or config.component}.{slug(object_id)}", called, (), None, "unknown", static)
    entity = rooms.placed(entity, called, _text(device.get("suggested_area")))
    return Thing(entity, parts.reads, parts.writes, tuple(_availability(config)))


def suggested_area(config: Config) -> str | None:
    """The room that the device suggests."""
    device = config.values.get("device")
    return _text(device.get("suggested_area")) if isinstance(device, dict) else None


def _name(config: Config, device: Mapping[str, Any]) -> str:
    own, of_device = config.text("name"), _text(device.get("name"))
    if of_device is None:
        return own or config.object_id.replace("_", " ")
    return of_device if own is None or own.startswith(of_device) else f"{of_device} {own}"


def _availability(config: Config) -> Iterator[tuple[str, Presence]]:
    """The topics of last wills, and how they are read."""
    listed = config.values.get("availability")
    given = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    single = {"topic": config.text("availability_topic"), "value_template": config.text("availability_template")}
    for each in (*given, *([single] if single["topic"] else ())):
        topic = each.get("topic")
        if isinstance(topic, str) and is_topic(topic):
            here = _text(each.get("payload_available")) or config.text("payload_available") or "online"
            gone = _text(each.get("payload_not_available")) or config.text("payload_not_available") or "offline"
            yield topic, _presence(_text(each.get("value_template")), here, gone)


def _presence(template: str | None, here: str, gone: str) -> Presence:
    def read(payload: bytes) -> bool:
        word = rendered(template, payload)
        if word not in (here, gone):
            raise ValueError(f"{word!r} is neither {here!r} nor {gone!r}")
        return word == here

    return read


def _with_base(values: dict[str, Any]) -> dict[str, Any]:
    """The configuration with ``~`` filled in and every key written out."""
    base = values.pop("~", None)
    if isinstance(base, str):
        values = _each(values, lambda key, text: _filled(text, base) if key.endswith("topic") else text)
    return values


def _filled(text: str, base: str) -> str:
    if text.startswith("~"):
        return base + text[1:]
    return text[:-1] + base if text.endswith("~") else text


def _each(values: dict[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, str):
            result[key] = change(key, value)
        elif isinstance(value, list):
            result[key] = [_each(each, change) if isinstance(each, dict) else each for each in value]
        else:
            result[key] = value
    return result


def _long(values: dict[str, Any]) -> dict[str, Any]:
    """Abbreviated keys written out, also those of the device, of components and of availability topics."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        name = _SHORT.get(key, key)
        if name == "components" and isinstance(value, dict):
            result[name] = {id_: _long(own) if isinstance(own, dict) else own for id_, own in value.items()}
        elif name in ("device", "origin") and isinstance(value, dict):
            result[name] = _long(value)
        elif isinstance(value, list):
            result[name] = [_long(each) if isinstance(each, dict) else each for each in value]
        else:
            result[name] = value
    return result


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
