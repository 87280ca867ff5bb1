"""What Home Assistant's services do to a device's state and attributes: pure functions, for the simulated home."""

from __future__ import annotations

from edge.home.colors import rgb_of
from edge.home.effects import (
    Data,
    Service,
    ServiceRefusedError,
    becomes,
    number,
    one_of,
    same_state,
    toggles,
    with_state,
)
from edge.types import Entity

_FULL = 255
_VOLUME_STEP = 0.1
_SPEED_STEP = 20
_LEAST_TEMPERATURE, _MOST_TEMPERATURE = 7.0, 35.0
"""Home Assistant's range of target temperatures in °C, for thermostats that do not tell theirs."""


def service_of(domain: str, service: str) -> Service | None:
    """What ``domain.service`` does to one device; None where Home Assistant has no such service."""
    return _SERVICES.get(f"{domain}.{service}")


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
        changed["color_temp_kelvin"] = round(number(data, "color_temp_kelvin", 1000, 40_000))
    return with_state(light, "on", **changed)


def _asked_brightness(light: Entity, data: Data) -> int | None:
    """Brightness of 0 to 255 (or beyond, by a step) that the call asks for."""
    now = light.number("brightness") if light.state == "on" else 0.0
    if "brightness" in data:
        return round(number(data, "brightness", 0, _FULL))
    if "brightness_pct" in data:
        return round(_FULL * number(data, "brightness_pct", 0, 100) / 100)
    if "brightness_step" in data:
        return round(now + number(data, "brightness_step", -_FULL, _FULL))
    if "brightness_step_pct" in data:
        return round(now + _FULL * number(data, "brightness_step_pct", -100, 100) / 100)
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
    position = round(number(data, "position", 0, 100))
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
    percentage = round(number(data, "percentage", 0, 100))
    return with_state(fan, "on" if percentage else "off", percentage=percentage)


def _fan_step(direction: int) -> Service:
    def step(fan: Entity, data: Data) -> Entity:
        change = direction * float(str(data.get("percentage_step", _SPEED_STEP)))
        return _fan_speed(fan, {"percentage": min(100.0, max(0.0, fan.number("percentage") + change))})

    return step


def _climate_on(thermostat: Entity, data: Data) -> Entity:
    """As Home Assistant: the first mode that it has of heat_cool, heat and cool, where it is off."""
    if thermostat.state != "off":
        return thermostat
    modes = thermostat.attributes.get("hvac_modes")
    known = [str(mode) for mode in modes] if isinstance(modes, (list, tuple)) else ["heat"]
    return with_state(thermostat, next((mode for mode in ("heat_cool", "heat", "cool") if mode in known), known[0]))


def _temperature(entity: Entity, data: Data) -> Entity:
    least, most = entity.number("min_temp", _LEAST_TEMPERATURE), entity.number("max_temp", _MOST_TEMPERATURE)
    given = ("temperature", "target_temp_low", "target_temp_high")
    changed: dict[str, object] = {name: number(data, name, least, most) for name in given if name in data}
    if not changed:
        raise ServiceRefusedError("temperature is missing")
    state = one_of(entity, data, "hvac_mode", "hvac_modes") if "hvac_mode" in data else entity.state
    return with_state(entity, state or "unknown", **changed)


def _hvac_mode(thermostat: Entity, data: Data) -> Entity:
    return with_state(thermostat, one_of(thermostat, data, "hvac_mode", "hvac_modes"))


def _chosen(attribute: str, listed_in: str) -> Service:
    return lambda entity, data: same_state(entity, **{attribute: one_of(entity, data, attribute, listed_in)})


def _humidity(entity: Entity, data: Data) -> Entity:
    least, most = entity.number("min_humidity", 0), entity.number("max_humidity", 100)
    return same_state(entity, humidity=round(number(data, "humidity", least, most)))


def _track(step: int) -> Service:
    def skip(player: Entity, data: Data) -> Entity:
        return with_state(player, "playing", media_track=max(1, int(player.number("media_track", 1)) + step))

    return skip


def _volume(player: Entity, data: Data) -> Entity:
    return same_state(player, volume_level=round(number(data, "volume_level", 0, 1), 4))


def _volume_step(direction: int) -> Service:
    def step(player: Entity, data: Data) -> Entity:
        level = player.number("volume_level") + direction * _VOLUME_STEP
        return same_state(player, volume_level=round(min(1.0, max(0.0, level)), 4))

    return step


def _muted(player: Entity, data: Data) -> Entity:
    return same_state(player, is_volume_muted=bool(data.get("is_volume_muted")))


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
    return with_state(entity, one_of(entity, data, "option", "options"))


