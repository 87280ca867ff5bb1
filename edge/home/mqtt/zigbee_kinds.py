"""What each kind of Zigbee device reads and publishes, in zigbee2mqtt's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from edge.home.mqtt.things import (
    FULL,
    Message,
    NotSupportedError,
    Reader,
    Writer,
    asked_brightness,
    asked_rgb,
    changed,
    decoded,
    number,
    with_attribute,
)
from edge.types import Entity, ServiceCall

_SETPOINTS = ("occupied_heating_setpoint", "current_heating_setpoint", "occupied_cooling_setpoint")
_SPEEDS = ("low", "medium", "high")


class Feature(msgspec.Struct):
    """One thing that a device exposes, as zigbee2mqtt describes it."""

    type: str = ""
    name: str = ""
    property: str = ""
    endpoint: str | None = None
    features: list[Feature] = []
    values: list[Any] = []
    value_on: Any = "ON"
    value_off: Any = "OFF"
    value_min: float | None = None
    value_max: float | None = None
    unit: str | None = None
    access: int = 0

    def of(self, *names: str) -> Feature | None:
        """The first feature of these names."""
        return next((found for name in names for found in self.features if found.name == name), None)


def _light(feature: Feature, topic: str) -> _Kind:
    state, level = feature.of("state") or feature, feature.of("brightness")
    warmth, color = feature.of("color_temp"), feature.of("color_xy", "color_hs")
    most = (level.value_max if level is not None else None) or 254
    modes = ["color_temp"] * (warmth is not None) + ["xy"] * (color is not None)

    def read(payload: bytes, entity: Entity) -> Entity:
        told = decoded(payload)
        now = changed(entity, _on_off(given(told, state), state))
        if level is not None and isinstance(told.get(level.property), (int, float)):
            now = with_attribute(now, "brightness", round(number(told[level.property]) * FULL / most))
        if warmth is not None and isinstance(told.get(warmth.property), (int, float)):
            now = with_attribute(now, "color_temp_kelvin", round(1e6 / max(1.0, number(told[warmth.property]))))
        return now

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service in ("turn_off", "toggle"):
            return _set(topic, {state.property: state.value_off if call.service == "turn_off" else "TOGGLE"})
        if call.service != "turn_on":
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        told: dict[str, object] = {state.property: state.value_on}
        brightness, rgb = asked_brightness(call, entity), asked_rgb(call)
        if brightness is not None:
            if level is None:
                raise NotSupportedError(f"{entity.id} cannot be dimmed")
            told[level.property] = round(brightness * most / FULL)
        if rgb is not None:
            if color is None:
                raise NotSupportedError(f"{entity.id} has no colours")
            told[color.property] = dict(zip("rgb", rgb, strict=True))
        if "color_temp_kelvin" in call.data:
            if warmth is None:
                raise NotSupportedError(f"{entity.id} has one white alone")
            mired = 1e6 / max(1.0, number(call.data["color_temp_kelvin"]))
            told[warmth.property] = round(min(warmth.value_max or 500, max(warmth.value_min or 150, mired)))
        if "transition" in call.data:
            told["transition"] = number(call.data["transition"])
        return _set(topic, told)

    static: dict[str, object] = {"supported_color_modes": modes or ["brightness" if level is not None else "onoff"]}
    return read, write, static, state.property


def _switch(feature: Feature, topic: str) -> _Kind:
    state = feature.of("state") or feature

    def read(payload: bytes, entity: Entity) -> Entity:
        return changed(entity, _on_off(given(decoded(payload), state), state))

    return read, _on_off_writer(state, topic), {}, state.property


def _cover(feature: Feature, topic: str) -> _Kind:
    state, position = feature.of("state"), feature.of("position")

    def read(payload: bytes, entity: Entity) -> Entity:
        told = decoded(payload)
        if position is not None and isinstance(told.get(position.property), (int, float)):
            at = round(number(told[position.property]))
            return with_attribute(changed(entity, "open" if at > 0 else "closed"), "current_position", at)
        word = str(given(told, state or feature)).upper()
        return changed(entity, {"OPEN": "open", "CLOSE": "closed"}.get(word, entity.state or "unknown"))

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        words = {"open_cover": "OPEN", "close_cover": "CLOSE", "stop_cover": "STOP"}
        if call.service in words and state is not None:
            return _set(topic, {state.property: words[call.service]})
        if call.service == "set_cover_position" and position is not None:
            return _set(topic, {position.property: round(number(call.data["position"]))})
        raise NotSupportedError(f"{entity.id} has no service {call.service}")

    return read, write, {}, (state or position or feature).property


def _lock(feature: Feature, topic: str) -> _Kind:
    state = feature.of("state") or feature

    def read(payload: bytes, entity: Entity) -> Entity:
        words = {"LOCK": "locked", "UNLOCK": "unlocked"}
        return changed(entity, words.get(str(given(decoded(payload), state)).upper(), "unknown"))

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service not in ("lock", "unlock"):
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        return _set(topic, {state.property: call.service.upper()})

    return read, write, {}, state.property


def _fan(feature: Feature, topic: str) -> _Kind:
    state, mode = feature.of("state") or feature, feature.of("mode")
    speeds = [speed for speed in _SPEEDS if mode is not None and speed in mode.values]
    switched = _on_off_writer(state, topic)

    def read(payload: bytes, entity: Entity) -> Entity:
        told = decoded(payload)
        now = changed(entity, _on_off(given(told, state), state))
        word = told.get(mode.property) if mode is not None else None
        if word not in speeds:
            return now
        return with_attribute(now, "percentage", round(100 * (speeds.index(word) + 1) / len(speeds)))

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service != "set_percentage" or mode is None or not speeds:
            return switched(call, entity)
        percentage = number(call.data["percentage"])
        if percentage <= 0:
            return _set(topic, {state.property: state.value_off})
        at = min(len(speeds) - 1, int((percentage - 1) * len(speeds) / 100))
        return _set(topic, {mode.property: speeds[at]})

    return read, write, {}, state.property


def _climate(feature: Feature, topic: str) -> _Kind:
    target, mode, actual = feature.of(*_SETPOINTS), feature.of("system_mode"), feature.of("local_temperature")
    modes = [str(value) for value in mode.values] if mode is not None else ["heat"]
    static: dict[str, object] = {"hvac_modes": modes}
    if target is not None and target.value_min is not None and target.value_max is not None:
        static |= {"min_temp": target.value_min, "max_temp": target.value_max}

    def read(payload: bytes, entity: Entity) -> Entity:
        told, now = decoded(payload), entity
        for name, source in (("temperature", target), ("current_temperature", actual)):
            if source is not None and isinstance(told.get(source.property), (int, float)):
                now = with_attribute(now, name, number(told[source.property]))
        if mode is not None and isinstance(told.get(mode.property), str):
            return changed(now, str(told[mode.property]))
        return changed(now, modes[0]) if now.state == "unknown" else now

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service == "set_temperature" and target is not None:
            return _set(topic, {target.property: number(call.data["temperature"])})
        wanted = {"turn_off": "off", "set_hvac_mode": str(call.data.get("hvac_mode"))}.get(call.service)
        if call.service == "turn_on":
            wanted = next((known for known in ("auto", "heat", "cool") if known in modes), None)
        if mode is None or wanted not in modes:
            raise NotSupportedError(f"{entity.id} has no service {call.service} with {dict(call.data)}")
        return _set(topic, {mode.property: wanted})

    return read, write, static, (actual or target or feature).property


_Kind = tuple[Reader, Writer, dict[str, object], str]
KINDS: dict[str, tuple[str, Callable[[Feature, str], _Kind]]] = {
    "light": ("light", _light),
    "switch": ("switch", _switch),
    "cover": ("cover", _cover),
    "lock": ("lock", _lock),
    "fan": ("fan", _fan),
    "climate": ("climate", _climate),
}


def _on_off_writer(state: Feature, topic: str) -> Writer:
    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        words = {"turn_on": state.value_on, "turn_off": state.value_off, "toggle": "TOGGLE"}
        if call.service not in words:
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        return _set(topic, {state.property: words[call.service]})

    return write


def _on_off(value: object, state: Feature) -> str:
    return "on" if value == state.value_on else "off"


def given(told: dict[str, object], feature: Feature) -> object:
    """The value of a feature; raises ValueError where the message does not tell it."""
    value = told.get(feature.property)
    if value is None:
        raise ValueError(f"no {feature.property}")
    return value


def _set(topic: str, told: dict[str, object]) -> tuple[Message, ...]:
    return (Message(f"{topic}/set", encoded(told)),)


def encoded(value: object) -> str:
    """The value as JSON."""
    return msgspec.json.encode(value).decode()
