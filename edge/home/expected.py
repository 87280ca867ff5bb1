"""What a device's state should become when a service was carried out, so that a reply can wait for it."""

from __future__ import annotations

from collections.abc import Mapping

from edge.types import Entity, ServiceCall

_ON_OFF = frozenset(["automation", "fan", "humidifier", "input_boolean", "light", "remote", "siren", "switch"])
_HAS_OFF = frozenset(["climate", "media_player", "water_heater"])
_OFF = frozenset(("off", "standby"))
_ARMED = ("away", "home", "night", "vacation", "custom_bypass")
_STATES: Mapping[str, frozenset[str]] = {
    "cover.open_cover": frozenset(("open", "opening")),
    "cover.close_cover": frozenset(("closed", "closing")),
    "valve.open_valve": frozenset(("open", "opening")),
    "valve.close_valve": frozenset(("closed", "closing")),
    "lock.lock": frozenset(("locked", "locking")),
    "lock.unlock": frozenset(("unlocked", "unlocking", "open", "opening")),
    "lock.open": frozenset(("open", "opening")),
    "vacuum.start": frozenset(("cleaning",)),
    "vacuum.return_to_base": frozenset(("returning", "docked")),
    "lawn_mower.start_mowing": frozenset(("mowing",)),
    "lawn_mower.dock": frozenset(("returning", "docked")),
    **{f"alarm_control_panel.alarm_arm_{way}": frozenset((f"armed_{way}", "arming", "pending")) for way in _ARMED},
    "alarm_control_panel.alarm_disarm": frozenset(("disarmed",)),
    "media_player.media_play": frozenset(("playing", "buffering", "on")),
    "media_player.media_pause": frozenset(("paused", "idle", "standby", "off")),
    "media_player.media_stop": frozenset(("idle", "standby", "off")),
}
_NUMBERS: Mapping[str, tuple[tuple[str, str, float], ...]] = {
    "light.turn_on": (("brightness", "brightness", 3.0), ("color_temp_kelvin", "color_temp_kelvin", 60.0)),
    "fan.set_percentage": (("percentage", "percentage", 20.0),),
    "climate.set_temperature": (("temperature", "temperature", 0.5),),
    "water_heater.set_temperature": (("temperature", "temperature", 0.5),),
    "humidifier.set_humidity": (("humidity", "humidity", 1.0),),
    "media_player.volume_set": (("volume_level", "volume_level", 0.02),),
}
"""Service data, the attribute that should follow it, and how far devices round."""


def state_follows(call: ServiceCall, entity: Entity) -> bool | None:
    """Whether the entity's state is one that the call leads to; None where no state would tell."""
    if entity.attributes.get("assumed_state"):
        return None
    wanted = _STATES.get(f"{call.domain}.{call.service}")
    if wanted is not None:
        return entity.state in wanted
    if call.service in ("turn_on", "turn_off"):
        turned_on = call.service == "turn_on"
        if call.domain in _ON_OFF:
            return entity.state == ("on" if turned_on else "off")
        if call.domain in _HAS_OFF:
            return (entity.state not in _OFF) == turned_on
    if call.service == "set_hvac_mode":
        return entity.state == call.data.get("hvac_mode")
    return None


def numbers_follow(call: ServiceCall, entity: Entity) -> bool:
    """Whether the attributes that the call sets have its values, as far as the device has them."""
    for given, attribute, tolerance in _NUMBERS.get(f"{call.domain}.{call.service}", ()):
        wanted, now = call.data.get(given), entity.attributes.get(attribute)
        if isinstance(wanted, (int, float)) and isinstance(now, (int, float)) and abs(wanted - now) > tolerance:
            return False
    return True
