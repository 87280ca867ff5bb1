"""What Home Assistant's services do to a device's state and attributes: pure functions, for the simulated home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from edge.home.colors import rgb_of
from edge.types import Entity

Data: TypeAlias = Mapping[str, object]
Service: TypeAlias = Callable[[Entity, Data], Entity]

_FULL = 255
_VOLUME_STEP = 0.1
_SPEED_STEP = 20
_LEAST_TEMPERATURE, _MOST_TEMPERATURE = 7.0, 35.0
"""Home Assistant's range of target temperatures in °C, for thermostats that do not tell theirs."""


class ServiceRefusedError(Exception):
    """The device does not do this; the text says why."""


def service_of(domain: str, service: str) -> Service | None:
    """What ``domain.service`` does to one device; None where Home Assistant has no such service."""
    return _SERVICES.get(f"{domain}.{service}")


def with_state(entity: Entity, state: str, **attributes: object) -> Entity:
    """The device in another state, with these attributes changed."""
    return replace(entity, state=state, attributes={**entity.attributes, **attributes})


def _same_state(entity: Entity, **attributes: object) -> Entity:
    return with_state(entity, entity.state or "unknown", **attributes)


def _becomes(state: str) -> Service:
    return lambda entity, data: with_state(entity, state)


def _toggles(on: Service, off: Service, off_state: str = "off") -> Service:
    return lambda entity, data: (on if entity.state == off_state else off)(entity, data)


def _number(data: Data, name: str, least: float, most: float) -> float:
    """A number of the service data; out of its range it is refused, as Home Assistant does."""
    try:
        value = float(str(data[name]))
    except (KeyError, ValueError) as error:
        raise ServiceRefusedError(f"{name} is missing or not a number") from error
    if not least <= value <= most:
        raise ServiceRefusedError(f"{name} is {value:g}, which is not within {least:g} and {most:g}")
    return value


def _one_of(entity: Entity, data: Data, name: str, listed_in: str) -> str:
    """A text of the service data; refused where the device lists what it has, without this."""
    value, listed = str(data.get(name, "")), entity.attributes.get(listed_in)
    known = [str(item) for item in listed] if isinstance(listed, (list, tuple)) else [value]
    if not value or value not in known:
        raise ServiceRefusedError(f"{entity.id} has no {name} {value!r}; it has {', '.join(known)}")
    return value


def _light_on(light: Entity, data: Data) -> Entity:
    changed: dict[str, object] = {}
    brightness = _asked_brightness(light, data)
    if brightness is not None and brightness <= 0:
        return with_state(light, "off")
    if brightness is not None:
        changed["brightness"] = min(_FULL, brightness)
    elif "brightness" in light.attributes and light.attributes["brightness"] is None:
        changed["brightness"] = _FULL
    if "color_name" in data:
        color = rgb_of(str(data["color_name"]))
        if color is None:
            raise ServiceRefusedError(f"no colour is called {data['color_name']!r}")
        changed["rgb_color"] = list(color)
    if "rgb_color" in data:
        changed["rgb_color"] = list(_triple(data["rgb_color"]))
    if "color_temp_kelvin" in data:
        changed["color_temp_kelvin"] = round(_number(data, "color_temp_kelvin", 1000, 40_000))
    return with_state(light, "on", **changed)


def _asked_brightness(light: Entity, data: Data) -> int | None:
    """Brightness of 0 to 255 (or beyond, by a step) that the call asks for."""
    now = light.number("brightness") if light.state == "on" else 0.0
    if "brightness" in data:
        return round(_number(data, "brightness", 0, _FULL))
    if "brightness_pct" in data:
        return round(_FULL * _number(data, "brightness_pct", 0, 100) / 100)
    if "brightness_step" in data:
        return round(now + _number(data, "brightness_step", -_FULL, _FULL))
    if "brightness_step_pct" in data:
        return round(now + _FULL * _number(data, "brightness_step_pct", -100, 100) / 100)
    return None


def _triple(value: object) -> tuple[int, int, int]:
    numbers = [round(float(str(part))) for part in value] if isinstance(value, (list, tuple)) else []
    if len(numbers) != 3:
        raise ServiceRefusedError("rgb_color must be three numbers")
    return numbers[0], numbers[1], numbers[2]


