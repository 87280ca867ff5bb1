"""What a real Home Assistant says of its home: names, rooms, exposure and states, while they change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.home.home_assistant.home import HomeAssistant
from edge.types import Entity
from tests.edge.home.home_assistant.conftest import DESK, KITCHEN, connected
from tests.edge.home.waiting import eventually
from tests.testbed.fixtures import config_folder
from tests.testbed.home_assistant import Administrator, HomeAssistantServer
from tests.testbed.namespace import Namespace


def the(home: HomeAssistant, entity_id: str) -> Entity:
    found = home.snapshot().entity(entity_id)
    assert found is not None
    return found


@pytest.fixture
def desk(administrator: Administrator) -> Iterator[Administrator]:
    """The administrator, who takes back what was done to the desk lamp."""
    yield administrator
    administrator.ask("config/entity_registry/update", entity_id=DESK, name=None, area_id=None, aliases=[None])


def test_rooms_floors_aliases_and_labels_arrive_while_running(home: HomeAssistant, desk: Administrator) -> None:
    before = home.snapshot().names_version
    floor = desk.ask("config/floor_registry/create", name="Upstairs", level=1, aliases=["first floor"])
    area = desk.ask("config/area_registry/create", name="Study", floor_id=floor["floor_id"], aliases=["den"])
    label = desk.ask("config/label_registry/create", name="Evening")
    desk.ask(
        "config/entity_registry/update",
        entity_id=DESK,
        area_id=area["area_id"],
        name="Desk lamp",
        aliases=[None, "work light"],
        labels=[label["label_id"]],
    )
    eventually(lambda: "work light" in the(home, DESK).aliases)
    lamp = the(home, DESK)
    assert lamp.area_id == area["area_id"]
    assert "Desk lamp" in (lamp.name, *lamp.aliases)
    assert lamp.attributes["labels"] == ("Evening",)
    state = home.snapshot()
    assert [(own.name, own.aliases, own.floor_id) for own in state.areas if own.id == area["area_id"]] == [
        ("Study", ("den",), floor["floor_id"])
    ]
    assert [(own.name, own.aliases) for own in state.floors] == [("Upstairs", ("first floor",))]
    assert state.names_version > before
    desk.ask("config/area_registry/delete", area_id=area["area_id"])
    desk.ask("config/floor_registry/delete", floor_id=floor["floor_id"])
    desk.ask("config/label_registry/delete", label_id=label["label_id"])
    eventually(lambda: the(home, DESK).area_id is None and not home.snapshot().floors)


def test_an_own_name_that_was_taken_away_is_not_said(
    home: HomeAssistant, desk: Administrator, home_assistant: HomeAssistantServer
) -> None:
    if home_assistant.version.startswith("2025"):
        pytest.skip("before 2026 every entity keeps its own name")
    desk.ask("config/entity_registry/update", entity_id=DESK, aliases=["work light"])
    eventually(lambda: the(home, DESK).name == "work light")
    assert the(home, DESK).aliases == ()


def test_only_what_is_exposed_to_assist_is_there(home: HomeAssistant, administrator: Administrator) -> None:
    cellar = "binary_sensor.basement_floor_wet"
    assert home.snapshot().entity(cellar) is None
    both = {"assistants": ["conversation"], "entity_ids": [cellar]}
    administrator.ask("homeassistant/expose_entity", **both, should_expose=True)
    eventually(lambda: home.snapshot().entity(cellar) is not None)
    administrator.ask("homeassistant/expose_entity", **both, should_expose=False)
    eventually(lambda: home.snapshot().entity(cellar) is None)


def test_what_is_exposed_without_being_registered_is_found(
    home_assistant: HomeAssistantServer, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.home.home_assistant.home._EXPOSURE_EVERY_S", 0.2)
    both = {"assistants": ["conversation"], "entity_ids": ["lock.front_door"]}
    with connected(home_assistant.url, lambda: home_assistant.token) as home:
        assert home.snapshot().entity("lock.front_door") is None
        time.sleep(0.5)
        administrator.ask("homeassistant/expose_entity", **both, should_expose=True)
        eventually(lambda: home.snapshot().entity("lock.front_door") is not None)
        administrator.ask("homeassistant/expose_entity", **both, should_expose=False)
        eventually(lambda: home.snapshot().entity("lock.front_door") is None)


def test_a_device_gives_its_room_to_its_entities(home: HomeAssistant, administrator: Administrator) -> None:
    administrator.put(KITCHEN, "kitchen")
    eventually(lambda: the(home, KITCHEN).area_id == "kitchen")
    administrator.put(KITCHEN, None)
    eventually(lambda: the(home, KITCHEN).area_id is None)


def test_what_others_do_is_seen(home: HomeAssistant, administrator: Administrator) -> None:
    list(home.changes())
    administrator.call("light", "turn_on", KITCHEN, brightness=77)
    eventually(lambda: the(home, KITCHEN).attributes.get("brightness") == 77)
    changes = {(change.entity_id, change.attribute): change.after for change in home.changes()}
    assert changes[KITCHEN, "state"] == "on"
    assert changes[KITCHEN, "brightness"] == 77
    assert list(home.changes()) == []


def test_a_state_that_keeps_its_names_keeps_their_version(home: HomeAssistant, administrator: Administrator) -> None:
    before = home.snapshot().names_version
    administrator.call("light", "turn_on", KITCHEN)
    eventually(lambda: the(home, KITCHEN).state == "on")
    assert home.snapshot().names_version == before


@pytest.mark.slow
def test_five_thousand_lamps_of_which_some_have_no_name_in_a_house_in_fahrenheit(
    network: Namespace, tmp_path: Path, running_home_assistant: HomeAssistantServer
) -> None:
    server = HomeAssistantServer(config_folder(tmp_path), crowd=4955, units="us_customary", port=8124)
    server.start()
    try:
        with connected(server.url, lambda: server.token) as home:
            state = home.snapshot()
            assert state.temperature_unit == "°F"
            lamps = [entity for entity in state.entities if entity.domain == "light"]
            assert len(lamps) >= 4955
            assert all(lamp.name for lamp in lamps)
            outdoor = home.snapshot().entity("sensor.outdoor_temperature")
            assert outdoor is not None
            assert outdoor.attributes["unit_of_measurement"] == "°F"
            with server.administrator() as administrator:
                renamed = "light.lamp_number_4321"
                administrator.ask("config/entity_registry/update", entity_id=renamed, name="Reading lamp")
                assert eventually(lambda: the(home, renamed).name == "Reading lamp") < 5
    finally:
        server.stop()