def _value(entity: Entity, data: Data) -> Entity:
    value = number(data, "value", entity.number("min", float("-inf")), entity.number("max", float("inf")))
    return with_state(entity, f"{value:g}")


def _water_heater_on(heater: Entity, data: Data) -> Entity:
    if heater.state != "off":
        return heater
    modes = heater.attributes.get("operation_list")
    known = [str(mode) for mode in modes if mode != "off"] if isinstance(modes, (list, tuple)) else []
    return with_state(heater, known[0] if known else "on")


def _switched(domain: str, on: Service, off: Service) -> dict[str, Service]:
    return {f"{domain}.turn_on": on, f"{domain}.turn_off": off, f"{domain}.toggle": toggles(on, off)}


_SWITCHED_OFF, _PLAYING = frozenset(("off", "standby", "unknown")), frozenset(("playing", "buffering"))
_AT_HOME = frozenset(("docked",))
_TWO_STATES = ("switch", "input_boolean", "automation", "siren", "humidifier", "remote", "camera", "script", "fan")
_OPEN, _CLOSE = _opened("current_position", 100), _opened("current_position", 0)
_SERVICES: dict[str, Service] = {
    **{
        name: service
        for domain in _TWO_STATES
        for name, service in _switched(domain, becomes("on"), becomes("off")).items()
    },
    **_switched("light", _light_on, becomes("off")),
    **_switched("fan", _fan_on, _fan_off),
    "fan.set_percentage": _fan_speed,
    "fan.increase_speed": _fan_step(1),
    "fan.decrease_speed": _fan_step(-1),
    "fan.set_preset_mode": _chosen("preset_mode", "preset_modes"),
    "cover.open_cover": _OPEN,
    "cover.close_cover": _CLOSE,
    "cover.stop_cover": _stopped,
    "cover.toggle": toggles(_OPEN, _CLOSE, "closed"),
    "cover.set_cover_position": _positioned,
    "valve.open_valve": _OPEN,
    "valve.close_valve": _CLOSE,
    "valve.stop_valve": _stopped,
    "valve.toggle": toggles(_OPEN, _CLOSE, "closed"),
    "valve.set_valve_position": _positioned,
    "lock.lock": becomes("locked"),
    "lock.unlock": becomes("unlocked"),
    "lock.open": becomes("open"),
    **_switched("climate", _climate_on, becomes("off")),
    "climate.set_temperature": _temperature,
    "climate.set_hvac_mode": _hvac_mode,
    "climate.set_fan_mode": _chosen("fan_mode", "fan_modes"),
    "climate.set_preset_mode": _chosen("preset_mode", "preset_modes"),
    "climate.set_humidity": _humidity,
    **_switched("water_heater", _water_heater_on, becomes("off")),
    "water_heater.set_temperature": _temperature,
    "humidifier.set_humidity": _humidity,
    "humidifier.set_mode": _chosen("mode", "available_modes"),
    **_switched("media_player", becomes("on", of=_SWITCHED_OFF), becomes("off")),
    "media_player.media_play": becomes("playing"),
    "media_player.media_pause": becomes("paused", of=_PLAYING),
    "media_player.media_stop": becomes("idle", of=_PLAYING | {"paused"}),
    "media_player.media_next_track": _track(1),
    "media_player.media_previous_track": _track(-1),
    "media_player.volume_set": _volume,
    "media_player.volume_up": _volume_step(1),
    "media_player.volume_down": _volume_step(-1),
    "media_player.volume_mute": _muted,
    "media_player.select_source": _chosen("source", "source_list"),
    "media_player.play_media": _plays,
    "vacuum.start": becomes("cleaning"),
    "vacuum.pause": becomes("paused", unless=_AT_HOME),
    "vacuum.stop": becomes("idle", unless=_AT_HOME),
    "vacuum.return_to_base": becomes("returning", unless=_AT_HOME),
    "vacuum.locate": lambda vacuum, data: vacuum,
    "vacuum.clean_area": _cleans_area,
    "lawn_mower.start_mowing": becomes("mowing"),
    "lawn_mower.pause": becomes("paused"),
    "lawn_mower.dock": becomes("returning", unless=_AT_HOME),
    "alarm_control_panel.alarm_arm_home": becomes("armed_home"),
    "alarm_control_panel.alarm_arm_away": becomes("armed_away"),
    "alarm_control_panel.alarm_arm_night": becomes("armed_night"),
    "alarm_control_panel.alarm_disarm": becomes("disarmed"),
    "select.select_option": _option,
    "input_select.select_option": _option,
    "number.set_value": _value,
    "input_number.set_value": _value,
}
