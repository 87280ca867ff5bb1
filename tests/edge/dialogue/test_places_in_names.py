"""Devices that bear in their name the place of which a command speaks."""

from __future__ import annotations

import pytest

from edge.dialogue.targets import Question, Refusal, Targets
from edge.home.clock import SystemClock
from edge.home.simulated import SimulatedHome
from edge.types import Area, Entity, Home, Parse, Slot

HALL = Area("hall", "Hall")


def targets(*entities: Entity) -> Targets:
    return Targets(SimulatedHome(Home((HALL,), (), entities), SystemClock()))


def asked(place: str, domain: str = "light") -> Parse:
    return Parse("HassTurnOn", (Slot("domain", domain), Slot("area", place, place)))


def test_the_lights_of_the_porch_are_the_porch_light() -> None:
    home = targets(Entity("light.a", "Porch Light"), Entity("light.b", "Hall Light"))
    found = home.find(asked("porches"), ("light",))
    assert [entity.id for entity in found] == ["light.a"]


def test_a_room_without_such_a_device_may_be_in_a_name() -> None:
    home = targets(Entity("light.a", "Hall Lamp"), Entity("fan.a", "Hall Fan", area_id="hall"))
    assert [entity.id for entity in home.find(asked("Hall"), ("light",))] == ["light.a"]


def test_a_word_that_tells_devices_apart_is_not_left_out() -> None:
    home = targets(Entity("light.a", "Living Room Lamp"), Entity("light.b", "Desk Lamp"))
    with pytest.raises(Refusal) as refused:
        home.find(asked("room"), ("light",))
    assert refused.value.key == "no_area"


def test_several_such_devices_are_asked_about() -> None:
    with pytest.raises(Question):
        targets(Entity("light.a", "Porch Light"), Entity("light.b", "Porch Lamp")).find(asked("porch"), ("light",))


def test_another_kind_of_device_is_never_meant() -> None:
    with pytest.raises(Refusal):
        targets(Entity("switch.a", "Porch Heater")).find(asked("porch"), ("light",))
