"""The settings of a discovered device, and the readers and writers that most kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.home.mqtt.templates import command, rendered
from edge.home.mqtt.things import Message, NotSupportedError, Reader, Writer, changed
from edge.types import Entity, ServiceCall


def is_topic(text: str) -> bool:
    """Whether a message can have this topic."""
    return 0 < len(text.encode()) < 1000 and not {"#", "+", "\0"} & set(text)


@dataclass(frozen=True)
class Config:
    """One announced entity: its component, the id in its topic, and its settings with every key written out."""

    component: str
    object_id: str
    values: Mapping[str, Any]

    def text(self, key: str) -> str | None:
        """A setting that is a text; a topic is one only where it is that of a message."""
        value = self.values.get(key)
        usable = isinstance(value, str) and value and (not key.endswith("topic") or is_topic(value))
        return value if usable else None

    def topic(self, key: str) -> str:
        """A topic that must be there; raises ValueError."""
        value = self.text(key)
        if value is None:
            raise ValueError(f"no {key}")
        return value

    def word(self, key: str, default: str) -> str:
        """A payload, as text."""
        value = self.values.get(key)
        return default if value is None else str(value)


@dataclass(frozen=True)
class Parts:
    """What a kind of device is made of; ``domain`` where it is not the component."""

    reads: tuple[tuple[str, Reader], ...] = ()
    writes: Writer | None = None
    static: Mapping[str, object] = field(default_factory=dict)
    domain: str = ""


def reads_of(config: Config, topic: str, template: str, read: Callable[[str, Entity], Entity]) -> tuple[Any, ...]:
    """A reader of ``topic`` through ``template``, where the configuration has such a topic."""
    at, by = config.text(topic), config.text(template)
    return ((at, lambda payload, entity: read(rendered(by, payload), entity)),) if at is not None else ()


def assumed(config: Config, topic: str = "state_topic") -> dict[str, object]:
    """The attribute of a device that never tells its state."""
    return {} if config.text(topic) and not config.values.get("optimistic") else {"assumed_state": True}


def words_as_states(config: Config, *states: tuple[str, str, str]) -> Callable[[str, Entity], Entity]:
    """Reads a word as a state, by (setting, default word, state)."""
    table = {config.word(key, default): state for key, default, state in states}

    def read(word: str, entity: Entity) -> Entity:
        if word not in table:
            raise ValueError(f"{word!r} is no state")
        return changed(entity, table[word])

    return read


def commands(config: Config, topic: str, services: Mapping[str, tuple[str, str]]) -> Writer:
    """Publishes a word for a service, by service: (setting, default word)."""
    at, template = config.topic(topic), config.text("command_template")
    words = {service: config.word(*setting) for service, setting in services.items()}

    def write(call: ServiceCall, entity: Entity) -> tuple[Message, ...]:
        if call.service not in words:
            raise NotSupportedError(f"{entity.id} has no service {call.service}")
        return (Message(at, command(template, words[call.service])),)

    return write


ON_OFF = {"turn_on": ("payload_on", "ON"), "turn_off": ("payload_off", "OFF")}


def on_off(config: Config) -> Callable[[str, Entity], Entity]:
    """Reads the words for on and off."""
    on, off = config.word("payload_on", "ON"), config.word("payload_off", "OFF")
    return words_as_states(config, ("state_on", on, "on"), ("state_off", off, "off"))
