"""Values that cross stages. All are frozen; none knows where it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]
SlotValue: TypeAlias = str | int | float


@dataclass(frozen=True, eq=False)
class AudioFrame:
    """Mono audio: ``pcm`` is int16 [n] at ``rate_hz``; ``start_ms`` counts from the start of the stream."""

    pcm: Pcm
    rate_hz: int
    start_ms: float = 0.0

    @property
    def duration_ms(self) -> float:
        """Length of the frame."""
        return 1000.0 * len(self.pcm) / self.rate_hz


@dataclass(frozen=True)
class Word:
    """One recognized word with its confidence in 0..1 and its place in the stream."""

    text: str
    confidence: float
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class Transcript:
    """What was said; ``confidence`` in 0..1, ``alternatives`` best first without ``text``; ``heard``, not typed."""

    text: str
    confidence: float = 1.0
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = ()
    end_ms: float = 0.0
    heard: bool = False


@dataclass(frozen=True)
class Slot:
    """A slot of a parse. A slot that the intent implies (a domain, a state) has no text and no span."""

    name: str
    value: SlotValue
    text: str | None = None
    span: tuple[int, int] | None = None


class Scope(Enum):
    """Which devices a command means that names none: not said, a single one, several, those here, or all."""

    OPEN = "open"
    ONE = "one"
    SEVERAL = "several"
    HERE = "here"
    ALL = "all"


@dataclass(frozen=True)
class Parse:
    """What an utterance means; ``intent`` is None where it was rejected.

    ``source`` names who understood it; ``response`` is the key of the reply that fits, where an intent has several.
    ``unfinished``: more may be meant to follow, for the text begins a longer sentence, or was heard with doubt.
    ``confidence`` is the probability of the intent, ``in_scope`` that of its being any command at all: "kitchen
    lights" is surely one, though on or off nobody knows. ``refusal`` is the key of the reply that says why what was
    understood is not done. ``explained``: every word was read as a part of the command. ``scope`` says which devices.
    ``confirmed``: the person said yes to it. ``further`` are the other commands of the same utterance.
    """

    intent: str | None
    slots: tuple[Slot, ...] = ()
    confidence: float = 0.0
    language: str = "en"
    source: str = "student"
    text: str = ""
    response: str = "default"
    unfinished: bool = False
    in_scope: float = 1.0
    refusal: str | None = None
    explained: bool = True
    scope: Scope = Scope.OPEN
    confirmed: bool = False
    further: tuple[Parse, ...] = ()

    def value(self, name: str) -> SlotValue | None:
        """Value of the first slot called ``name``, or None."""
        return next((slot.value for slot in self.slots if slot.name == name), None)


@dataclass(frozen=True)
class Area:
    """A room of the home; ``id`` is unique, ``aliases`` are further names people say."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    floor_id: str | None = None


@dataclass(frozen=True)
class Floor:
    """A floor of the home."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entity:
    """A device of the home; ``id`` is ``domain.object`` as in Home Assistant."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    area_id: str | None = None
    state: str | None = None
    attributes: dict[str, object] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """Kind of device: the part of the id before the dot."""
        return self.id.split(".", 1)[0]

    @property
    def device_class(self) -> str | None:
        """Kind of cover, sensor or switch, as in Home Assistant; None where the device tells none."""
        value = self.attributes.get("device_class")
        return None if value is None else str(value)

    @property
    def reachable(self) -> bool:
        """Whether the device answers; Home Assistant calls the others *unavailable*."""
        return self.state != "unavailable"

    def number(self, attribute: str, default: float = 0.0) -> float:
        """An attribute as a number; home files may write it as ``"50"`` or ``"50%"``."""
        try:
            value = float(str(self.attributes.get(attribute, default)).rstrip("% "))
        except ValueError:
            return default
        return value if math.isfinite(value) else default


@dataclass(frozen=True)
class Home:
    """What the assistant controls, as its home file describes it."""

    areas: tuple[Area, ...] = ()
    floors: tuple[Floor, ...] = ()
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class HomeState(Home):
    """The home at one moment: its entities with their present states and attributes, in Home Assistant's vocabulary.

    ``names_version`` changes whenever an area, a floor, a name, an alias or the set of entities does.
    """

    connected: bool = True
    temperature_unit: str = "°C"
    names_version: int = 0

    def entity(self, entity_id: str) -> Entity | None:
        """The entity with this id."""
        return next((entity for entity in self.entities if entity.id == entity_id), None)


@dataclass(frozen=True)
class ServiceCall:
    """A service of Home Assistant for some entities: ``light.turn_on`` with ``{"brightness": 128}``.

    A call that has not begun after ``deadline_s`` is dropped, never carried out late.
    """

    domain: str
    service: str
    targets: tuple[str, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
    deadline_s: float = 2.0


@dataclass(frozen=True)
class StateChange:
    """One attribute of one entity (or timer) that changed; the attribute ``state`` is the state itself."""

    entity_id: str
    attribute: str
    before: object
    after: object


class OutcomeStatus(Enum):
    """What became of a service call."""

    DONE = "done"
    REFUSED = "refused"
    """The device or service does not do this: a value out of range, a function that it lacks."""
    FAILED = "failed"
    """It was tried and went wrong."""
    UNREACHABLE = "unreachable"
    """The home or the device does not answer."""
    TIMED_OUT = "timed out"
    """Nothing came back before the deadline; whether it was carried out is not known."""


@dataclass(frozen=True)
class Outcome:
    """What became of a service call.

    ``reason`` is for the trace, in English. ``left_out`` are targets that were not reached though others were.
    ``changes`` are those that this call caused. ``response`` is what the service returned (``todo.get_items``).
    """

    status: OutcomeStatus
    reason: str = ""
    left_out: tuple[str, ...] = ()
    changes: tuple[StateChange, ...] = ()
    response: Mapping[str, object] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the service was carried out."""
        return self.status is OutcomeStatus.DONE


@dataclass(frozen=True)
class Action:
    """What a skill did: the intent, the entities it touched, what changed; ``outcomes`` are those of ``calls``."""

    intent: str
    targets: tuple[str, ...] = ()
    changes: tuple[StateChange, ...] = ()
    calls: tuple[ServiceCall, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What to say; ``expects_answer`` keeps the microphone open for the user's next words.

    ``refused``: it says why nothing was done.
    """

    text: str
    language: str = "en"
    expects_answer: bool = False
    refused: bool = False


@dataclass(frozen=True)
class StageSpan:
    """When a stage ran, by the monotonic clock, the CPU time it took, and the process's memory at its end."""

    stage: str
    start_ns: int
    end_ns: int
    cpu_ns: int = 0
    rss_mib: float = 0.0

    @property
    def ms(self) -> float:
        """Wall time."""
        return (self.end_ns - self.start_ns) / 1e6
