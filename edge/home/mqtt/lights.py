"""Discovered lights: those with a topic for each function, and those with JSON."""

from __future__ import annotations

import msgspec

from edge.home.mqtt.settings import ON_OFF, Config, Parts, assumed, commands, on_off, reads_of
from edge.home.mqtt.templates import command
from edge.home.mqtt.things import (
    FULL,
    Message,
    NotSupportedError,
    Reader,
    asked_brightness,
    asked_rgb,
    changed,
    decoded,
    number,
    with_attribute,
)
from edge.types import Entity, ServiceCall


def light(config: Config) -> Parts:
    """A light of either schema."""
    if config.text("schema") == "json":
        return _json_light(config)
    if config.text("schema") == "template":
        raise ValueError("lights by template are not read")
    scale = number(config.values.get("brightness_scale") or FULL)
    switched = commands(config, "command_topic", ON_OFF)
    level, color = config.text("brightness_command_topic"), config.text("rgb_command_topic")
    template = config.text("brightness_command_template")

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        messages = switched(call, entity)
        brightness, rgb = asked_brightness(call, entity), asked_rgb(call)
        if (brightness is not None and level is None) or (rgb is not None and color is None):
            raise NotSupportedError(f"{entity.id} has no service {call.service} with {dict(call.data)}")
        if brightness is not None and level is not None:
            words = command(template, round(brightness * scale / FULL))
            messages += (Message(level, words),)
        if rgb is not None and color is not None:
            messages += (Message(color, ",".join(map(str, rgb))),)
        return messages

    def read_level(word: str, entity: Entity) -> Entity:
        return with_attribute(entity, "brightness", round(number(word) * FULL / scale))

    state = "state_value_template" if config.text("state_value_template") else "value_template"
    reads = reads_of(config, "state_topic", state, on_off(config))
    reads += reads_of(config, "brightness_state_topic", "brightness_value_template", read_level)
    modes = ["rgb"] if color else ["brightness"] if level else ["onoff"]
    return Parts(reads, write, {"supported_color_modes": modes, **assumed(config)})


def _json_light(config: Config) -> Parts:
    scale = number(config.values.get("brightness_scale") or FULL)
    at, given = config.topic("command_topic"), config.values.get("supported_color_modes")
    modes = [str(mode) for mode in given] if isinstance(given, list) else []
    dims = bool(config.values.get("brightness")) or bool(set(modes) - {"onoff"})
    colors = bool(set(modes) & {"rgb", "rgbw", "rgbww", "hs", "xy"})
    kelvin = bool(config.values.get("color_temp_kelvin"))

    def read(payload: bytes, entity: Entity) -> Entity:
        told = decoded(payload)
        state = {"ON": "on", "OFF": "off"}.get(str(told.get("state")))
        if state is None:
            raise ValueError("no state")
        level = told.get("brightness")
        now = changed(entity, state)
        if not isinstance(level, (int, float)):
            return now
        return with_attribute(now, "brightness", round(number(level) * FULL / scale))

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service not in ON_OFF:
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        told: dict[str, object] = {"state": "ON" if call.service == "turn_on" else "OFF"}
        brightness, rgb = asked_brightness(call, entity), asked_rgb(call)
        if (brightness is not None and not dims) or (rgb is not None and not colors):
            raise NotSupportedError(f"{entity.id} has no service {call.service} with {dict(call.data)}")
        if brightness is not None:
            told["brightness"] = round(brightness * scale / FULL)
        if rgb is not None:
            told["color"] = dict(zip("rgb", rgb, strict=True))
        if "color_temp_kelvin" in call.data:
            warmth = number(call.data["color_temp_kelvin"])
            told["color_temp"] = round(warmth if kelvin else 1e6 / max(1.0, warmth))
        return (Message(at, msgspec.json.encode(told).decode()),)

    topic = config.text("state_topic")
    reads: tuple[tuple[str, Reader], ...] = ((topic, read),) if topic is not None else ()
    static = {"supported_color_modes": modes or ["brightness" if dims else "onoff"], **assumed(config)}
    return Parts(reads, write, static)
