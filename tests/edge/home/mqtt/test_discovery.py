"""Devices that announce themselves on discovery topics of a real broker, and the rubbish that others leave there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from edge.home.mqtt import tasmota
from edge.home.mqtt.discovery import read_config, thing
from edge.home.mqtt.home import MqttHome
from edge.home.mqtt.templates import rendered
from edge.home.mqtt.things import NotSupportedError, Rooms
from edge.types import Entity, Outcome, OutcomeStatus, ServiceCall
from tests.edge.home.mqtt.conftest import Connect
from tests.edge.home.waiting import eventually
from tests.testbed.zigbee import Broker

PUMP = {
    "name": "Pump",
    "uniq_id": "pump-1",
    "~": "garden/pump",
    "stat_t": "~/state",
    "cmd_t": "~/set",
    "avty_t": "~/alive",
    "dev": {"ids": "pump", "name": "Garden", "sa": "Garden"},
}
STRIP = {
    "dev": {"ids": "strip", "name": "Shelf"},
    "o": {"name": "maker"},
    "cmps": {
        "strip": {"p": "light", "schema": "json", "cmd_t": "shelf/set", "stat_t": "shelf", "sup_clrm": ["rgb"]},
        "warmth": {
            "p": "sensor",
            "name": "Temperature",
            "stat_t": "shelf/sensor",
            "val_tpl": "{{ (value_json.t * 9 / 5 + 32) | round(1) }}",
            "unit_of_meas": "°F",
            "dev_cla": "temperature",
        },
        "tuning": {"p": "switch", "name": "Tuning", "cmd_t": "shelf/tune", "ent_cat": "config"},
    },
}


@pytest.fixture
def announced(broker: Broker) -> Iterator[Broker]:
    """The broker with a pump and a strip that say nothing yet."""
    topics = {"homeassistant/switch/pump/config": PUMP, "homeassistant/device/strip/config": STRIP}
    for topic, config in topics.items():
        broker.publish(topic, config, retain=True)
    broker.publish("garden/pump/alive", "online", retain=True)
    broker.publish("garden/pump/state", "OFF", retain=True)
    yield broker
    for topic in (*topics, "garden/pump/alive", "garden/pump/state"):
        broker.publish(topic, "", retain=True)


def state(home: MqttHome, entity_id: str) -> str | None:
    entity = home.snapshot().entity(entity_id)
    return entity.state if entity is not None else None


def test_announced_devices_are_there_and_obey(connect: Connect, announced: Broker) -> None:
    with connect() as home:
        eventually(lambda: state(home, "switch.garden_pump") == "off")
        pump = home.snapshot().entity("switch.garden_pump")
        assert pump is not None
        assert (pump.name, pump.area_id) == ("Garden Pump", "garden")
        assert "Garden" in {area.name for area in home.snapshot().areas}
        future = home.call(ServiceCall("switch", "turn_on", ("switch.garden_pump",)))
        time.sleep(0.2)
        assert not future.done(), "nothing has answered yet"
        announced.publish("garden/pump/state", "ON")
        assert future.result(2).done
        assert state(home, "switch.garden_pump") == "on"
        assert home.snapshot().entity("light.shelf") is not None
        announced.publish("shelf/sensor", {"t": 20})
        eventually(lambda: state(home, "sensor.shelf_temperature") == "68.0")
        assert home.snapshot().entity("switch.shelf_tuning") is None, "a setting, nothing that people speak of"


def test_a_device_that_does_not_answer_timed_out(connect: Connect, announced: Broker) -> None:
    with connect() as home:
        eventually(lambda: state(home, "switch.garden_pump") == "off")
        begun_s = time.monotonic()
        outcome: Outcome = home.call(ServiceCall("switch", "turn_on", ("switch.garden_pump",))).result(3)
        assert outcome.status is OutcomeStatus.TIMED_OUT
        assert time.monotonic() - begun_s < 2.1


def test_a_last_will_takes_the_device_away(connect: Connect, announced: Broker) -> None:
    with connect() as home:
        eventually(lambda: state(home, "switch.garden_pump") == "off")
        announced.publish("garden/pump/alive", "offline", retain=True)
        eventually(lambda: state(home, "switch.garden_pump") == "unavailable")
        outcome: Outcome = home.call(ServiceCall("switch", "turn_on", ("switch.garden_pump",))).result(3)
        assert outcome.status is OutcomeStatus.UNREACHABLE
        announced.publish("garden/pump/alive", "online", retain=True)
        announced.publish("garden/pump/state", "ON")
        eventually(lambda: state(home, "switch.garden_pump") == "on")


def test_a_device_that_is_withdrawn_is_gone(connect: Connect, announced: Broker) -> None:
    with connect() as home:
        eventually(lambda: state(home, "switch.garden_pump") == "off")
        announced.publish("homeassistant/switch/pump/config", "", retain=True)
        eventually(lambda: home.snapshot().entity("switch.garden_pump") is None)


HEATER: dict[str, object] = {
    **{"ip": "192.168.1.77", "dn": "Heater plug", "fn": ["Heater", None], "hn": "heater-1", "mac": "AABBCCDDEEFF"},
    **{"ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.2.0", "t": "heater"},
    **{"ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, *[0] * 31], "so": {"4": 0, "30": 0}},
    **{"lt_st": 0, "ver": 1},
}


def test_a_tasmota_plug_is_a_switch(connect: Connect, broker: Broker) -> None:
    topic = "tasmota/discovery/AABBCCDDEEFF/config"
    broker.publish(topic, HEATER, retain=True)
    broker.publish("tele/heater/LWT", "Online", retain=True)
    heater = "switch.heater_plug"
    try:
        with connect() as home:
            broker.publish("tele/heater/STATE", {"POWER": "OFF"})
            eventually(lambda: state(home, heater) == "off")
            future = home.call(ServiceCall("switch", "turn_on", (heater,)))
            time.sleep(0.2)
            assert not future.done()
            broker.publish("stat/heater/RESULT", {"POWER": "ON"})
            assert future.result(2).done
            broker.publish("tele/heater/LWT", "Offline", retain=True)
            eventually(lambda: state(home, heater) == "unavailable")
    finally:
        for used in (topic, "tele/heater/LWT"):
            broker.publish(used, "", retain=True)


def test_a_tasmota_lamp_dims_and_a_strip_of_relays_has_names() -> None:
    lamp = tasmota.read_device(json.dumps({**HEATER, "dn": "Bed lamp", "rl": [2, 0], "lt_st": 3}).encode())
    assert lamp is not None
    (dimmable,) = tasmota.things(lamp, Rooms())
    assert dimmable.entity.id == "light.bed_lamp"
    assert dimmable.writes is not None
    (sent,) = dimmable.writes(ServiceCall("light", "turn_on", (), {"brightness_pct": 40}), dimmable.entity)
    assert (sent.topic, sent.payload) == ("cmnd/heater/Dimmer", "40")
    now = dimmable.reads[0][1](b'{"POWER": "ON", "Dimmer": 40}', dimmable.entity)
    assert (now.state, now.attributes["brightness"]) == ("on", 102)
    strip = tasmota.read_device(json.dumps({**HEATER, "rl": [1, 1, 0]}).encode())
    assert strip is not None
    first, second = tasmota.things(strip, Rooms())
    assert [first.entity.name, second.entity.name] == ["Heater", "Heater plug 2"]
    assert second.reads[0][1](b'{"POWER2": "ON"}', second.entity).state == "on"
    assert second.writes is not None
    assert second.writes(ServiceCall("switch", "turn_off"), second.entity)[0].topic == "cmnd/heater/Power2"


@pytest.mark.parametrize("broken", [{"tp": ["a"]}, {"ft": 5}, {"rl": "x"}, {"t": "#"}, {"state": ["ON"]}])
def test_a_tasmota_message_that_says_nothing_is_left_out(broken: dict[str, object]) -> None:
    assert tasmota.read_device(json.dumps({**HEATER, **broken}).encode()) is None


RUBBISH: dict[str, object] = {
    "homeassistant/switch/a/config": "{",
    "homeassistant/switch/b/config": "[1, 2]",
    "homeassistant/switch/c/config": {"cmd_t": 7, "stat_t": None},
    "homeassistant/light/d/config": {"cmd_t": "x/#", "dev": "no object"},
    "homeassistant/device/e/config": {"cmps": {"f": 3, "g": {"p": "light"}}},
    "homeassistant/nonsense/h/config": {"cmd_t": "y"},
    "homeassistant/sensor/i/config": {"stat_t": "junk/i", "val_tpl": "{% for i in range(99999) %}{{ i }}{% endfor %}"},
    "homeassistant/sensor/j/config": {"stat_t": "junk/j", "val_tpl": "{{ 9 ** 9 ** 9 }}"},
    "homeassistant/sensor/k/config": {"stat_t": "junk/k", "val_tpl": "{{ ''.__class__.__mro__ }}"},
    "homeassistant/switch/l/config": json.dumps({"cmd_t": "z", "name": "x" * 70000}),
    "homeassistant/sensor/m/config": {"stat_t": "bad/#/topic", "avty_t": "worse/+"},
    "homeassistant/switch/n/config": {"cmd_t": "n", "stat_t": "", "avty": [{"t": "#"}, {"t": 3}, "x"]},
    "homeassistant/light/o/config": {"cmd_t": "o", "bri_cmd_t": "o/#", "bri_scl": 0},
    "zigbee2mqtt/bridge/devices": '{"not": "a list"}',
    "junk/i": "\u0000\ufffd",
    "junk/j": "1e999",
}


def test_retained_rubbish_is_survived(connect: Connect, announced: Broker) -> None:
    for topic, payload in RUBBISH.items():
        announced.publish(topic, payload, retain=topic != "zigbee2mqtt/bridge/devices")
    try:
        with connect() as home:
            eventually(lambda: state(home, "switch.garden_pump") == "off")
            for topic in ("junk/i", "junk/j", "junk/k", "garden/pump/state", "shelf"):
                announced.publish(topic, "{{{")
            announced.publish("zigbee2mqtt/bridge/devices", RUBBISH["zigbee2mqtt/bridge/devices"])
            announced.publish("garden/pump/state", "ON")
            eventually(lambda: state(home, "switch.garden_pump") == "on")
            assert home.snapshot().connected
    finally:
        for topic in RUBBISH:
            if topic != "zigbee2mqtt/bridge/devices":
                announced.publish(topic, "", retain=True)


@pytest.mark.parametrize(
    ("component", "config", "message", "expected", "call", "published"),
    [
        (
            "light",
            {"cmd_t": "c", "stat_t": "s", "bri_cmd_t": "b", "bri_stat_t": "s2", "bri_scl": 100},
            ("s2", b"50"),
            ("brightness", 128),
            ServiceCall("light", "turn_on", (), {"brightness_pct": 40}),
            [("c", "ON"), ("b", "40")],
        ),
        (
            "cover",
            {"cmd_t": "c", "pos_t": "p", "set_pos_t": "sp", "pos_open": 0, "pos_clsd": 100},
            ("p", b"25"),
            ("current_position", 75),
            ServiceCall("cover", "set_cover_position", (), {"position": 30}),
            [("sp", "70")],
        ),
        (
            "lock",
            {"cmd_t": "c", "stat_t": "s", "pl_unlk": "open up"},
            ("s", b"LOCKED"),
            ("state", "locked"),
            ServiceCall("lock", "unlock"),
            [("c", "open up")],
        ),
        (
            "fan",
            {"cmd_t": "c", "pct_cmd_t": "p", "pct_stat_t": "ps", "spd_rng_max": 4},
            ("ps", b"2"),
            ("percentage", 50),
            ServiceCall("fan", "set_percentage", (), {"percentage": 75}),
            [("p", "3")],
        ),
        (
            "climate",
            {"temp_cmd_t": "t", "temp_stat_t": "ts", "mode_cmd_t": "m", "mode_stat_t": "ms", "modes": ["off", "heat"]},
            ("ts", b"21.5"),
            ("temperature", 21.5),
            ServiceCall("climate", "set_temperature", (), {"temperature": 19.0}),
            [("t", "19")],
        ),
        (
            "valve",
            {"cmd_t": "c", "stat_t": "s", "val_tpl": "{{ value_json.valve }}"},
            ("s", b'{"valve": "open"}'),
            ("state", "open"),
            ServiceCall("valve", "close_valve"),
            [("c", "CLOSE")],
        ),
        (
            "vacuum",
            {"cmd_t": "c", "stat_t": "s"},
            ("s", b'{"state": "cleaning"}'),
            ("state", "cleaning"),
            ServiceCall("vacuum", "return_to_base"),
            [("c", "return_to_base")],
        ),
        (
            "binary_sensor",
            {"stat_t": "s", "pl_on": "1", "pl_off": "0"},
            ("s", b"1"),
            ("state", "on"),
            None,
            [],
        ),
        ("button", {"cmd_t": "c", "pl_prs": "go"}, None, None, ServiceCall("button", "press"), [("c", "go")]),
    ],
)
def test_every_kind_reads_and_is_told(
    component: str,
    config: dict[str, object],
    message: tuple[str, bytes] | None,
    expected: tuple[str, object] | None,
    call: ServiceCall | None,
    published: list[tuple[str, str]],
) -> None:
    (announced,) = read_config(f"ha/{component}/node/x/config", json.dumps(config).encode(), "ha").values()
    found = thing(announced, Rooms())
    assert found is not None
    entity = found.entity
    if message is not None and expected is not None:
        for topic, read in found.reads:
            entity = read(message[1], entity) if topic == message[0] else entity
        assert (entity.state if expected[0] == "state" else entity.attributes[expected[0]]) == expected[1]
    if call is None:
        assert found.writes is None
        return
    assert found.writes is not None
    assert [(sent.topic, sent.payload) for sent in found.writes(call, entity)] == published
    with pytest.raises(NotSupportedError):
        found.writes(ServiceCall(component, "explode"), entity)


def test_a_steps_brightness_starts_from_the_present_one() -> None:
    config = {"schema": "json", "cmd_t": "c", "stat_t": "s", "brightness": True}
    (announced,) = read_config("ha/light/x/config", json.dumps(config).encode(), "ha").values()
    found = thing(announced, Rooms())
    assert found is not None
    assert found.writes is not None
    lit = Entity("light.x", "x", (), None, "on", {"brightness": 100})
    (sent,) = found.writes(ServiceCall("light", "turn_on", (), {"brightness_step_pct": 20}), lit)
    assert json.loads(sent.payload) == {"state": "ON", "brightness": 151}


@pytest.mark.parametrize(
    "template",
    ["{{ value_json.absent.more }}", "{{ 'x' * 10000000 }}", "{% macro m() %}{% endmacro %}", "{{ (", "{{ 2 ** 9 }}"],
)
def test_a_template_that_cannot_be_used_says_nothing(template: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        rendered(template, b'{"t": 1}')
