"""Asking back, answers, and what ends a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from edge.dialogue.dialogue import open_dialogue
from edge.types import Area, Entity, Home, Parse, Slot

if TYPE_CHECKING:
    from conftest import Talker


def test_two_devices_of_one_name_are_asked_about(say: Talker) -> None:
    text = say("HassTurnOn", "turn on the lamp", name="Lamp")
    assert text == "Sorry, there are multiple devices called Lamp. Bedroom, Office?"
    assert say.reply.expects_answer
    assert say.action is None
    assert say.state("light.office_lamp") == "off"


@pytest.mark.parametrize("answer", ["the office one", "office", "in the study please", "desk lamp", "the offise"])
def test_answer_that_was_not_understood_as_a_command(say: Talker, answer: str) -> None:
    say("HassTurnOn", "turn on the lamp", name="Lamp")
    assert say(None, answer) == "Turned on the light"
    assert say.changed == {("light.office_lamp", "state"): "on"}
    assert not say.reply.expects_answer


def test_answer_that_was_taken_for_a_short_command(say: Talker) -> None:
    say("HassTurnOff", "turn off the lamp", name="Lamp")
    say.confidence = 0.74
    say("HassTurnOn", "the bedroom one", area="Bedroom")
    assert say.action is not None
    assert say.action.intent == "HassTurnOff"
    assert say.action.targets == ("light.bedroom_lamp",)


def test_another_command_ends_the_question(say: Talker) -> None:
    say("HassTurnOn", "turn on the lamp", name="Lamp")
    say("HassTurnOn", "turn on all of the bathroom lights", area="Bathroom", domain="light")
    assert say.state("light.bathroom") == "on"
    assert say(None, "office") == "Sorry, I couldn't understand that"
    assert say.state("light.office_lamp") == "off"


def test_short_command_about_the_room_of_what_was_offered_is_no_answer(say: Talker) -> None:
    say("HassClimateSetTemperature", "set the heating to 19", temperature=19)
    assert say("HassVacuumCleanArea", "vacuum the living room", area="Living Room") == "Cleaning Living Room"
    assert say.attribute("climate.living_room", "temperature") == 21


BEDSIDE = Home(
    areas=(Area("bedroom", "Bedroom"),),
    entities=(
        Entity("light.left", "Bedroom Bedside Lamp Left", area_id="bedroom"),
        Entity("light.right", "Bedroom Bedside Lamp Right", area_id="bedroom"),
    ),
)


@pytest.mark.parametrize(("answer", "target"), [("the left one", "light.left"), ("right", "light.right")])
def test_words_of_several_names_are_asked_about_and_one_word_answers(answer: str, target: str) -> None:
    dialogue = open_dialogue(BEDSIDE)
    command = Parse("HassTurnOn", (Slot("name", "bedside lamp", "bedside lamp"),), text="turn on the bedside lamp")
    action, reply = dialogue.handle(command)
    assert action is None and reply.expects_answer
    action, _ = dialogue.handle(Parse(None, text=answer))
    assert action is not None
    assert action.targets == (target,)


def test_words_that_tell_nothing_apart_are_no_answer() -> None:
    dialogue = open_dialogue(BEDSIDE)
    dialogue.handle(Parse("HassTurnOn", (Slot("name", "bedside lamp", "bedside lamp"),), text="the bedside lamp"))
    assert dialogue.handle(Parse(None, text="the bedside one"))[0] is None


def test_short_words_tell_nothing_apart() -> None:
    home = Home(entities=(Entity("light.a", "Lámpara de pie"), Entity("light.b", "Lámpara noche")))
    dialogue = open_dialogue(home)
    dialogue.handle(Parse("HassTurnOn", (Slot("name", "lámpara", "lámpara"),), language="es", text="la lámpara"))
    assert dialogue.handle(Parse(None, language="es", text="la de arriba"))[0] is None


def test_volume_without_a_direction_is_not_asked_about(say: Talker) -> None:
    assert say("HassSetVolumeRelative", "turn it") == "Sorry, I couldn't understand that"
    assert not say.reply.expects_answer


def test_never_mind_ends_the_question(say: Talker) -> None:
    say("HassTurnOn", "turn on the lamp", name="Lamp")
    assert say("HassNevermind", "never mind") == ""
    assert say(None, "office") == "Sorry, I couldn't understand that"


def test_another_command_about_what_was_offered_is_no_answer(say: Talker) -> None:
    say("HassSetVolume", "set volume to 30 percent", volume_level=30)
    assert say.reply.expects_answer
    say("HassMediaPlayerMute", "mute the tv", name="TV")
    assert say.action is not None and say.action.intent == "HassMediaPlayerMute"
    say("HassSetVolume", "set volume to 30 percent", volume_level=30)
    say.confidence = 0.42
    say("HassMediaPlayerMute", "the tv", name="TV")
    assert say.attribute("media_player.tv", "volume_level") == 0.3


def test_answer_that_names_neither(say: Talker) -> None:
    say("HassTurnOn", "turn on the lamp", name="Lamp")
    assert say(None, "the purple one") == "Sorry, I couldn't understand that"
    assert say.state("light.office_lamp") == say.state("light.bedroom_lamp") == "off"


def test_late_answer_is_none(say: Talker) -> None:
    say("HassTurnOn", "turn on the lamp", name="Lamp")
    say.clock.advance(31)
    assert say(None, "office") == "Sorry, I couldn't understand that"


def test_area_settles_it(say: Talker) -> None:
    say("HassTurnOn", name="Lamp", area="Office")
    assert say.changed == {("light.office_lamp", "state"): "on"}


def test_the_room_settles_it(talker: Callable[..., Talker]) -> None:
    say = talker("bedroom")
    say("HassTurnOn", name="Lamp")
    assert say.changed == {("light.bedroom_lamp", "state"): "on"}


def test_command_that_names_no_device_asks_for_one(say: Talker) -> None:
    text = say("HassClimateSetTemperature", "set the temperature to 19", temperature=19)
    assert text == "Sorry, more than one device matched your request. Thermostat, Bedroom Thermostat?"
    assert say(None, "bedroom thermostat") == "Temperature set to 19 degrees"
    assert say.attribute("climate.bedroom", "temperature") == 19


def test_question_and_answer_in_another_language() -> None:
    home = Home(
        areas=(Area("k", "Küche"), Area("b", "Bad")),
        entities=(Entity("light.a", "Lampe", area_id="k"), Entity("light.b", "Lampe", area_id="b")),
    )
    dialogue = open_dialogue(home)
    _, question = dialogue.handle(Parse("HassTurnOn", (Slot("name", "Lampe", "Lampe"),), 1.0, "de", text="Lampe an"))
    assert question.expects_answer
    assert question.text.endswith("Küche, Bad?")
    action, reply = dialogue.handle(Parse(None, language="de", text="die in der küche"))
    assert action is not None
    assert action.targets == ("light.a",)
    assert reply.text == "Licht eingeschaltet"


def test_unspaced_answer() -> None:
    home = Home(
        areas=(Area("k", "厨房"), Area("b", "卧室")),
        entities=(Entity("light.a", "灯", area_id="k"), Entity("light.b", "灯", area_id="b")),
    )
    dialogue = open_dialogue(home)
    dialogue.handle(Parse("HassTurnOn", (Slot("name", "灯"),), 1.0, "zh-CN", text="打开灯"))
    action, _ = dialogue.handle(Parse(None, language="zh-CN", text="厨房的那个"))
    assert action is not None
    assert action.targets == ("light.a",)


def test_home_without_anything() -> None:
    dialogue = open_dialogue(Home())
    for intent in ("HassTurnOn", "HassGetState", "HassMediaPause", "HassVacuumStart", "HassGetWeather"):
        action, reply = dialogue.handle(Parse(intent, (Slot("domain", "light"),)))
        assert action is None
        assert reply.text.startswith("Sorry")
