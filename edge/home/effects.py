"""What services are made of: a device in another state, checked numbers and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from edge.types import Entity

Data: TypeAlias = Mapping[str, object]
Service: TypeAlias = Callable[[Entity, Data], Entity]


class ServiceRefusedError(Exception):
    """The device does not do this; the text says why."""


def with_state(entity: Entity, state: str, **attributes: object) -> Entity:
    """The device in another state, with these attributes changed."""
    return replace(entity, state=state, attributes={**entity.attributes, **attributes})


def same_state(entity: Entity, **attributes: object) -> Entity:
    """The device with these attributes changed."""
    return with_state(entity, entity.state or "unknown", **attributes)


def becomes(state: str, of: frozenset[str] | None = None, unless: frozenset[str] = frozenset()) -> Service:
    """The state, where it is one ``of`` these and not one of those already."""

    def become(entity: Entity, data: Data) -> Entity:
        stays = entity.state in unless or (of is not None and entity.state not in of)
        return entity if stays else with_state(entity, state)

    return become


def toggles(on: Service, off: Service, off_state: str = "off") -> Service:
    """``on`` where the device is in ``off_state``, else ``off``."""
    return lambda entity, data: (on if entity.state == off_state else off)(entity, data)


def number(data: Data, name: str, least: float, most: float) -> float:
    """A number of the service data; out of its range it is refused, as Home Assistant does."""
    try:
        value = float(str(data[name]))
    except (KeyError, ValueError) as error:
        raise ServiceRefusedError(f"{name} is missing or not a number") from error
    if not least <= value <= most:
        raise ServiceRefusedError(f"{name} is {value:g}, which is not within {least:g} and {most:g}")
    return value


def one_of(entity: Entity, data: Data, name: str, listed_in: str) -> str:
    """A text of the service data; refused where the device lists what it has, without this."""
    value, listed = str(data.get(name, "")), entity.attributes.get(listed_in)
    known = [str(item) for item in listed] if isinstance(listed, (list, tuple)) else [value]
    if not value or value not in known:
        raise ServiceRefusedError(f"{entity.id} has no {name} {value!r}; it has {', '.join(known)}")
    return value