def _opened(attribute: str, position: int) -> Service:
    def move(entity: Entity, data: Data) -> Entity:
        known = {attribute: position} if attribute in entity.attributes else {}
        return with_state(entity, "open" if position else "closed", **known)

    return move


def _positioned(entity: Entity, data: Data) -> Entity:
    position = round(_number(data, "position", 0, 100))
    return with_state(entity, "open" if position else "closed", current_position=position)


def _stopped(entity: Entity, data: Data) -> Entity:
    return with_state(entity, "open") if entity.state in ("opening", "closing") else entity


def _fan_on(fan: Entity, data: Data) -> Entity:
    if "percentage" in data:
        return _fan_speed(fan, data)
    return with_state(fan, "on", **({"percentage": 100} if fan.attributes.get("percentage") in (0, None) else {}))


def _fan_off(fan: Entity, data: Data) -> Entity:
    return with_state(fan, "off", **({"percentage": 0} if "percentage" in fan.attributes else {}))


def _fan_speed(fan: Entity, data: Data) -> Entity:
    percentage = round(_number(data, "percentage", 0, 100))
    return with_state(fan, "on" if percentage else "off", percentage=percentage)


def _fan_step(direction: int) -> Service:
    def step(fan: Entity, data: Data) -> Entity:
        change = direction * float(str(data.get("percentage_step", _SPEED_STEP)))
        return _fan_speed(fan, {"percentage": min(100.0, max(0.0, fan.number("percentage") + change))})

    return step


def _climate_on(thermostat: Entity, data: Data) -> Entity:
    """As Home Assistant: the first mode that it has of heat_cool, heat and cool."""
    modes = thermostat.attributes.get("hvac_modes")
    known = [str(mode) for mode in modes] if isinstance(modes, (list, tuple)) else ["heat"]
    return with_state(thermostat, next((mode for mode in ("heat_cool", "heat", "cool") if mode in known), known[0]))


def _temperature(entity: Entity, data: Data) -> Entity:
    least, most = entity.number("min_temp", _LEAST_TEMPERATURE), entity.number("max_temp", _MOST_TEMPERATURE)
    given = ("temperature", "target_temp_low", "target_temp_high")
    changed: dict[str, object] = {name: _number(data, name, least, most) for name in given if name in data}
    if not changed:
        raise ServiceRefusedError("temperature is missing")
    state = _one_of(entity, data, "hvac_mode", "hvac_modes") if "hvac_mode" in data else entity.state
    return with_state(entity, state or "unknown", **changed)


def _hvac_mode(thermostat: Entity, data: Data) -> Entity:
    return with_state(thermostat, _one_of(thermostat, data, "hvac_mode", "hvac_modes"))


def _chosen(attribute: str, listed_in: str) -> Service:
    return lambda entity, data: _same_state(entity, **{attribute: _one_of(entity, data, attribute, listed_in)})


def _humidity(entity: Entity, data: Data) -> Entity:
    least, most = entity.number("min_humidity", 0), entity.number("max_humidity", 100)
    return _same_state(entity, humidity=round(_number(data, "humidity", least, most)))


def _track(step: int) -> Service:
    def skip(player: Entity, data: Data) -> Entity:
        return with_state(player, "playing", media_track=max(1, int(player.number("media_track", 1)) + step))

    return skip


def _volume(player: Entity, data: Data) -> Entity:
    return _same_state(player, volume_level=round(_number(data, "volume_level", 0, 1), 4))


def _volume_step(direction: int) -> Service:
    def step(player: Entity, data: Data) -> Entity:
        level = player.number("volume_level") + direction * _VOLUME_STEP
        return _same_state(player, volume_level=round(min(1.0, max(0.0, level)), 4))

    return step


def _muted(player: Entity, data: Data) -> Entity:
    return _same_state(player, is_volume_muted=bool(data.get("is_volume_muted")))


def _plays(player: Entity, data: Data) -> Entity:
    kind = data.get("media_content_type")
    title = {"media_title": str(data.get("media_content_id", ""))}
    return with_state(player, "playing", **title, **({} if kind is None else {"media_content_type": kind}))


def _cleans_area(vacuum: Entity, data: Data) -> Entity:
    areas = data.get("cleaning_area_id")
    if not isinstance(areas, (list, tuple)) or not areas:
        raise ServiceRefusedError("cleaning_area_id is missing")
    return with_state(vacuum, "cleaning", cleaning_area_id=list(areas))


