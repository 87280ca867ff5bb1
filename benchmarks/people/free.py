"""``edge-bench free``: labelled utterances of people, typed to the home: right, refused, or taken for something else.

The labels are MASSIVE's and SLURP's. An utterance is right where one of the intents that mean the same is among the
understood commands; utterances of other domains should all be rejected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import ConfigError
from edge.protocols import Parser
from edge.types import Transcript

_LIGHT_LEVEL = frozenset(("HassLightSet",))
_VOLUME = frozenset(("HassSetVolume", "HassSetVolumeRelative"))
_TIMES = frozenset(("HassGetCurrentTime", "HassGetCurrentDate"))

SAME_MEANING: dict[str, frozenset[str]] = {
    "iot_hue_lighton": frozenset(("HassTurnOn", "HassLightSet")),
    "iot_hue_lightoff": frozenset(("HassTurnOff",)),
    "iot_hue_lightdim": _LIGHT_LEVEL,
    "iot_hue_lightup": _LIGHT_LEVEL,
    "iot_hue_lightchange": _LIGHT_LEVEL,
    "iot_wemo_on": frozenset(("HassTurnOn",)),
    "iot_wemo_off": frozenset(("HassTurnOff",)),
    "iot_cleaning": frozenset(("HassVacuumStart", "HassVacuumCleanArea", "HassTurnOn")),
    "audio_volume_up": _VOLUME,
    "audio_volume_down": _VOLUME,
    "audio_volume_other": _VOLUME,
    "audio_volume_mute": frozenset(("HassMediaPlayerMute", "HassSetVolume")),
    "play_music": frozenset(("HassMediaSearchAndPlay", "HassMediaUnpause")),
    "datetime_query": _TIMES,
    "weather_query": frozenset(("HassGetWeather",)),
    "lists_createoradd": frozenset(("HassShoppingListAddItem", "HassListAddItem")),
    "lists_remove": frozenset(("HassListRemoveItem", "HassListCompleteItem", "HassShoppingListCompleteItem")),
}
"""Labels that the home has a function for, and the intents that mean the same."""

OTHER_DOMAINS = frozenset(
    ("email", "news", "social", "calendar", "cooking", "takeaway", "transport", "recommendation", "qa")
)
"""Scenarios of which every utterance should be rejected."""


class Utterance(msgspec.Struct):
    """A labelled utterance; ``extra`` ones are left out."""

    utt: str
    intent: str
    locale: str | None = None
    scenario: str | None = None
    extra: bool = False

    @property
    def domain(self) -> str:
        """What it is about: its scenario, or the first word of its label."""
        return self.scenario or self.intent.split("_")[0]


@dataclass(frozen=True)
class Tried:
    """An utterance and the intents that were understood, none where it was rejected."""

    utterance: Utterance
    understood: frozenset[str]

    @property
    def right(self) -> bool:
        """Whether one of the intents means the same as the label."""
        return bool(self.understood & SAME_MEANING[self.utterance.intent])


def read_utterances(path: Path) -> list[Utterance]:
    """The utterances of a file of JSON lines.

    Raises:
        ConfigError: a line is not a labelled utterance.
    """
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(msgspec.json.decode(line, type=Utterance))
        except msgspec.MsgspecError as error:
            raise ConfigError(f"{path}:{number}: not a labelled utterance: {error}") from error
    return found


def try_utterances(utterances: Iterable[Utterance], parser: Parser) -> tuple[list[Tried], list[Tried]]:
    """What was understood of utterances of the home and of other domains."""
    home: list[Tried] = []
    other: list[Tried] = []
    for utterance in utterances:
        if utterance.extra or not (utterance.intent in SAME_MEANING or utterance.domain in OTHER_DOMAINS):
            continue
        parse = parser.parse(Transcript(" ".join(utterance.utt.split())))
        tried = Tried(utterance, frozenset((parse.intent,)) if parse.intent is not None else frozenset())
        (home if utterance.intent in SAME_MEANING else other).append(tried)
    return home, other


def free_summary(home: list[Tried], other: list[Tried]) -> dict[str, float]:
    """Shares of the utterances of the home that are right, refused and wrong, and of the others that are rejected."""
    right, refused = sum(tried.right for tried in home), sum(not tried.understood for tried in home)
    return {
        "n": len(home),
        "right": _share(right, home),
        "refused": _share(refused, home),
        "wrong": _share(len(home) - right - refused, home),
        "other_n": len(other),
        "other_refused": _share(sum(not tried.understood for tried in other), other),
    }


def failures(home: list[Tried], other: list[Tried]) -> list[str]:
    """A line per utterance that is not right, those taken for something else first."""
    wrong = [tried for tried in home if not tried.right] + [tried for tried in other if tried.understood]
    return [
        f"{tried.utterance.intent} | {tried.utterance.utt} | {' '.join(sorted(tried.understood)) or 'rejected'}"
        for tried in sorted(wrong, key=lambda tried: not tried.understood)
    ]


def _share(count: int, tried: list[Tried]) -> float:
    return round(count / max(1, len(tried)), 4)
