"""Lights of the demo home: switching, brightness, colors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Talker


def test_light_by_name(say: Talker) -> None:
    assert say("HassTurnOn", name="Kitchen Light") == "Turned on the light"
    assert say.changed == {("light.kitchen", "state"): "on"}
    assert say("HassTurnOff", name="kitchen light") == "Turned off the light"
    assert say.state("light.kitchen") == "off"


def test_what_is_on_already_changes_nothing(say: Talker) -> None:
    say("HassTurnOn", name="Floor Lamp")
    assert say.action is not None
    assert say.action.targets == ("light.floor_lamp",)
    assert say.changed == {}


def test_lights_of_an_area_and_of_a_floor(say: Talker) -> None:
    assert say("HassTurnOn", "turn on the kitchen lights", area="Kitchen", domain="light") == "Turned on the lights"
    assert set(say.changed) == {("light.kitchen", "state"), ("light.kitchen_counter", "state")}
    say("HassTurnOn", floor="first", domain="light")
    assert say.state("light.bathroom") == "on"
    assert say.state("light.hall") == "off"


def test_the_area_in_which_the_assistant_stands(talker: Callable[..., Talker]) -> None:
    say = talker("Kitchen")
    say("HassTurnOn", "turn on the lights", domain="light")
    assert set(say.changed) == {("light.kitchen", "state"), ("light.kitchen_counter", "state")}
    assert say("HassTurnOff", "turn off all the lights everywhere", domain="light") == "Turned off all of the lights"
    assert ("light.floor_lamp", "state") in say.changed


def test_without_an_area_all_lights_are_meant(say: Talker) -> None:
    say("HassTurnOn", "turn on the lights", domain="light")
    assert say.state("light.garden") == say.state("light.kitchen") == "on"


def test_light_settings(say: Talker) -> None:
    assert say("HassLightSet", name="Floor Lamp", brightness=30) == "Brightness set to 30 percent"
    assert say.attribute("light.floor_lamp", "brightness") == round(2.55 * 30)
    assert say("HassLightSet", area="Kitchen", color="red") == "Color set"
    assert say.attribute("light.kitchen", "rgb_color") == [255, 0, 0]
    assert say.state("light.kitchen") == "on"
    assert say("HassLightSet", area="Kitchen", temperature=2700) == "Color temperature set"
    assert say.attribute("light.kitchen_counter", "color_temp_kelvin") == 2700
    say("HassLightSet", name="Floor Lamp", brightness=0)
    assert say.state("light.floor_lamp") == "off"


@pytest.mark.parametrize(
    ("before", "step", "after"), [(30, "up", 50), (90, "up", 100), (60, "down", 40), (10, "down", 5)]
)
def test_brighter_and_darker(say: Talker, before: int, step: str, after: int) -> None:
    say("HassLightSet", name="Floor Lamp", brightness=before)
    assert say("HassLightSet", name="Floor Lamp", brightness_step=step) == f"Brightness set to {after} percent"
    assert say.attribute("light.floor_lamp", "brightness") == pytest.approx(2.55 * after, abs=1)


def test_brighter_and_darker_change_the_lights_that_are_on(say: Talker) -> None:
    say("HassLightSet", name="Kitchen Light", brightness=50)
    say("HassTurnOff", name="Counter Light")
    say("HassLightSet", "make the kitchen brighter", area="Kitchen", domain="light", brightness_step="up")
    assert say.changed == {("light.kitchen", "brightness"): 178}
    say("HassTurnOff", "turn off the kitchen lights", area="Kitchen", domain="light")
    reply = say("HassLightSet", "dim the kitchen", area="Kitchen", domain="light", brightness_step="down")
    assert reply == "Sorry, no device is on"
    say("HassLightSet", "make the kitchen brighter", area="Kitchen", domain="light", brightness_step="up")
    assert say.state("light.kitchen") == say.state("light.kitchen_counter") == "on"
    assert say.attribute("light.kitchen", "brightness") == 51


def test_a_brightness_that_is_no_number_changes_nothing(say: Talker) -> None:
    reply = say("HassLightSet", "dim the floor lamp halfway", name="Floor Lamp", brightness="halfway")
    assert reply.startswith("Sorry") and say.changed == {}


def test_a_reply_that_tells_the_brightness_tells_the_new_one(say: Talker) -> None:
    say("HassLightSet", name="Floor Lamp", brightness=30)
    text = "alza la luminosità di Floor Lamp"
    said = say("HassLightSet", text, name="Floor Lamp", brightness_step="up", language="it")
    assert said == "Luminosità impostata al 50 percento"
