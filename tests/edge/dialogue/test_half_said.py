"""Commands that do not say enough, or that nothing can do: nothing changes that was not meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Talker


@pytest.mark.parametrize("intent", ["HassTurnOn", "HassTurnOff"])
def test_what_names_nothing_switches_nothing(talker: Callable[..., Talker], intent: str) -> None:
    say = talker("kitchen")
    assert say(intent, "lock up") == "Sorry, I couldn't understand that"
    assert say.action is None


def test_a_position_alone_moves_nothing(talker: Callable[..., Talker]) -> None:
    say = talker()
    assert say("HassSetPosition", "half", position=50) == "Sorry, I couldn't understand that"
    assert say.action is None
    assert say("HassSetPosition", "the living room half", area="Living Room", position=50) == (
        "Sorry, I couldn't understand that"
    )
    assert say.action is None


def test_a_timer_of_no_length_is_not_understood(talker: Callable[..., Talker]) -> None:
    say = talker()
    say("HassStartTimer", hours=1)
    assert say("HassCancelTimer", "cancel my an hour timer", start_hours="an") == "Sorry, I couldn't understand that"
    say("HassCancelTimer", "cancel my one hour timer", start_hours=1)
    assert say.action is not None


def test_a_place_alone_means_its_lights(talker: Callable[..., Talker]) -> None:
    say = talker()
    assert say("HassTurnOn", "kitchen on", area="Kitchen") == "Turned on the lights"
    assert say.changed == {("light.kitchen", "state"): "on", ("light.kitchen_counter", "state"): "on"}
    say("HassTurnOff", "kitchen off", area="Kitchen")
    assert {name for name, _ in say.changed} == {"light.kitchen", "light.kitchen_counter"}


def test_a_target_that_no_thermostat_reaches_is_not_set(talker: Callable[..., Talker]) -> None:
    say = talker()
    assert say("HassClimateSetTemperature", "turn the heat up two degrees", name="Thermostat", temperature=2) == (
        "Sorry, I couldn't understand that"
    )
    assert say.attribute("climate.living_room", "temperature") == 21
    say.home.set_state("climate.living_room", attributes={"max_temp": 25})
    say("HassClimateSetTemperature", name="Thermostat", temperature=26)
    assert say.attribute("climate.living_room", "temperature") == 21
    say("HassClimateSetTemperature", name="Thermostat", temperature=25)
    assert say.attribute("climate.living_room", "temperature") == 25


@pytest.mark.parametrize(
    ("intent", "name", "entity_id"),
    [("HassTurnOn", "Garage Door", "cover.garage_door"), ("HassTurnOff", "Front Door", "lock.front_door")],
)
def test_the_house_is_not_opened_on_a_guess(say: Talker, intent: str, name: str, entity_id: str) -> None:
    before, say.confidence = say.state(entity_id), 0.73
    assert say(intent, f"the {name}", name=name).endswith(f"{name}?")
    assert say.action is None and say.state(entity_id) == before
    say.confidence = 0.4
    assert say(intent, f"the {name}", name=name) == "Sorry, I couldn't understand that"
    assert say.action is None and say.state(entity_id) == before
    say.confidence = 0.99
    say(intent, f"open the {name}", name=name)
    assert say.state(entity_id) != before


def test_a_guess_closes_locks_and_switches_what_is_harmless(say: Talker) -> None:
    say("HassTurnOn", name="Garage Door")
    say.confidence = 0.6
    say("HassTurnOff", "the garage door", name="Garage Door")
    assert say.state("cover.garage_door") == "closed"
    assert say("HassTurnOn", "the front door", name="Front Door") == "Locking"
    say("HassTurnOn", "kitchen lights", name="Kitchen Light")
    assert say.state("light.kitchen") == "on"
