"""Every skill on the demo home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from edge.dialogue.dialogue import open_dialogue
from edge.dialogue.language import supported_intents
from edge.dialogue.replies import Replies
from edge.dialogue.skills.table import skill_table
from edge.dialogue.targets import Targets
from edge.dialogue.toolbox import Toolbox
from edge.home.clock import SystemClock
from edge.home.demo import default_home
from edge.home.simulated import SimulatedHome
from edge.home.timers import Timers
from edge.types import Entity, Home, Parse, Slot

if TYPE_CHECKING:
    from conftest import Talker

MEANINGS = Path(__file__).parents[3] / "quantize" / "templates" / "meanings.yaml"
"""What the student is taught beside the package's sentences."""


def test_every_supported_intent_has_a_skill() -> None:
    home, clock = SimulatedHome(default_home()), SystemClock()
    table = skill_table(Toolbox(home, Replies(), Targets(home), Timers(clock), clock))
    assert set(supported_intents()) <= table.keys()
    meanings = yaml.safe_load(MEANINGS.read_text(encoding="utf-8"))["meanings"].values()
    assert {meaning["intent"] for meaning in meanings if meaning["intent"]} <= table.keys()


def test_alias_and_id_name_a_device(say: Talker) -> None:
    say("HassTurnOn", name="countertop")
    say("HassTurnOn", name="switch.coffee")
    assert say.state("light.kitchen_counter") == say.state("switch.coffee") == "on"


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
        ("cover.living_room_right", "current_position"): 100,
    }


def test_all_locks_of_the_home_and_those_of_an_area(talker: Callable[..., Talker]) -> None:
    say = talker("Kitchen")
    assert say("HassTurnOff", "unlock all doors", domain="lock") == "Unlock Front Door, Back Door?"
    assert say(None, "yes please") == "Unlocking"
    assert say.state("lock.front_door") == say.state("lock.back_door") == "unlocked"
    assert say("HassTurnOn", "lock the doors", domain="lock") == "Locking"
    assert say.state("lock.front_door") == say.state("lock.back_door") == "locked"
    assert say.state("cover.garage_door") == "closed"


def test_positions(say: Talker) -> None:
    assert say("HassSetPosition", name="Bedroom Blinds", position=40) == "Position set to 40 percent"
    assert say.attribute("cover.bedroom", "current_position") == 40
    assert say.state("cover.bedroom") == "open"
    say("HassSetPosition", name="Garden Valve", position=250)
    assert say.attribute("valve.garden", "current_position") == 100


def test_fan_speed(say: Talker) -> None:
    assert say("HassFanSetSpeed", name="Bedroom Fan", percentage=70) == "Speed set to 70 percent"
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


def test_media_transport_finds_the_player_that_plays(say: Talker) -> None:
    assert say("HassMediaUnpause") == "Resumed"
    assert say.state("media_player.kitchen") == "playing"
    assert say("HassMediaNext") == "Playing next"
    assert say.attribute("media_player.kitchen", "media_track") == 2
    assert say("HassMediaPrevious") == "Playing previous"
    assert say("HassMediaPause") == "Paused"
    assert say.state("media_player.kitchen") == "paused"


def test_volume(say: Talker) -> None:
    assert say("HassSetVolume", name="TV", volume_level=55) == "Volume set to 55 percent"
    say("HassSetVolumeRelative", name="TV", volume_step="up")
    assert say.attribute("media_player.tv", "volume_level") == 0.65
    say("HassSetVolumeRelative", name="TV", volume_step=-15)
    assert say.attribute("media_player.tv", "volume_level") == 0.5
    say("HassSetVolumeRelative", name="TV", volume_step=90)
    assert say.attribute("media_player.tv", "volume_level") == 1.0
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
    assert say.attribute("todo.shopping_list", "completed") == ["oat milk"]
    assert say("HassListCompleteItem", item="mow the lawn", name="Chores") == "Checked off mow the lawn"
    assert say("HassListRemoveItem", item="mow the lawn", name="Chores") == "Removed mow the lawn"
    assert say.attribute("todo.chores", "items") == say.attribute("todo.chores", "completed") == []


def test_what_is_on_the_list_is_not_added_twice(say: Talker) -> None:
    say("HassShoppingListAddItem", item="oat milk")
    assert say("HassShoppingListAddItem", item="Oat Milk") == "Added Oat Milk"
    assert say.attribute("todo.shopping_list", "items") == ["oat milk"]
    say("HassShoppingListCompleteItem", item="oat milk")
    say("HassShoppingListAddItem", item="oat milk")
    assert "oat milk" in (say.attribute("todo.shopping_list", "items") or ())


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
    assert say.attribute("vacuum.rover", "cleaning_area_id") == ["bedroom"]
    assert say("HassLawnMowerStartMowing", name="Shaun") == "Started"
    assert say.state("lawn_mower.shaun") == "mowing"
    assert say("HassLawnMowerDock", name="Shaun") == "Docking"


def test_clean_here(talker: Callable[..., Talker]) -> None:
    say = talker("Office")
    assert say("HassVacuumCleanArea", "clean here") == "Cleaning Office"


def test_coverings_of_windows_go_by_each_others_names() -> None:
    shutter = Entity("cover.left", "Left", state="open", attributes={"device_class": "shutter"})
    curtain = Entity("cover.right", "Right", state="open", attributes={"device_class": "curtain"})

    def closed(*entities: Entity) -> tuple[str, ...]:
        slots = (Slot("domain", "cover"), Slot("device_class", "blind"))
        action, _ = open_dialogue(Home(entities=entities)).handle(
            Parse("HassTurnOff", slots, 1.0, text="close the blinds")
        )
        return action.targets if action else ()

    blind = Entity("cover.blind", "Blind", state="open", attributes={"device_class": "blind"})
    assert closed(shutter, curtain) == ("cover.left",)
    assert closed(shutter, curtain, blind) == ("cover.blind",)
    assert closed(curtain) == ()


def test_talk(say: Talker) -> None:
    assert say("HassNevermind") == ""
    assert say("HassBroadcast", message="dinner is ready") == "Done"
    assert say.changed == {("assist_satellite", "message"): "dinner is ready"}
    assert say("HassRespond", "hello") == "Hello!"
    assert say("HassRespond", "who created you").startswith("I am an offline voice assistant")
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
