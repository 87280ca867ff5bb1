"""Questions about what devices are set to, lists read aloud, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.dialogue.language import installed_languages

if TYPE_CHECKING:
    from conftest import Talker

LANGUAGES = installed_languages()


@pytest.mark.parametrize(
    ("language", "slots", "reply"),
    [
        ("en", {"what": "brightness", "name": "Floor Lamp"}, "Floor Lamp is at 60 percent"),
        ("en", {"what": "color", "name": "Floor Lamp"}, "Floor Lamp is white"),
        ("de", {"what": "color", "name": "Floor Lamp"}, "Floor Lamp leuchtet weiß"),
        ("en", {"what": "brightness", "name": "Kitchen Light"}, "Kitchen light is off"),
        ("en", {"what": "volume", "name": "Kitchen Radio"}, "Kitchen Radio is at 30 percent"),
        ("en", {"what": "volume", "name": "TV"}, "Tv is off"),
        ("en", {"what": "position", "name": "Left Curtain"}, "Left Curtain is 100 percent open"),
        ("en", {"what": "speed", "name": "Ceiling Fan"}, "Ceiling Fan runs at 0 percent"),
        ("en", {"what": "target", "area": "Living Room"}, "Thermostat is set to 21 degrees"),
        ("en", {"what": "humidity"}, "Bathroom Humidity: 58 percent"),
        ("ko", {"what": "volume", "name": "Kitchen Radio"}, "30 %"),
    ],
)
def test_what_it_is_set_to(say: Talker, language: str, slots: dict[str, str], reply: str) -> None:
    assert say("EdgeGetAttribute", language=language, **slots) == reply
    assert say.changed == {}


def test_what_is_playing(say: Talker) -> None:
    say.home.set_state("media_player.kitchen", "playing", {"media_title": "Hey Jude", "media_artist": "The Beatles"})
    assert say("EdgeGetAttribute", what="title") == "Kitchen Radio is playing Hey Jude, The Beatles"
    assert say("EdgeGetAttribute", what="title", name="TV") == "Tv is off"
    say.home.set_state("media_player.kitchen", "standby")
    assert say("EdgeGetAttribute", what="title", name="Radio") == "Kitchen Radio: Hey Jude, The Beatles"


def test_lists_are_read_and_counted(say: Talker) -> None:
    assert say("EdgeListItems", name="Shopping List") == "Shopping List is empty"
    for item in ("milk", "eggs", "bread"):
        say("HassShoppingListAddItem", item=item)
    say("HassShoppingListCompleteItem", item="eggs")
    assert say("EdgeListItems", name="Shopping List") == "On Shopping List: milk and bread"
    assert say("EdgeCountItems") == say("EdgeCountItems", name="Shopping List") == "Shopping List has 2 items"
    assert say("EdgeListItems", name="Shopping List", language="de") == "Auf Shopping List: milk und bread"
    assert say("EdgeListItems", name="Shopping List", language="ko") == "milk, bread"


def test_what_can_be_done_names_a_device_of_the_home(say: Talker) -> None:
    assert say("EdgeWhatCanYouDo").endswith("Say, for example: turn on Kitchen Light.")
    assert say("HassRespond", "what can I say") == say("EdgeWhatCanYouDo")
    assert say("EdgeWhatCanYouDo", language="fr").endswith("allume Kitchen Light.")


def test_nothing_that_is_said_leaves_the_device(say: Talker) -> None:
    assert "stays on this device" in say("HassRespond", "where does my data go")


def test_what_no_home_does_is_refused(say: Talker) -> None:
    assert say("EdgeUnsupported") == "Sorry, I can't do that"
    assert say("EdgeUnsupported", language="de") == "Das kann ich leider nicht"
    assert say.reply.refused and say.action is None


@pytest.mark.parametrize(
    ("text", "state", "reply"),
    [
        ("is anything open", "open", "Yes, Bedroom Window and Left Curtain"),
        ("is anything unlocked", "unlocked", "Yes, Back Door"),
        ("is anything playing", "playing", "No"),
    ],
)
def test_is_anything_in_a_state(say: Talker, text: str, state: str, reply: str) -> None:
    assert say("HassGetState", text, state=state) == reply


def test_what_is_on_is_about_appliances(say: Talker) -> None:
    say.home.set_state("media_player.tv", "playing")
    say.home.set_state("binary_sensor.office", "on")
    said = say("HassGetState", "which are on in the living room", state="on", area="Living Room")
    assert said == "Floor Lamp, Thermostat and TV"
    assert "Motion" not in say("HassGetState", "which are on in the office", state="on", area="Office")


@pytest.mark.parametrize(
    ("entity_id", "before", "asked", "reply"),
    [
        ("media_player.tv", "playing", {"name": "TV", "state": "on"}, "Tv is playing"),
        ("media_player.tv", "off", {"name": "TV", "state": "on"}, "No, off"),
        ("vacuum.rover", "cleaning", {"name": "Rover", "state": "on"}, "Rover is cleaning"),
        ("climate.bedroom", "cool", {"name": "Bedroom Thermostat", "state": "on"}, "Yes, in cooling mode"),
        ("cover.bedroom", "opening", {"name": "Bedroom Blinds", "state": "open"}, "Bedroom blinds is opening"),
        ("light.kitchen", "on", {"name": "Kitchen Light", "state": "shining"}, "Kitchen light is on"),
        ("light.kitchen", "off", {"name": "Kitchen Light", "area": "standby"}, "Kitchen light is off"),
    ],
)
def test_states_that_people_call_otherwise(
    say: Talker, entity_id: str, before: str, asked: dict[str, str], reply: str
) -> None:
    say.home.set_state(entity_id, before)
    assert say("HassGetState", "is it so", **asked) == reply


@pytest.mark.parametrize(
    ("language", "entity_id", "state", "reply"),
    [
        ("de", "vacuum.rover", "returning", "Rover ist auf dem Weg zur Station"),
        ("fr", "lock.front_door", "locked", "Front door est verrouillé"),
        ("sv", "media_player.tv", "paused", "Tv är pausad"),
        ("en", "climate.bedroom", "cool", "Bedroom thermostat is in cooling mode"),
    ],
)
def test_states_are_said_in_the_language(say: Talker, language: str, entity_id: str, state: str, reply: str) -> None:
    say.home.set_state(entity_id, state)
    text = "what is it doing"
    assert say("HassGetState", text, language, name=say.device(entity_id).name) == reply


def test_a_state_is_asked_by_the_word_of_the_language(say: Talker) -> None:
    say.home.set_state("media_player.tv", "paused")
    assert say("HassGetState", "ist der Fernseher pausiert", "de", name="TV", state="pausiert") == "Ja, pausiert"


@pytest.mark.parametrize(
    ("language", "entity_id", "state", "reply"),
    [
        ("tr", "light.kitchen", "on", "Kitchen Light: açık"),
        ("et", "binary_sensor.kitchen_window", "on", "Kitchen Window: lahti"),
        ("id", "lock.front_door", "unlocked", "Front Door: tidak terkunci"),
        ("ja", "cover.bedroom", "closed", "Bedroom Blinds: 閉まっています"),
    ],
)
def test_states_are_said_in_languages_of_which_the_package_has_no_words(
    say: Talker, language: str, entity_id: str, state: str, reply: str
) -> None:
    say.home.set_state(entity_id, state)
    assert say("HassGetState", "?", language, name=say.device(entity_id).name, state=state) == reply


def test_every_language_tells_the_temperature_of_a_thermostat(say: Talker) -> None:
    told = {language: say("HassClimateGetTemperature", "?", language, area="Bedroom") for language in LANGUAGES}
    assert {language: text for language, text in told.items() if "18" not in text} == {}


def test_a_czech_timer_of_ten_minutes_tells_the_number(say: Talker) -> None:
    say("HassStartTimer", minutes=10)
    assert say("HassTimerStatus", "kolik zbývá", "cs") == "zbývá 10 min"