def _option(entity: Entity, data: Data) -> Entity:
    return with_state(entity, _one_of(entity, data, "option", "options"))


def _value(entity: Entity, data: Data) -> Entity:
    value = _number(data, "value", entity.number("min", float("-inf")), entity.number("max", float("inf")))
    return with_state(entity, f"{value:g}")


def _water_heater_on(heater: Entity, data: Data) -> Entity:
    modes = heater.attributes.get("operation_list")
    known = [str(mode) for mode in modes if mode != "off"] if isinstance(modes, (list, tuple)) else []
    return with_state(heater, known[0] if known else "on")


def _switched(domain: str, on: Service, off: Service) -> dict[str, Service]:
    return {f"{domain}.turn_on": on, f"{domain}.turn_off": off, f"{domain}.toggle": _toggles(on, off)}


_TWO_STATES = ("switch", "input_boolean", "automation", "siren", "humidifier", "remote", "camera", "script", "fan")
_OPEN, _CLOSE = _opened("current_position", 100), _opened("current_position", 0)
_SERVICES: dict[str, Service] = {
    **{
        name: service
        for domain in _TWO_STATES
        for name, service in _switched(domain, _becomes("on"), _becomes("off")).items()
    },
    **_switched("light", _light_on, _becomes("off")),
    **_switched("fan", _fan_on, _fan_off),
    "fan.set_percentage": _fan_speed,
    "fan.increase_speed": _fan_step(1),
    "fan.decrease_speed": _fan_step(-1),
    "fan.set_preset_mode": _chosen("preset_mode", "preset_modes"),
    "cover.open_cover": _OPEN,
    "cover.close_cover": _CLOSE,
    "cover.stop_cover": _stopped,
    "cover.toggle": _toggles(_OPEN, _CLOSE, "closed"),
    "cover.set_cover_position": _positioned,
    "valve.open_valve": _OPEN,
    "valve.close_valve": _CLOSE,
    "valve.stop_valve": _stopped,
    "valve.toggle": _toggles(_OPEN, _CLOSE, "closed"),
    "valve.set_valve_position": _positioned,
    "lock.lock": _becomes("locked"),
    "lock.unlock": _becomes("unlocked"),
    "lock.open": _becomes("open"),
    **_switched("climate", _climate_on, _becomes("off")),
    "climate.set_temperature": _temperature,
    "climate.set_hvac_mode": _hvac_mode,
    "climate.set_fan_mode": _chosen("fan_mode", "fan_modes"),
    "climate.set_preset_mode": _chosen("preset_mode", "preset_modes"),
    "climate.set_humidity": _humidity,
    **_switched("water_heater", _water_heater_on, _becomes("off")),
    "water_heater.set_temperature": _temperature,
    "humidifier.set_humidity": _humidity,
    "humidifier.set_mode": _chosen("mode", "available_modes"),
    **_switched("media_player", _becomes("on"), _becomes("off")),
    "media_player.media_play": _becomes("playing"),
    "media_player.media_pause": _becomes("paused"),
    "media_player.media_stop": _becomes("idle"),
    "media_player.media_next_track": _track(1),
    "media_player.media_previous_track": _track(-1),
    "media_player.volume_set": _volume,
    "media_player.volume_up": _volume_step(1),
    "media_player.volume_down": _volume_step(-1),
    "media_player.volume_mute": _muted,
    "media_player.select_source": _chosen("source", "source_list"),
    "media_player.play_media": _plays,
    "vacuum.start": _becomes("cleaning"),
    "vacuum.pause": _becomes("paused"),
    "vacuum.stop": _becomes("idle"),
    "vacuum.return_to_base": _becomes("returning"),
    "vacuum.locate": lambda vacuum, data: vacuum,
    "vacuum.clean_area": _cleans_area,
    "lawn_mower.start_mowing": _becomes("mowing"),
    "lawn_mower.pause": _becomes("paused"),
    "lawn_mower.dock": _becomes("returning"),
    "alarm_control_panel.alarm_arm_home": _becomes("armed_home"),
    "alarm_control_panel.alarm_arm_away": _becomes("armed_away"),
    "alarm_control_panel.alarm_arm_night": _becomes("armed_night"),
    "alarm_control_panel.alarm_disarm": _becomes("disarmed"),
    "select.select_option": _option,
    "input_select.select_option": _option,
    "number.set_value": _value,
    "input_number.set_value": _value,
}
