"""What a domain file holds: a user's own commands in Home Assistant's custom-sentence format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.errors import ConfigError
from edge.types import SlotValue


@dataclass(frozen=True)
class Line:
    """A text of the file and the line (from 1) that it stands on."""

    text: str
    number: int


@dataclass(frozen=True)
class ListValue:
    """What is said (may be a template) and what it means; ``out`` is None where it means the words said."""

    said: Line
    out: SlotValue | None = None


@dataclass(frozen=True)
class NumberRange:
    """Numbers from ``start`` to ``stop``; ``halves`` adds the halves between; the meaning is multiplied."""

    start: int
    stop: int
    step: int = 1
    multiplier: float = 1.0
    halves: bool = False


@dataclass(frozen=True)
class SlotList:
    """Values, a range, or (neither) any words."""

    name: str
    line: int
    values: tuple[ListValue, ...] = ()
    numbers: NumberRange | None = None

    @property
    def open(self) -> bool:
        """Whether the list takes any words."""
        return not self.values and self.numbers is None


@dataclass(frozen=True)
class CommandBlock:
    """Sentences of one intent, what they imply and the key of their reply.

    ``domains`` limits which of the home's names may fill ``{name}``; ``line`` is where the intent stands.
    """

    intent: str
    sentences: tuple[Line, ...]
    line: int = 1
    slots: Mapping[str, SlotValue] = field(default_factory=dict)
    response: str = "default"
    domains: tuple[str, ...] = ()
    rules: Mapping[str, Line] = field(default_factory=dict)
    lists: Mapping[str, SlotList] = field(default_factory=dict)


@dataclass(frozen=True)
class Domain:
    """A whole domain file; ``skip_words`` may stand before and behind every sentence and mean nothing.

    ``language_line`` is where the language stands; ``responses`` are the replies of an intent by their key.
    """

    path: str
    language: str
    blocks: tuple[CommandBlock, ...]
    lists: Mapping[str, SlotList]
    rules: Mapping[str, Line]
    skip_words: tuple[Line, ...] = ()
    language_line: int = 1
    responses: Mapping[str, Mapping[str, Line]] = field(default_factory=dict)

    @property
    def replies(self) -> dict[str, dict[str, str]]:
        """The templates of the replies of every intent, by their key; none where the file has none."""
        intents = dict.fromkeys(block.intent for block in self.blocks)
        return {name: {key: line.text for key, line in self.responses.get(name, {}).items()} for name in intents}

    def mistake(self, line: int, message: str) -> ConfigError:
        """The error that reports a mistake on a line."""
        return ConfigError(f"{self.path}:{line}: {message}")
