"""A little more or less, modes, toggling and stopping."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Talker


@pytest.mark.parametrize(
    ("before", "slots", "changed", "reply"),
    [
        (
            {},
            {"what": "brightness", "direction": "down", "name": "Floor Lamp"},
            ("light.floor_lamp", "brightness", 102),
            "Brightness set to 40 percent",
        ),
        (
            {},
            {"what": "brightness", "direction": "up", "name": "Floor Lamp", "step": 30},
            ("light.floor_lamp", "brightness", 230),
            "Brightness set to 90 percent",
        ),
        (
            {},
            {"what": "volume", "direction": "up", "name": "TV"},
            ("media_player.tv", "volume_level", 0.5),
            "Volume set to 50 percent",
        ),
        (
            {"fan.bedroom": ("on", {"percentage": 90})},
            {"what": "speed", "direction": "up", "name": "Bedroom Fan"},
            ("fan.bedroom", "percentage", 100),
            "Speed set to 100 percent",
        ),
        (
            {"fan.bedroom": ("on", {"percentage": 10})},
            {"what": "speed", "direction": "down", "name": "Bedroom Fan"},
            ("fan.bedroom", "percentage", 1),
            "Speed set to 1 percent",
        ),
        (
            {},
            {"what": "position", "direction": "down", "name": "Left Curtain", "step": 10},
            ("cover.living_room_left", "current_position", 90),
            "Position set to 90 percent",
        ),
        (
            {},
            {"what": "temperature", "direction": "up", "name": "Thermostat", "step": 2},
            ("climate.living_room", "temperature", 23),
            "Temperature set to 23 degrees",
        ),
        (
            {},
            {"what": "temperature", "direction": "down", "area": "Bedroom"},
            ("climate.bedroom", "temperature", 18),
            "Temperature set to 18 degrees",
        ),
        (
            {"humidifier.bedroom": ("on", {"humidity": 48, "max_humidity": 50})},
            {"what": "humidity", "direction": "up"},
            ("humidifier.bedroom", "humidity", 50),
            "Humidity set to 50 percent",
        ),
        (
            {},
            {"direction": "down", "name": "Floor Lamp"},
            ("light.floor_lamp", "brightness", 102),
            "Brightness set to 40 percent",
        ),
    ],
)
def test_more_and_less(
    say: Talker,
    before: dict[str, tuple[str, dict[str, object]]],
    slots: dict[str, str | int],
    changed: tuple[str, str, object],
    reply: str,
) -> None:
    for entity_id, (state, attributes) in before.items():
        say.home.set_state(entity_id, state, attributes)
    assert say("EdgeAdjust", **slots) == reply
    entity_id, attribute, value = changed
    assert say.attribute(entity_id, attribute) == pytest.approx(value, abs=1 if attribute == "brightness" else 0)
    assert {entity for entity, _ in say.changed} == {entity_id}


def test_what_has_no_amount_is_refused(say: Talker) -> None:
    say.home.set_state("cover.bedroom", attributes={"current_position": None})
    assert say("EdgeAdjust", what="position", direction="up", name="Bedroom Blinds").startswith("Sorry")
    assert say("EdgeAdjust", what="position", direction="up", area="Bedroom").startswith("Sorry")
    assert say("EdgeAdjust", what="brightness", name="Floor Lamp").startswith("Sorry")
    assert say("EdgeAdjust", what="speed", direction="down", name="Ceiling Fan") == "Sorry, no device is on"
    assert say.changed == {}


def test_amounts_in_a_language_without_own_texts_use_the_packages(say: Talker) -> None:
    said = say("EdgeAdjust", language="cs", what="temperature", direction="up", name="Thermostat", step=2)
    assert said == "Teplota nastavena"
    assert say.attribute("climate.living_room", "temperature") == 23


def test_a_lamp_is_dimmed_by_what_was_said(say: Talker) -> None:
    say("HassLightSet", name="Floor Lamp", brightness_step="down", step=50)
    assert say.attribute("light.floor_lamp", "brightness") == pytest.approx(25.5, abs=1)


@pytest.mark.parametrize(
    ("name", "state", "reply"),
    [
        ("Kitchen Light", "on", "Turned on the light"),
        ("Floor Lamp", "off", "Turned off the light"),
        ("Left Curtain", "closed", "Closing"),
        ("Right Curtain", "open", "Opening"),
        ("Back Door", "locked", "Locking"),
    ],
)
def test_toggling_one(say: Talker, name: str, state: str, reply: str) -> None:
    assert say("HassToggle", name=name) == reply
    assert say.action is not None and say.action.intent == "HassToggle"
    assert say.state(say.action.targets[0]) == state


def test_toggling_several_that_differ(say: Talker) -> None:
    assert say("HassToggle", area="Living Room", domain="light") == "Switched over"
    assert (say.state("light.living_room"), say.state("light.floor_lamp")) == ("on", "off")


@pytest.mark.parametrize(
    ("entity_id", "before", "slots", "after"),
    [
        ("cover.bedroom", "opening", {"name": "Bedroom Blinds"}, "open"),
        ("cover.garage_door", "closing", {"domain": "cover"}, "open"),
        ("vacuum.rover", "cleaning", {"name": "Rover"}, "idle"),
        ("vacuum.rover", "returning", {}, "idle"),
        ("media_player.tv", "playing", {"what": "media"}, "idle"),
        ("lawn_mower.shaun", "mowing", {"name": "Shaun"}, "paused"),
    ],
)
def test_stopping(say: Talker, entity_id: str, before: str, slots: dict[str, str], after: str) -> None:
    say.home.set_state(entity_id, before)
    assert say("EdgeStop", **slots) == "Stopped"
    assert say.changed == {(entity_id, "state"): after}


def test_stopping_where_nothing_runs(say: Talker) -> None:
    assert say("EdgeStop") == "Sorry, nothing is running"
    assert say("EdgeStop", what="media") == "Sorry, nothing is running"


def test_stopping_what_can_only_pause(say: Talker) -> None:
    say.home.set_state("vacuum.rover", "cleaning", {"supported_features": 4})
    say("EdgeStop", name="Rover")
    assert say.state("vacuum.rover") == "paused"


def test_stopping_here_before_elsewhere(talker: Callable[..., Talker]) -> None:
    say = talker("Kitchen")
    for player in ("media_player.kitchen", "media_player.tv"):
        say.home.set_state(player, "playing")
    say("EdgeStop", what="media")
    assert say.changed == {("media_player.kitchen", "state"): "idle"}
    say("EdgeStop", what="media")
    assert say.changed == {("media_player.tv", "state"): "idle"}


def test_modes_and_humidity(say: Talker) -> None:
    say.home.set_state("climate.bedroom", attributes={"hvac_modes": ["off", "heat", "cool"]})
    assert say("EdgeClimateSetMode", area="Bedroom", hvac_mode="cool") == "Set to cool"
    assert say.state("climate.bedroom") == "cool"
    assert say("EdgeClimateSetMode", area="Bedroom", hvac_mode="dry") == "Sorry, Bedroom Thermostat can't do that"
    assert say("EdgeSetHumidity", humidity=45) == "Humidity set to 45 percent"
    assert say.attribute("humidifier.bedroom", "humidity") == 45


def test_source(say: Talker) -> None:
    say.home.set_state("media_player.tv", "on", {"source_list": ["HDMI 1", "Radio Paradise"]})
    assert say("EdgeSelectSource", source="radio paradise") == "Switched to Radio Paradise"
    assert say.attribute("media_player.tv", "source") == "Radio Paradise"
    assert "Tape" in say("EdgeSelectSource", source="Tape", name="TV")
