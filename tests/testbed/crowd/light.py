"""Lamps that remember whether they are on; every tenth has no name."""

from homeassistant.components.light import PLATFORM_SCHEMA, ColorMode, LightEntity

PLATFORM_SCHEMA = PLATFORM_SCHEMA.extend({"count": int})


async def async_setup_platform(hass, config, async_add_entities, discovery_info=None):
    async_add_entities(Lamp(number) for number in range(config["count"]))


class Lamp(LightEntity):
    _attr_should_poll = False
    _attr_supported_color_modes = {ColorMode.BRIGHTNESS}
    _attr_color_mode = ColorMode.BRIGHTNESS

    def __init__(self, number):
        self._attr_unique_id = f"crowd-{number}"
        self._attr_name = f"Lamp number {number}" if number % 10 else None
        self._attr_is_on, self._attr_brightness = False, 128

    async def async_turn_on(self, **data):
        self._attr_is_on, self._attr_brightness = True, data.get("brightness", self._attr_brightness)
        self.async_write_ha_state()

    async def async_turn_off(self, **data):
        self._attr_is_on = False
        self.async_write_ha_state()
