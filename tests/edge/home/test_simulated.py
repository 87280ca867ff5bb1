"""The simulated home carries services out as Home Assistant does."""

from __future__ import annotations

import pytest

from edge.home.demo import default_home
from edge.home.port import HomePort
from edge.home.simulated import SimulatedHome
from edge.types import Entity, Home, OutcomeStatus, ServiceCall, StateChange

Given = dict[str, object]


def after(entity: Entity, service: str, data: Given | None = None) -> Entity:
    """The entity after one service that must be carried out."""
    home = SimulatedHome(Home(entities=(entity,)))
    domain, name = service.split(".")
    outcome = home.call(ServiceCall(domain, name, (entity.id,), data or {})).result(0)
    assert outcome.done, outcome.reason
    found = home.snapshot().entity(entity.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("entity", "service", "data", "state", "attributes"),
    [
        (Entity("light.a", "A"), "light.turn_on", {"brightness_pct": 50}, "on", {"brightness": 128}),
        (Entity("light.a", "A", attributes={"brightness": None}), "light.turn_on", {}, "on", {"brightness": 255}),
        (Entity("light.a", "A", state="on"), "light.turn_on", {"brightness": 0}, "off", {}),
        (Entity("light.a", "A"), "light.turn_on", {"color_name": "orange"}, "on", {"rgb_color": [255, 165, 0]}),
        (Entity("light.a", "A", state="on"), "light.toggle", {}, "off", {}),
        (
            Entity("cover.a", "A", attributes={"current_position": 0}),
            "cover.open_cover",
            {},
            "open",
            {"current_position": 100},
        ),
        (Entity("cover.a", "A"), "cover.set_cover_position", {"position": 40}, "open", {"current_position": 40}),
        (Entity("cover.a", "A", state="closing"), "cover.stop_cover", {}, "open", {}),
        (
            Entity("valve.a", "A", state="open"),
            "valve.set_valve_position",
            {"position": 0},
            "closed",
            {"current_position": 0},
        ),
        (
            Entity("fan.a", "A", state="on", attributes={"percentage": 90}),
            "fan.increase_speed",
            {},
            "on",
            {"percentage": 100},
        ),
        (
            Entity("fan.a", "A", state="on", attributes={"percentage": 20}),
            "fan.decrease_speed",
            {},
            "off",
            {"percentage": 0},
        ),
        (Entity("lock.a", "A"), "lock.unlock", {}, "unlocked", {}),
        (
            Entity("climate.a", "A", state="off", attributes={"hvac_modes": ["off", "cool"]}),
            "climate.turn_on",
            {},
            "cool",
            {},
        ),
        (Entity("climate.a", "A"), "climate.set_temperature", {"temperature": 21.5}, "heat", {"temperature": 21.5}),
        (
            Entity("climate.a", "A", attributes={"hvac_modes": ["heat", "cool"]}),
            "climate.set_hvac_mode",
            {"hvac_mode": "cool"},
            "cool",
            {},
        ),
        (
            Entity("media_player.a", "A", attributes={"volume_level": 0.95}),
            "media_player.volume_up",
            {},
            "idle",
            {"volume_level": 1.0},
        ),
        (Entity("media_player.a", "A"), "media_player.media_play", {}, "playing", {}),
        (Entity("media_player.a", "A", state="playing"), "media_player.media_stop", {}, "idle", {}),
        (Entity("vacuum.a", "A"), "vacuum.clean_area", {"cleaning_area_id": ["hall"]}, "cleaning", {}),
        (Entity("alarm_control_panel.a", "A"), "alarm_control_panel.alarm_arm_home", {}, "armed_home", {}),
        (
            Entity("todo.a", "A", attributes={"items": ["tea"]}),
            "todo.add_item",
            {"item": "milk"},
            "2",
            {"items": ["tea", "milk"]},
        ),
        (
            Entity("todo.a", "A", attributes={"items": ["tea"]}),
            "todo.update_item",
            {"item": "tea", "status": "completed"},
            "0",
            {"items": [], "completed": ["tea"]},
        ),
        (Entity("input_number.a", "A"), "input_number.set_value", {"value": 3}, "3", {}),
    ],
)
def test_services(entity: Entity, service: str, data: Given, state: str, attributes: Given) -> None:
    found = after(entity, service, data)
    assert found.state == state
    assert {name: found.attributes.get(name) for name in attributes} == attributes


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (ServiceCall("light", "turn_on", ("light.attic",)), OutcomeStatus.UNREACHABLE),
        (ServiceCall("light", "turn_on", ("switch.coffee",)), OutcomeStatus.REFUSED),
        (ServiceCall("light", "explode", ("light.kitchen",)), OutcomeStatus.REFUSED),
        (ServiceCall("light", "turn_on", ("light.kitchen",), {"brightness": 300}), OutcomeStatus.REFUSED),
        (ServiceCall("climate", "set_temperature", ("climate.bedroom",), {"temperature": 60}), OutcomeStatus.REFUSED),
        (ServiceCall("todo", "remove_item", ("todo.chores",), {"item": "caviar"}), OutcomeStatus.REFUSED),
    ],
)
def test_what_is_not_done_changes_nothing_and_says_why(call: ServiceCall, status: OutcomeStatus) -> None:
    home = SimulatedHome(default_home())
    before = home.snapshot()
    outcome = home.call(call).result(0)
    assert (outcome.status, bool(outcome.reason), outcome.changes) == (status, True, ())
    assert home.snapshot() is before


def test_an_unavailable_device_is_left_out() -> None:
    home = SimulatedHome(default_home())
    home.set_state("light.hall", "unavailable")
    outcome = home.call(ServiceCall("light", "turn_on", ("light.kitchen", "light.hall"))).result(0)
    assert (outcome.status, outcome.left_out) == (OutcomeStatus.DONE, ("light.hall",))
    assert outcome.changes == (StateChange("light.kitchen", "state", "off", "on"),)


def test_changes_are_told_once_whoever_made_them() -> None:
    home: HomePort = SimulatedHome(default_home())
    home.call(ServiceCall("switch", "turn_on", ("switch.coffee",)))
    assert isinstance(home, SimulatedHome)
    home.set_state("binary_sensor.kitchen_window", "on")
    assert [change.entity_id for change in home.changes()] == ["switch.coffee", "binary_sensor.kitchen_window"]
    assert home.changes() == ()


def test_a_snapshot_stays_as_it_was() -> None:
    home = SimulatedHome(default_home())
    before = home.snapshot()
    home.call(ServiceCall("light", "turn_on", ("light.kitchen",), {"brightness": 10}))
    old, new = before.entity("light.kitchen"), home.snapshot().entity("light.kitchen")
    assert old is not None and new is not None
    assert (old.state, old.attributes["brightness"]) == ("off", 255)
    assert (new.state, new.attributes["brightness"]) == ("on", 10)


@pytest.mark.parametrize(
    ("entity", "service"),
    [
        (Entity("media_player.a", "A", state="playing"), "media_player.turn_on"),
        (Entity("media_player.a", "A", state="off"), "media_player.media_pause"),
        (Entity("climate.a", "A", state="cool"), "climate.turn_on"),
        (Entity("vacuum.a", "A", state="docked"), "vacuum.return_to_base"),
        (Entity("vacuum.a", "A", state="docked"), "vacuum.stop"),
        (Entity("cover.a", "A", state="open"), "cover.stop_cover"),
    ],
)
def test_what_is_so_already_stays(entity: Entity, service: str) -> None:
    assert after(entity, service) == entity
