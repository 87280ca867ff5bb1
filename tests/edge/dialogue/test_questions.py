"""Questions about the demo home: states, sensors, time, weather."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.dialogue.dialogue import Dialogue, open_dialogue
from edge.dialogue.replies import Replies
from edge.errors import ConfigError
from edge.types import Area, Entity, Home, Parse, Slot
from tests.edge.conftest import parse_of

if TYPE_CHECKING:
    from conftest import Talker


def test_whether_something_is_in_what_is_no_state_is_answered_with_its_state(say: Talker) -> None:
    say("HassTurnOn", name="Kitchen Light")
    assert say("HassGetState", "is the kitchen light off", name="Kitchen Light", state="off").startswith("No")
    assert say("HassGetState", "is the kitchen light fond", name="Kitchen Light", state="fond") == "Kitchen light is on"
    text = "habe ich die Lichter brennen lassen"
    assert say("HassGetState", text, "de", domain="light", state="brennen") == Replies().error("de", "no_intent")


def test_temperature_where_nothing_measures_it(say: Talker) -> None:
    say("HassClimateGetTemperature", area="Garage")
    assert say.action is None


def test_time_and_date(say: Talker) -> None:
    assert say("HassGetCurrentTime") == "3:09 PM"
    assert say("HassGetCurrentDate") == "March 14th, 2026"
    assert "14. März" in say("HassGetCurrentDate", language="de")


def test_state_of_one_device(say: Talker) -> None:
    assert say("HassGetState", "what is the outside temperature", name="Outside Temperature") == (
        "Outside temperature is 12.5 °C"
    )
    assert say("HassGetState", "is the front door locked", name="Front Door", state="locked") == "Yes, locked"
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


def lamps(*rooms: str | None) -> Dialogue:
    """A home with lamps of one name in these rooms."""
    areas = tuple(Area(room.lower(), room) for room in dict.fromkeys(rooms) if room is not None)
    devices = tuple(
        Entity(f"light.l{number}", "Desk Lamp", area_id=room and room.lower(), state="off")
        for number, room in enumerate(rooms)
    )
    return open_dialogue(Home(areas, (), devices))


def answered(dialogue: Dialogue, answer: str) -> list[str]:
    """Lamps that are on after "turn on the desk lamp" and ``answer``."""
    _, reply = dialogue.handle(parse_of("HassTurnOn", "turn on the desk lamp", name="Desk Lamp"))
    assert reply.expects_answer
    dialogue.handle(parse_of(None, answer))
    return [entity.id for entity in dialogue.home.snapshot().entities if entity.state == "on"]


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [("office", "light.l0"), ("the desk lamp", "light.l1"), ("the desk lamp in the office", "light.l0"), ("hm", None)],
)
def test_one_of_two_devices_of_a_name_has_no_room(answer: str, chosen: str | None) -> None:
    assert answered(lamps("Office", None), answer) == ([chosen] if chosen else [])


@pytest.mark.parametrize("rooms", [(None, None), ("Office", "Office"), ("Office", "Office", "Office")])
def test_what_no_answer_can_tell_apart_is_not_asked(rooms: tuple[str | None, ...]) -> None:
    dialogue = lamps(*rooms)
    action, reply = dialogue.handle(parse_of("HassTurnOn", "turn on the desk lamp", name="Desk Lamp"))
    assert action is None
    assert not reply.expects_answer
    assert reply.refused
    assert "Desk Lamp" in reply.text


def test_an_answer_that_fits_two_devices_chooses_none() -> None:
    assert answered(lamps("Office", "Office", "Hall"), "office") == []
    assert answered(lamps("Office", "Office", "Hall"), "hall") == ["light.l2"]
