"""MASSIVE-format utterances read as commands of the home: what their intents and slots mean here.

Intents that mean the same as a frame of the home become that frame; what people ask of an assistant and no home can do
is ``unsupported``; the rest is other talk. Utterances that fit none of these are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from quantize.data.datasets import Utterance
from quantize.templates.sampler import NOTHING, UNSUPPORTED, Sample, SampledSlot

_FRAMES = {
    "iot_hue_lighton": "HassTurnOn|domain=light",
    "iot_hue_lightoff": "HassTurnOff|domain=light",
    "iot_hue_lightdim": "HassLightSet|brightness_step=down|domain=light",
    "iot_hue_lightup": "HassLightSet|brightness_step=up|domain=light",
    "iot_hue_lightchange": "HassLightSet|domain=light",
    "iot_wemo_on": "HassTurnOn",
    "iot_wemo_off": "HassTurnOff",
    "iot_cleaning": "HassVacuumStart",
    "audio_volume_up": "HassSetVolumeRelative|volume_step=up",
    "audio_volume_down": "HassSetVolumeRelative|volume_step=down",
    "audio_volume_mute": "HassMediaPlayerMute",
    "play_music": "HassMediaSearchAndPlay",
    "weather_query": "HassGetWeather",
    "music_query": "EdgeGetAttribute|what=title",
    "lists_query": "EdgeListItems",
    "lists_createoradd": "HassShoppingListAddItem",
}
_UNSUPPORTED = frozenset(
    {"alarm", "calendar", "email", "takeaway", "transport", "social", "news", "recommendation", "cooking", "play"}
)
_TALK = frozenset({"general", "qa"})
_LEFT_OUT = frozenset({"lists", "audio", "iot", "music", "datetime", "weather"})
_TIME, _DATE = re.compile(r"\b(time|clock|hour|late)\b"), re.compile(r"\b(date|day|month|year|today)\b")
_ADDED = re.compile(r"\b(?:add|put|include)\b (?P<item>.+?) \b(?:to|on|in|into|onto)\b")
_EVERYWHERE = frozenset({"house", "home", "apartment", "flat", "all rooms", "every room", "whole house"})
_SOUGHT = ("artist_name", "song_name", "music_genre", "music_descriptor", "playlist_name", "music_album")


def home_samples(utterances: Iterable[Utterance]) -> list[Sample]:
    """Each utterance as a labelled sentence of the home; those without a clear meaning are left out."""
    return [sample for utterance in utterances if (sample := home_sample(utterance)) is not None]


def home_sample(utterance: Utterance) -> Sample | None:
    """The utterance with the frame and slots that it has in a home, or None."""
    language = utterance.locale.split("-")[0]
    intent, text = utterance.intent, utterance.text
    scenario = utterance.scenario or intent.split("_")[0]
    if intent == "datetime_query":
        frame = _time_or_date(text)
        return None if frame is None else Sample(text, frame, language)
    if intent in _FRAMES:
        return _with_slots(Sample(text, _FRAMES[intent], language), utterance)
    if scenario in _LEFT_OUT:
        return None
    if scenario in _UNSUPPORTED:
        return Sample(text, UNSUPPORTED, language)
    return Sample(text, NOTHING, language) if scenario in _TALK else None


def _time_or_date(text: str) -> str | None:
    asks_time, asks_date = _TIME.search(text) is not None, _DATE.search(text) is not None
    if asks_time == asks_date:
        return None
    return "HassGetCurrentTime" if asks_time else "HassGetCurrentDate"


def _with_slots(sample: Sample, utterance: Utterance) -> Sample | None:
    frame, spans = sample.frame, {slot.name: slot for slot in utterance.slots}
    if any(slot.name in ("time", "timeofday") for slot in utterance.slots) and "Weather" not in frame:
        return None  # carried out later, which is another command
    if frame == "HassMediaSearchAndPlay":
        sought = [slot for slot in utterance.slots if slot.name in _SOUGHT]
        if not sought:
            return None
        return _tagged(sample, [("search_query", sought[0].start, sought[-1].end)])
    if frame == "HassShoppingListAddItem":
        item = _ADDED.search(sample.text)
        shopping = re.search(r"\b(shopping|grocery|groceries)\b", sample.text)
        return _tagged(sample, [("item", *item.span("item"))]) if item and shopping else None
    tags = {"house_place": "area"}
    if frame in ("HassTurnOn", "HassTurnOff"):
        if "device_type" not in spans:
            return None
        tags["device_type"] = "name"
    if frame == "HassGetWeather":
        tags = {"place_name": "name"}
    if frame == "HassLightSet|domain=light":
        if "color_type" not in spans or " " in sample.text[spans["color_type"].start : spans["color_type"].end]:
            return None
        tags["color_type"] = "color"
    if frame == "HassVacuumStart" and "house_place" in spans:
        sample.frame = "HassVacuumCleanArea"
    if "change_amount" in spans and re.search(r"\d|percent|\bto\b", sample.text):
        return None
    places = [slot for slot in utterance.slots if slot.name in tags]
    named = [slot for slot in places if sample.text[slot.start : slot.end] not in _EVERYWHERE]
    return _tagged(sample, [(tags[slot.name], slot.start, slot.end) for slot in named])


def _tagged(sample: Sample, spans: Sequence[tuple[str, int, int]]) -> Sample:
    sample.slots = [SampledSlot(tag, sample.text[start:end], start, end) for tag, start, end in spans]
    return sample
