"""What labelled utterances mean in a home."""

from __future__ import annotations

import pytest

from quantize.data.datasets import Utterance, parse_annotation
from quantize.data.home_labels import home_sample, home_samples
from quantize.student.examples import label_space
from quantize.templates.package import package_templates
from quantize.templates.sampler import NOTHING, UNSUPPORTED


def utterance(intent: str, annotated: str) -> Utterance:
    text, slots = parse_annotation(annotated)
    return Utterance("1", "en-US", "train", intent.split("_")[0], intent, text, slots)


@pytest.mark.parametrize(
    ("intent", "annotated", "frame", "tagged"),
    [
        ("iot_hue_lightoff", "no light in the [house_place : attic]", "HassTurnOff|domain=light", {"area": "attic"}),
        ("iot_hue_lightoff", "no light in the [house_place : house]", "HassTurnOff|domain=light", {}),
        ("iot_wemo_on", "start the [device_type : pump]", "HassTurnOn", {"name": "pump"}),
        ("iot_cleaning", "hoover the [house_place : attic]", "HassVacuumCleanArea", {"area": "attic"}),
        ("play_music", "some [artist_name : bach] please", "HassMediaSearchAndPlay", {"search_query": "bach"}),
        ("datetime_query", "which day have we", "HassGetCurrentDate", {}),
        ("weather_query", "is [place_name : oslo] cold", "HassGetWeather", {"name": "oslo"}),
        ("alarm_set", "wake me at [time : six]", UNSUPPORTED, {}),
        ("qa_maths", "two and two", NOTHING, {}),
    ],
)
def test_meanings(intent: str, annotated: str, frame: str, tagged: dict[str, str]) -> None:
    found = home_sample(utterance(intent, annotated))
    assert found is not None
    assert found.frame == frame
    assert {slot.tag: found.text[slot.start : slot.end] for slot in found.slots} == tagged


@pytest.mark.parametrize(
    ("intent", "annotated"),
    [
        ("iot_hue_lightoff", "no light at [time : ten]"),
        ("play_music", "something nice"),
        ("iot_hue_lightup", "light up to [change_amount : 40 percent]"),
        ("lists_remove", "away with it"),
    ],
)
def test_what_may_mean_several_things_is_left_out(intent: str, annotated: str) -> None:
    assert home_samples([utterance(intent, annotated)]) == []


def test_every_frame_is_one_of_the_home() -> None:
    frames = label_space([package_templates("en")]).frame_index
    asked = ["iot_hue_lighton", "iot_hue_lightdim", "iot_hue_lightup", "audio_volume_up", "audio_volume_down"]
    asked += ["audio_volume_mute", "music_query", "lists_query"]
    assert {sample.frame for sample in home_samples(utterance(intent, "what") for intent in asked)} <= frames.keys()
