"""What each kind of discovered device reads and publishes, as Home Assistant's MQTT integration defines it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.home.mqtt.lights import light
from edge.home.mqtt.settings import ON_OFF, Config, Parts, assumed, commands, on_off, reads_of, words_as_states
from edge.home.mqtt.templates import command
from edge.home.mqtt.things import Message, NotSupportedError, Reader, changed, decoded, number, with_attribute
from edge.types import Entity, ServiceCall


def _switch(config: Config) -> Parts:
    template = "value_template" if config.text("value_template") else "state_value_template"
    reads = reads_of(config, "state_topic", template, on_off(config))
    return Parts(reads, commands(config, "command_topic", ON_OFF), assumed(config))


def _cover(config: Config) -> Parts:
    words = {
        "open_cover": ("payload_open", "OPEN"),
        "close_cover": ("payload_close", "CLOSE"),
        "stop_cover": ("payload_stop", "STOP"),
    }
    switched = commands(config, "command_topic", words) if config.text("command_topic") else None
    place, template = config.text("set_position_topic"), config.text("set_position_template")
    closed, opened = number(config.values.get("position_closed", 0)), number(config.values.get("position_open", 100))

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service == "set_cover_position" and place is not None:
            at = closed + (opened - closed) * number(call.data["position"]) / 100
            return (Message(place, command(template, round(at))),)
        if switched is None:
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        return switched(call, entity)

    def read_position(word: str, entity: Entity) -> Entity:
        at = round(100 * (number(word) - closed) / ((opened - closed) or 100))
        return with_attribute(changed(entity, "open" if at > 0 else "closed"), "current_position", at)

    states = (("state_open", "open"), ("state_closed", "closed"), ("state_opening", "opening"))
    read = words_as_states(config, *((key, word, word) for key, word in (*states, ("state_closing", "closing"))))
    reads = reads_of(config, "position_topic", "position_template", read_position)
    reads += reads_of(config, "state_topic", "value_template", read)
    return Parts(reads, write, {} if reads else {"assumed_state": True})


def _valve(config: Config) -> Parts:
    words = {"open_valve": ("payload_open", "OPEN"), "close_valve": ("payload_close", "CLOSE")}
    read = words_as_states(config, ("state_open", "open", "open"), ("state_closed", "closed", "closed"))
    reads = reads_of(config, "state_topic", "value_template", read)
    return Parts(reads, commands(config, "command_topic", words), assumed(config))


def _lock(config: Config) -> Parts:
    words = {"lock": ("payload_lock", "LOCK"), "unlock": ("payload_unlock", "UNLOCK")}
    read = words_as_states(config, ("state_locked", "LOCKED", "locked"), ("state_unlocked", "UNLOCKED", "unlocked"))
    reads = reads_of(config, "state_topic", "value_template", read)
    return Parts(reads, commands(config, "command_topic", words), assumed(config))


def _fan(config: Config) -> Parts:
    switched, speed = commands(config, "command_topic", ON_OFF), config.text("percentage_command_topic")
    most, template = number(config.values.get("speed_range_max") or 100), config.text("percentage_command_template")

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service != "set_percentage" or speed is None:
            return switched(call, entity)
        value = round(number(call.data["percentage"]) * most / 100)
        return (Message(speed, command(template, value)),)

    def read_speed(word: str, entity: Entity) -> Entity:
        return with_attribute(entity, "percentage", round(100 * number(word) / most))

    reads = reads_of(config, "state_topic", "state_value_template", on_off(config))
    reads += reads_of(config, "percentage_state_topic", "percentage_value_template", read_speed)
    return Parts(reads, write, assumed(config))


def _climate(config: Config) -> Parts:
    given = config.values.get("modes")
    modes = [str(mode) for mode in given] if isinstance(given, list) else ["auto", "off", "cool", "heat"]
    target, mode = config.text("temperature_command_topic"), config.text("mode_command_topic")
    of_temperature, of_mode = config.text("temperature_command_template"), config.text("mode_command_template")
    static: dict[str, object] = {"hvac_modes": modes}
    for key in ("min_temp", "max_temp"):
        if key in config.values:
            static[key] = number(config.values[key])

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service == "set_temperature" and target is not None:
            value = f"{number(call.data['temperature']):g}"
            return (Message(target, command(of_temperature, value)),)
        wanted = {"turn_off": "off", "set_hvac_mode": str(call.data.get("hvac_mode"))}.get(call.service)
        if call.service == "turn_on":
            wanted = next((known for known in ("heat_cool", "auto", "heat", "cool") if known in modes), None)
        if mode is None or wanted not in modes:
            raise NotSupportedError(f"{entity.id} has no service {call.service} with {dict(call.data)}")
        return (Message(mode, command(of_mode, wanted)),)

    def read_mode(word: str, entity: Entity) -> Entity:
        if word not in modes:
            raise ValueError(f"{word!r} is no mode")
        return changed(entity, word)

    reads = reads_of(config, "mode_state_topic", "mode_state_template", read_mode)
    for attribute in ("temperature", "current_temperature"):
        infix = "state_" if attribute == "temperature" else ""
        topic, template = f"{attribute}_{infix}topic", f"{attribute}_{infix}template"
        reads += reads_of(config, topic, template, _number_into(attribute))
    return Parts(reads, write, static | assumed(config, "mode_state_topic"))


def _number_into(attribute: str) -> Callable[[str, Entity], Entity]:
    return lambda word, entity: with_attribute(entity, attribute, number(word))


def _vacuum(config: Config) -> Parts:
    words = {"start": ("payload_start", "start"), "return_to_base": ("payload_return_to_base", "return_to_base")}
    words |= {"stop": ("payload_stop", "stop"), "pause": ("payload_pause", "pause")}

    def read(payload: bytes, entity: Entity) -> Entity:
        return changed(entity, str(decoded(payload)["state"]))

    topic = config.text("state_topic")
    reads: tuple[tuple[str, Reader], ...] = ((topic, read),) if topic is not None else ()
    return Parts(reads, commands(config, "command_topic", words), assumed(config))


def _sensor(config: Config) -> Parts:
    return Parts(reads_of(config, "state_topic", "value_template", lambda word, entity: changed(entity, word[:255])))


def _binary_sensor(config: Config) -> Parts:
    read = words_as_states(config, ("payload_on", "ON", "on"), ("payload_off", "OFF", "off"))
    return Parts(reads_of(config, "state_topic", "value_template", read))


def _button(config: Config) -> Parts:
    words = {"press": ("payload_press", "PRESS")}
    return Parts((), commands(config, "command_topic", words), {"assumed_state": True})


def _scene(config: Config) -> Parts:
    words = {"turn_on": ("payload_on", "ON")}
    return Parts((), commands(config, "command_topic", words), {"assumed_state": True})


KINDS: Mapping[str, Callable[[Config], Parts]] = {
    "binary_sensor": _binary_sensor,
    "button": _button,
    "climate": _climate,
    "cover": _cover,
    "fan": _fan,
    "humidifier": _switch,
    "light": light,
    "lock": _lock,
    "scene": _scene,
    "sensor": _sensor,
    "siren": _switch,
    "switch": _switch,
    "vacuum": _vacuum,
    "valve": _valve,
}
