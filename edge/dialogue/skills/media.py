"""Media players: pause, skip, volume, search."""

from __future__ import annotations

from collections.abc import Callable

from edge.dialogue.skills.levels import number, percent
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Toolbox
from edge.home.simulated import EntityState
from edge.types import Action, Parse, Reply

_VOLUME_STEP = 10
_PLAYERS = ("media_player",)


class Transport:
    """HassMediaPause, HassMediaUnpause, HassMediaNext, HassMediaPrevious."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Act on the player that is meant; unnamed, on the one that plays, or that was paused."""
        before = "paused" if parse.intent == "HassMediaUnpause" else "playing"
        player = self._tools.targets.one(parse, _PLAYERS, _doing(before))
        if parse.intent == "HassMediaPause":
            self._tools.home.set_state(player, "paused")
        else:
            self._tools.home.set_state(player, "playing")
        step = {"HassMediaNext": 1, "HassMediaPrevious": -1}.get(parse.intent or "", 0)
        if step:
            track = max(1, int(player.number("media_track", 1)) + step)
            self._tools.home.set_attribute(player, "media_track", track)
        return self._tools.done(parse, [player])


class Volume:
    """HassSetVolume, HassSetVolumeRelative, HassMediaPlayerMute, HassMediaPlayerUnmute."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the volume in percent, change it, or mute."""
        level = percent(parse, "volume_level") if parse.intent == "HassSetVolume" else None
        step = _step(parse) if parse.intent == "HassSetVolumeRelative" else None
        player = self._tools.targets.one(parse, _PLAYERS, _doing("playing"))
        if step is not None:
            level = round(min(100.0, max(0.0, player.number("volume_level") + step)))
        if level is not None:
            self._tools.home.set_attribute(player, "volume_level", level)
        else:
            self._tools.home.set_attribute(player, "is_volume_muted", parse.intent == "HassMediaPlayerMute")
        return self._tools.done(parse, [player])


class SearchAndPlay:
    """HassMediaSearchAndPlay. The simulated players have every title."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Play what was asked for."""
        query = parse.value("search_query")
        if query is None:
            raise Refusal("no_intent")
        player = self._tools.targets.one(parse, _PLAYERS, _doing("playing"))
        title, kind = str(query), parse.value("media_class")
        self._tools.home.set_state(player, "playing")
        self._tools.home.set_attribute(player, "media_title", title)
        self._tools.home.set_attribute(player, "media_track", 1)
        if kind is not None:
            self._tools.home.set_attribute(player, "media_content_type", str(kind))
        return self._tools.done(parse, [player], slots={"media": {"title": title}})


def _doing(state: str) -> Callable[[EntityState], bool]:
    return lambda entity: entity.state == state


def _step(parse: Parse) -> float:
    step = parse.value("volume_step")
    if step in ("up", "down"):
        return _VOLUME_STEP if step == "up" else -_VOLUME_STEP
    return number(parse, "volume_step")
