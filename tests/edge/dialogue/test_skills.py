"""Every skill on the demo home."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.dialogue.dialogue import open_dialogue, skill_table
from edge.dialogue.language import supported_intents
from edge.dialogue.replies import Replies
from edge.dialogue.state import SimulatedHome
from edge.dialogue.targets import Targets
from edge.dialogue.toolbox import Toolbox
from edge.errors import ConfigError
from edge.home import default_home
from edge.types import Entity, Home, Parse, Slot

if TYPE_CHECKING:
    from conftest import Talker

INTENTS_WITHOUT_SKILL: dict[str, str] = {}


def test_every_supported_intent_has_a_skill() -> None:
    home = SimulatedHome(default_home())
    table = skill_table(Toolbox(home, Replies(), Targets(home)))
    assert set(supported_intents()) - INTENTS_WITHOUT_SKILL.keys() == table.keys()


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


def test_alias_and_id_name_a_device(say: Talker) -> None:
    say("HassTurnOn", name="countertop")
    say("HassTurnOn", name="switch.coffee")
    assert say.state("light.kitchen_counter") == say.state("switch.coffee") == "on"


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


@pytest.mark.parametrize(
    ("intent", "name", "entity_id", "state", "reply"),
    [
        ("HassTurnOn", "Garage Door", "cover.garage_door", "open", "Opening"),
        ("HassTurnOff", "Left Curtain", "cover.living_room_left", "closed", "Closing"),
        ("HassTurnOn", "Back Door", "lock.back_door", "locked", "Locking"),
        ("HassTurnOff", "Front Door", "lock.front_door", "unlocked", "Unlocking"),
        ("HassTurnOn", "Sprinkler", "valve.garden", "open", "Opening"),
        ("HassTurnOn", "TV", "media_player.tv", "on", "Turned on the media player"),
        ("HassTurnOn", "Good Night", "script.good_night", "on", "Started"),
        ("HassTurnOff", "Bedroom Thermostat", "climate.bedroom", "off", "Turned off the thermostat"),
        ("HassTurnOff", "Morning Routine", "automation.morning", "off", "Turned off the automation"),
        ("HassTurnOn", "Ceiling Fan", "fan.ceiling", "on", "Turned on the fan"),
    ],
)
def test_switching(say: Talker, intent: str, name: str, entity_id: str, state: str, reply: str) -> None:
    assert say(intent, name=name) == reply
    assert say.state(entity_id) == state


def test_scene_and_button_note_the_moment(say: Talker) -> None:
    assert say("HassTurnOn", name="Movie Night") == "Activated"
    assert say.state("scene.movie") == "2026-03-14T15:09:26+00:00"
    say("HassTurnOn", name="Doorbell")
    assert say.state("button.doorbell").startswith("2026-03-14")


def test_curtains_by_device_class(say: Talker) -> None:
    assert say("HassTurnOn", area="Living Room", domain="cover", device_class="curtain") == "Opening the curtain"
    assert say.changed == {
        ("cover.living_room_right", "state"): "open",
        ("cover.living_room_right", "position"): 100,
    }


def test_whether_something_is_in_what_is_no_state_is_not_answered(say: Talker) -> None:
    say("HassTurnOn", name="Kitchen Light")
    assert say("HassGetState", "is the kitchen light off", name="Kitchen Light", state="off").startswith("No")
    assert say("HassGetState", "is the kitchen light fond", name="Kitchen Light", state="fond").startswith("Sorry")
    text = "habe ich die Lichter brennen lassen"
    assert say("HassGetState", text, "de", domain="light", state="brennen") == Replies().error("de", "no_intent")


def test_all_locks_of_the_home_and_those_of_an_area(talker: Callable[..., Talker]) -> None:
    say = talker("Kitchen")
    assert say("HassTurnOff", "unlock all doors", domain="lock") == "Unlocking"
    assert say.state("lock.front_door") == say.state("lock.back_door") == "unlocked"
    assert say("HassTurnOn", "lock the doors", domain="lock") == "Locking"
    assert say.state("lock.front_door") == say.state("lock.back_door") == "locked"
    assert say.state("cover.garage_door") == "closed"


@pytest.mark.parametrize(
    ("before", "step", "after"), [(30, "up", 50), (90, "up", 100), (60, "down", 40), (10, "down", 5)]
)
def test_brighter_and_darker(say: Talker, before: int, step: str, after: int) -> None:
    say("HassLightSet", name="Floor Lamp", brightness=before)
    assert say("HassLightSet", name="Floor Lamp", brightness_step=step) == "Brightness set"
    assert say.attribute("light.floor_lamp", "brightness") == after


def test_a_brightness_that_is_no_number_changes_nothing(say: Talker) -> None:
    reply = say("HassLightSet", "dim the floor lamp halfway", name="Floor Lamp", brightness="halfway")
    assert reply.startswith("Sorry") and say.changed == {}


def test_brighter_and_darker_change_the_lights_that_are_on(say: Talker) -> None:
    say("HassLightSet", name="Kitchen Light", brightness=50)
    say("HassTurnOff", name="Counter Light")
    say("HassLightSet", "make the kitchen brighter", area="Kitchen", domain="light", brightness_step="up")
    assert say.changed == {("light.kitchen", "brightness"): 70}
    say("HassTurnOff", "turn off the kitchen lights", area="Kitchen", domain="light")
    reply = say("HassLightSet", "dim the kitchen", area="Kitchen", domain="light", brightness_step="down")
    assert reply == "Sorry, no device is on"
    say("HassLightSet", "make the kitchen brighter", area="Kitchen", domain="light", brightness_step="up")
    assert say.state("light.kitchen") == say.state("light.kitchen_counter") == "on"
    assert say.attribute("light.kitchen", "brightness") == 20


def test_a_reply_that_tells_the_brightness_tells_the_new_one(say: Talker) -> None:
    say("HassLightSet", name="Floor Lamp", brightness=30)
    text = "alza la luminosità di Floor Lamp"
    said = say("HassLightSet", text, name="Floor Lamp", brightness_step="up", language="it")
    assert said == "Ho impostato la luminosità di Floor Lamp al 50"


def test_light_settings(say: Talker) -> None:
    assert say("HassLightSet", name="Floor Lamp", brightness=30) == "Brightness set"
    assert say.attribute("light.floor_lamp", "brightness") == 30
    assert say("HassLightSet", area="Kitchen", color="red") == "Color set"
    assert say.attribute("light.kitchen", "color") == "red"
    assert say.state("light.kitchen") == "on"
    assert say("HassLightSet", area="Kitchen", temperature=2700) == "Color temperature set"
    assert say.attribute("light.kitchen_counter", "color_temp_kelvin") == 2700
    say("HassLightSet", name="Floor Lamp", brightness=0)
    assert say.state("light.floor_lamp") == "off"


def test_positions(say: Talker) -> None:
    assert say("HassSetPosition", name="Bedroom Blinds", position=40) == "Position set"
    assert say.attribute("cover.bedroom", "position") == 40
    assert say.state("cover.bedroom") == "open"
    say("HassSetPosition", name="Garden Valve", position=250)
    assert say.attribute("valve.garden", "position") == 100


def test_fan_speed(say: Talker) -> None:
    assert say("HassFanSetSpeed", name="Bedroom Fan", percentage=70) == "Speed set"
    assert (say.state("fan.bedroom"), say.attribute("fan.bedroom", "percentage")) == ("on", 70)
    say("HassFanSetSpeed", name="Bedroom Fan", percentage=0)
    assert say.state("fan.bedroom") == "off"


def test_climate(say: Talker) -> None:
    assert say("HassClimateGetTemperature", area="Living Room") == "20.5 degrees"
    assert say("HassClimateGetTemperature", area="Garden") == "12.5 degrees"
    assert say("HassClimateSetTemperature", name="Thermostat", temperature=22) == "Temperature set to 22 degrees"
    assert say.attribute("climate.living_room", "temperature") == 22
    assert say("HassClimateSetFanMode", area="Bedroom", fan_mode="high") == "Fan mode set to high"
    assert say.attribute("climate.bedroom", "fan_mode") == "high"


def test_temperature_where_nothing_measures_it(say: Talker) -> None:
    say("HassClimateGetTemperature", area="Garage")
    assert say.action is None


def test_media_transport_finds_the_player_that_plays(say: Talker) -> None:
    assert say("HassMediaUnpause") == "Resumed"
    assert say.state("media_player.kitchen") == "playing"
    assert say("HassMediaNext") == "Playing next"
    assert say.attribute("media_player.kitchen", "media_track") == 2
    assert say("HassMediaPrevious") == "Playing previous"
    assert say("HassMediaPause") == "Paused"
    assert say.state("media_player.kitchen") == "paused"


def test_volume(say: Talker) -> None:
    assert say("HassSetVolume", name="TV", volume_level=55) == "Volume set"
    say("HassSetVolumeRelative", name="TV", volume_step="up")
    assert say.attribute("media_player.tv", "volume_level") == 65
    say("HassSetVolumeRelative", name="TV", volume_step=-15)
    assert say.attribute("media_player.tv", "volume_level") == 50
    say("HassSetVolumeRelative", name="TV", volume_step=90)
    assert say.attribute("media_player.tv", "volume_level") == 100
    assert say("HassMediaPlayerMute", name="TV") == "Muted"
    assert say.attribute("media_player.tv", "is_volume_muted") is True
    assert say("HassMediaPlayerUnmute", name="TV") == "Unmuted"


def test_search_and_play(say: Talker) -> None:
    reply = say("HassMediaSearchAndPlay", search_query="Bohemian Rhapsody", media_class="track", area="Kitchen")
    assert reply == "Playing media"
    assert say.attribute("media_player.kitchen", "media_title") == "Bohemian Rhapsody"
    assert say.state("media_player.kitchen") == "playing"


def test_lists(say: Talker) -> None:
    assert say("HassShoppingListAddItem", item="oat milk") == "Added oat milk"
    assert say("HassListAddItem", item="mow the lawn", name="Chores") == "Added mow the lawn"
    assert say("HassShoppingListCompleteItem", item="Oat Milk") == "Checked off Oat Milk"
    assert [(item.text, item.done) for item in say.dialogue.state.lists["todo.shopping_list"]] == [("oat milk", True)]
    assert say("HassListCompleteItem", item="mow the lawn", name="Chores") == "Checked off mow the lawn"
    assert say("HassListRemoveItem", item="mow the lawn", name="Chores") == "Removed mow the lawn"
    assert say.dialogue.state.lists["todo.chores"] == []


def test_item_or_list_that_is_not_there(say: Talker) -> None:
    assert "caviar" in say("HassListRemoveItem", item="caviar", name="Chores")
    assert say.action is None
    assert "Wishes" in say("HassListAddItem", item="pony", name="Wishes")
    assert say.action is None


def test_vacuum_and_mower(say: Talker) -> None:
    assert say("HassVacuumStart", name="Rover") == "Started"
    assert say.state("vacuum.rover") == "cleaning"
    assert say("HassVacuumReturnToBase") == "Returning"
    assert say("HassVacuumCleanArea", area="Bedroom") == "Cleaning Bedroom"
    assert say.attribute("vacuum.rover", "place") == "Bedroom"
    assert say("HassLawnMowerStartMowing", name="Shaun") == "Started"
    assert say.state("lawn_mower.shaun") == "mowing"
    assert say("HassLawnMowerDock", name="Shaun") == "Docking"


def test_clean_here(talker: Callable[..., Talker]) -> None:
    say = talker("Office")
    assert say("HassVacuumCleanArea", "clean here") == "Cleaning Office"


def test_time_and_date(say: Talker) -> None:
    assert say("HassGetCurrentTime") == "3:09 PM"
    assert say("HassGetCurrentDate") == "March 14th, 2026"
    assert "14. März" in say("HassGetCurrentDate", language="de")


def test_state_of_one_device(say: Talker) -> None:
    assert say("HassGetState", "what is the outside temperature", name="Outside Temperature") == (
        "Outside temperature is 12.5 °C"
    )
    assert say("HassGetState", "is the front door locked", name="Front Door", state="locked") == "Yes"
    assert say("HassGetState", "is the front door unlocked", name="Front Door", state="unlocked") == "No, locked"
    assert say("HassGetState", "where is Ben", name="Ben") == "Ben is away"


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("are any lights on", "Yes, Floor Lamp and Kitchen Light"),
        ("are all lights on", "No, Bathroom Light, Counter Light, Garage Light and 5 more are not on"),
        ("which lights are on", "Floor Lamp and Kitchen Light"),
        ("how many lights are on", "2"),
    ],
)
def test_questions_about_several_devices(say: Talker, text: str, reply: str) -> None:
    say("HassTurnOn", name="Kitchen Light")
    assert say("HassGetState", text, domain="light", state="on") == reply


def test_question_about_an_area_without_such_devices(say: Talker) -> None:
    assert say("HassGetState", "are any lights on in the hall", domain="light", state="on", area="Hall") == "No"
    assert say("HassGetState", "are any fans on in the hall", domain="fan", state="on", area="Hall") == "No"


@pytest.mark.parametrize(
    ("text", "state", "reply"),
    [
        ("is a window open", "open", "Yes, Bedroom Window"),
        ("are all windows closed", "closed", "No, Bedroom Window is not closed"),
        ("which windows are closed", "closed", "Kitchen Window"),
    ],
)
def test_windows_with_a_contact_sensor(say: Talker, text: str, state: str, reply: str) -> None:
    assert say("HassGetState", text, domain="cover", device_class="window", state=state) == reply


@pytest.mark.parametrize(
    ("language", "reply"), [("en", "No, closed"), ("de", "Nein, geschlossen"), ("ru", "Нет, закрыто")]
)
def test_a_contact_sensor_is_open_or_closed_in_words(say: Talker, language: str, reply: str) -> None:
    assert say("HassGetState", "?", language, name="Kitchen Window", state="on") == reply


def test_window_that_opens_by_itself_and_one_with_a_contact_sensor() -> None:
    window: dict[str, object] = {"device_class": "window"}
    skylight = Entity("cover.skylight", "Skylight", state="open", attributes=window)
    contact = Entity("binary_sensor.kitchen", "Kitchen Window", state="on", attributes=window)
    slots = (Slot("domain", "cover"), Slot("device_class", "window"), Slot("state", "open"))
    parse = Parse("HassGetState", slots, text="how many windows are open")
    assert open_dialogue(Home(entities=(skylight, contact))).handle(parse)[1].text == "2"


def test_garage_with_a_contact_sensor() -> None:
    sensor = Entity("binary_sensor.garage", "Gate Sensor", state="on", attributes={"device_class": "garage_door"})
    slots = (Slot("domain", "cover"), Slot("device_class", "garage", "garage door"), Slot("state", "open"))
    parse = Parse("HassGetState", slots, text="is the garage door open")
    assert open_dialogue(Home(entities=(sensor,))).handle(parse)[1].text == "Yes, Gate Sensor"


def test_coverings_of_windows_go_by_each_others_names() -> None:
    shutter = Entity("cover.left", "Left", state="open", attributes={"device_class": "shutter"})
    curtain = Entity("cover.right", "Right", state="open", attributes={"device_class": "curtain"})

    def closed(*entities: Entity) -> tuple[str, ...]:
        slots = (Slot("domain", "cover"), Slot("device_class", "blind"))
        action, _ = open_dialogue(Home(entities=entities)).handle(Parse("HassTurnOff", slots, text="close the blinds"))
        return action.targets if action else ()

    blind = Entity("cover.blind", "Blind", state="open", attributes={"device_class": "blind"})
    assert closed(shutter, curtain) == ("cover.left",)
    assert closed(shutter, curtain, blind) == ("cover.blind",)
    assert closed(curtain) == ()


def test_all_of_none_is_not_yes(say: Talker) -> None:
    slots = {"domain": "cover", "device_class": "window", "state": "closed", "area": "Garage"}
    reply = say("HassGetState", "are all windows closed in the garage", **slots)
    assert reply == "Sorry, I am not aware of any window in the Garage area"
    assert say("HassGetState", "is a window closed in the garage", **slots) == "No"


def test_weather_of_the_home(say: Talker) -> None:
    assert say("HassGetWeather") == "18 °C and partly cloudy"
    assert say("HassGetWeather", language="de") == "18 Grad und teilweise bewölkt"


@pytest.mark.parametrize("name", ["weather.json", "weather.toml"])
def test_weather_from_a_file(talker: Callable[..., Talker], tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    toml = 'condition = "rainy"\ntemperature = 7.5\n'
    path.write_text(toml if name.endswith("toml") else json.dumps({"condition": "rainy", "temperature": 7.5}))
    assert talker(weather_path=path)("HassGetWeather") == "7.5 °C and raining"


def test_weather_file_is_missing_or_wrong(talker: Callable[..., Talker], tmp_path: Path) -> None:
    path = tmp_path / "weather.json"
    say = talker(weather_path=path)
    with pytest.raises(ConfigError, match="no weather file"):
        say("HassGetWeather")
    path.write_text('{"condition": "rainy", "temperatur": 7}')
    with pytest.raises(ConfigError, match="temperatur"):
        say("HassGetWeather")
    assert say("HassGetCurrentTime") == "3:09 PM"


def test_talk(say: Talker) -> None:
    assert say("HassNevermind") == ""
    assert say("HassBroadcast", message="dinner is ready") == "Done"
    assert say.changed == {("broadcast", "message"): "dinner is ready"}
    assert say("HassRespond", "hello") == "Hello from Home Assistant."
    assert say("HassRespond", "who created you").startswith("I was created")
    assert say("HassRespond", response="Certainly") == "Certainly"


@pytest.mark.parametrize(
    ("intent", "slots", "reply"),
    [
        (None, {}, "Sorry, I couldn't understand that"),
        ("OrderPizza", {}, "Sorry, I couldn't understand that"),
        ("HassLightSet", {"name": "Floor Lamp"}, "Sorry, I couldn't understand that"),
        ("HassSetPosition", {"name": "Garage Door", "position": "wide"}, "Sorry, I couldn't understand that"),
        ("HassTurnOn", {"name": "Flux Capacitor"}, "Sorry, I am not aware of any device called Flux Capacitor"),
        ("HassTurnOn", {"area": "Attic", "domain": "light"}, "Sorry, I am not aware of any area called Attic"),
        ("HassTurnOn", {"floor": "Roof", "domain": "light"}, "Sorry, I am not aware of any floor called Roof"),
        ("HassTurnOn", {"domain": "siren"}, "Sorry, I am not aware of any siren"),
        ("HassTurnOn", {"name": "Phone Battery"}, "Sorry, no device supports the required features"),
        (
            "HassTurnOn",
            {"name": "TV", "area": "Kitchen"},
            "Sorry, I am not aware of any device called TV in the Kitchen area",
        ),
        (
            "HassTurnOn",
            {"area": "Hall", "domain": "cover", "device_class": "blind"},
            "Sorry, I am not aware of any blind in the Hall area",
        ),
        ("HassCancelTimer", {}, "Sorry, I couldn't find that timer"),
    ],
)
def test_refusals(say: Talker, intent: str | None, slots: dict[str, str], reply: str) -> None:
    assert say(intent, **slots) == reply
    assert say.action is None


def test_refusals_in_other_languages(say: Talker) -> None:
    assert say(None, language="de") == "Entschuldigung, das habe ich nicht verstanden"
    assert "Dachboden" in say("HassTurnOn", language="de", area="Dachboden", domain="light")
    assert say(None, language="ko") != say(None, language="en")
