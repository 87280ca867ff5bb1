"""Media players: play, pause, skip, volume, sources, search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.dialogue.skills.levels import number, percent
from edge.dialogue.targets import Refusal
from edge.dialogue.toolbox import Step, Toolbox
from edge.types import Action, Entity, Parse, Reply, ServiceCall

_VOLUME_STEP = 10.0
_PLAYERS = ("media_player",)
_SERVICES = {
    "HassMediaPause": "media_pause",
    "HassMediaUnpause": "media_play",
    "HassMediaNext": "media_next_track",
    "HassMediaPrevious": "media_previous_track",
}


class Transport:
    """HassMediaPause, HassMediaUnpause, HassMediaNext, HassMediaPrevious."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Act on the player that is meant; unnamed, on the one that plays, or that was paused."""
        before = "paused" if parse.intent == "HassMediaUnpause" else "playing"
        player = self._tools.targets.one(parse, _PLAYERS, doing(before))
        return self._tools.carry_out(parse, [Step(player, f"media_player.{_SERVICES[parse.intent or '']}")])


class Volume:
    """HassSetVolume, HassSetVolumeRelative, HassMediaPlayerMute, HassMediaPlayerUnmute."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Set the volume in percent, change it, or mute."""
        level = percent(parse, "volume_level") if parse.intent == "HassSetVolume" else None
        change = _change(parse) if parse.intent == "HassSetVolumeRelative" else None
        player = self._tools.targets.one(parse, _PLAYERS, doing("playing"))
        if change is not None:
            return self._tools.carry_out(parse, [louder(player, change)], tell=volume_told)
        if level is not None:
            step = Step(player, "media_player.volume_set", {"volume_level": level / 100})
            return self._tools.carry_out(parse, [step], tell=volume_told)
        muted = parse.intent == "HassMediaPlayerMute"
        return self._tools.carry_out(parse, [Step(player, "media_player.volume_mute", {"is_volume_muted": muted})])


class SelectSource:
    """EdgeSelectSource: the input or station of a player, in the slot ``source``."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Select the source by its name, case aside; unnamed, the player that has it."""
        wanted = parse.value("source")
        if wanted is None:
            raise Refusal("no_intent")
        player = self._tools.targets.one(parse, _PLAYERS, lambda one: _source(one, str(wanted)) is not None)
        source = _source(player, str(wanted))
        if source is None:
            raise Refusal("no_entity", entity=str(wanted))
        step = Step(player, "media_player.select_source", {"source": source})
        return self._tools.carry_out(parse, [step], slots={"source": source})


class SearchAndPlay:
    """HassMediaSearchAndPlay."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Search what was asked for on the player and play the first result."""
        query, kind = parse.value("search_query"), parse.value("media_class")
        if query is None:
            raise Refusal("no_intent")
        player = self._tools.targets.one(parse, _PLAYERS, doing("playing"))
        data: dict[str, object] = {"search_query": str(query)}
        if kind is not None:
            data["media_filter_classes"] = [str(kind)]
        outcome = self._tools.outcome(ServiceCall("media_player", "search_media", (player.id,), data))
        if not outcome.done:
            raise Refusal(outcome.status.name.lower(), entity=player.name)
        first = _first_result(outcome.response.get(player.id))
        if first is None:
            return self._tools.told(parse, slots={"media": None})
        content = {name: first[name] for name in ("media_content_id", "media_content_type") if name in first}
        step = Step(player, "media_player.play_media", content)
        return self._tools.carry_out(parse, [step], slots={"media": {"title": first.get("title", str(query))}})


def louder(player: Entity, change: float) -> Step:
    """What makes a player louder or, by a negative change, quieter, in percent points."""
    if "volume_level" not in player.attributes:
        return Step(player, "media_player.volume_up" if change > 0 else "media_player.volume_down")
    level = round(min(1.0, max(0.0, player.number("volume_level") + change / 100)), 4)
    return Step(player, "media_player.volume_set", {"volume_level": level})


def volume_told(found: Sequence[Entity]) -> Mapping[str, object]:
    """The volume that the player has now, in percent."""
    if "volume_level" not in found[0].attributes:
        return {}
    return {"volume_level": str(round(100 * found[0].number("volume_level")))}


def doing(state: str) -> Callable[[Entity], bool]:
    """Whether a device is in a state."""
    return lambda entity: entity.state == state


def _change(parse: Parse) -> float:
    step = parse.value("volume_step")
    if step in ("up", "down"):
        return _VOLUME_STEP if step == "up" else -_VOLUME_STEP
    return number(parse, "volume_step")


def _source(player: Entity, said: str) -> str | None:
    listed = player.attributes.get("source_list")
    names = [str(name) for name in listed] if isinstance(listed, (list, tuple)) else []
    return next((name for name in names if name.casefold() == said.casefold()), None)


def _first_result(answer: object) -> Mapping[str, object] | None:
    results = answer.get("result") if isinstance(answer, Mapping) else None
    first = results[0] if isinstance(results, (list, tuple)) and results else None
    return first if isinstance(first, Mapping) else None
