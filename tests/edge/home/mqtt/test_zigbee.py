"""Lamps, plugs and sensors of a real zigbee2mqtt, down to the frames of its radio."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import HomeError
from edge.home.mqtt.home import MqttHome
from edge.types import Entity, Outcome, OutcomeStatus, ServiceCall
from tests.edge.home.mqtt.conftest import Connect
from tests.edge.home.waiting import eventually
from tests.testbed.namespace import Namespace
from tests.testbed.zigbee import LAMP, SECURE_PORT, Broker, Zigbee

CEILING, PLUG, WARMTH = "light.kitchen_ceiling_lamp", "switch.office_heater_plug", "sensor.hall_sensor_temperature"
ON, OFF = ServiceCall("light", "turn_on", (CEILING,)), ServiceCall("light", "turn_off", (CEILING,))


def the(home: MqttHome, entity_id: str) -> Entity:
    found = home.snapshot().entity(entity_id)
    assert found is not None
    return found


def timed(home: MqttHome, call: ServiceCall) -> tuple[Outcome, float]:
    begun_s = time.monotonic()
    outcome = home.call(call).result(call.deadline_s + 0.5)
    return outcome, time.monotonic() - begun_s


@pytest.fixture
def home(connect: Connect, zigbee: Zigbee) -> Iterator[MqttHome]:
    """The home with its kitchen lamp off."""
    with connect() as linked:
        eventually(lambda: the(linked, CEILING).state in ("on", "off"))
        assert linked.call(OFF).result(3).done
        yield linked


def commands(zigbee: Zigbee, since: int) -> list[str]:
    """What the radio told the lamp, questions left out."""
    sent = [frame["command"] for frame in zigbee.frames()[since:] if frame["ieee"] == LAMP]
    return [command for command in sent if command != "read"]


def test_the_devices_are_there_with_their_rooms(home: MqttHome) -> None:
    lamp = the(home, CEILING)
    assert (lamp.name, lamp.area_id) == ("kitchen ceiling lamp", "kitchen")
    assert lamp.attributes["supported_color_modes"] == ["color_temp", "xy"]
    assert the(home, PLUG).area_id == "office"
    assert the(home, "light.kitchen_all_lamps").area_id == "kitchen"
    assert the(home, WARMTH).attributes["unit_of_measurement"] == "°C"
    assert {area.name for area in home.snapshot().areas} == {"kitchen", "office"}


def test_a_call_reaches_the_radio_and_comes_back(home: MqttHome, zigbee: Zigbee) -> None:
    before = len(zigbee.frames())
    outcome, _ = timed(home, ServiceCall("light", "turn_on", (CEILING,), {"brightness_pct": 40, "color_name": "blue"}))
    assert outcome.done, outcome
    sent = [frame for frame in zigbee.frames()[before:] if frame["command"] != "read"]
    assert [frame["command"] for frame in sent] == ["moveToLevelWithOnOff", "moveToColor"]
    assert sent[0]["payload"]["level"] == 102
    lamp = the(home, CEILING)
    assert (lamp.state, lamp.attributes["brightness"]) == ("on", 102)


def test_a_group_is_a_light_of_its_own(home: MqttHome) -> None:
    assert timed(home, ServiceCall("light", "turn_on", ("light.kitchen_all_lamps",)))[0].done
    eventually(lambda: the(home, CEILING).state == "on")


def test_a_sensor_tells(home: MqttHome, zigbee: Zigbee) -> None:
    zigbee.tell_radio({"nwk": 103, "ep": 1, "cluster": "msTemperatureMeasurement", "attrs": {"measuredValue": 2135}})
    eventually(lambda: the(home, WARMTH).state == "21.35")


def test_a_device_out_of_reach_is_told_at_once(home: MqttHome, zigbee: Zigbee) -> None:
    zigbee.tell_radio({"mute": LAMP})
    try:
        outcome, took_s = timed(home, ON)
    finally:
        zigbee.tell_radio({"hear": LAMP})
    assert outcome.status is OutcomeStatus.UNREACHABLE
    assert took_s < 2
    assert the(home, CEILING).state == "off"


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (ServiceCall("light", "fly", (CEILING,)), OutcomeStatus.REFUSED),
        (ServiceCall("light", "turn_on", (CEILING,), {"brightness": "much"}), OutcomeStatus.REFUSED),
        (ServiceCall("light", "turn_on", (CEILING,), {"color_name": "colourless"}), OutcomeStatus.REFUSED),
        (ServiceCall("cover", "open_cover", (PLUG,)), OutcomeStatus.REFUSED),
        (ServiceCall("light", "turn_on", ("light.absent",)), OutcomeStatus.UNREACHABLE),
    ],
)
def test_what_cannot_be_done_says_so(home: MqttHome, call: ServiceCall, status: OutcomeStatus) -> None:
    outcome, took_s = timed(home, call)
    assert outcome.status is status, outcome
    assert outcome.reason
    assert took_s < 1


def test_a_hundred_calls_take_effect_at_once(home: MqttHome) -> None:
    times = sorted(timed(home, OFF if number % 2 else ON)[1] for number in range(100))
    assert times[94] < 0.15, f"p95 {times[94] * 1000:.1f} ms"


def test_a_cut_network_carries_out_nothing_late(home: MqttHome, zigbee: Zigbee, network: Namespace) -> None:
    before = len(zigbee.frames())
    with network.cut():
        outcome, took_s = timed(home, ON)
        assert outcome.status is OutcomeStatus.UNREACHABLE
        assert took_s < 2
        time.sleep(3)
    assert eventually(lambda: home.snapshot().connected) < 5
    time.sleep(1)
    assert commands(zigbee, before) == []
    assert timed(home, ON)[0].done


def test_calls_in_a_shaky_network_are_carried_out_once_or_not_at_all(
    home: MqttHome, zigbee: Zigbee, network: Namespace
) -> None:
    shaking, before = threading.Event(), len(zigbee.frames())
    calls = [ServiceCall("light", "turn_on", (CEILING,), {"brightness": 20 + number}) for number in range(40)]

    def shake() -> None:
        while not shaking.wait(0.4):
            with network.cut():
                time.sleep(0.1)

    thread = threading.Thread(target=shake)
    thread.start()
    try:
        outcomes = [timed(home, call)[0] for call in calls]
    finally:
        shaking.set()
        thread.join()
    time.sleep(1)
    levels = [frame["payload"]["level"] for frame in zigbee.frames()[before:] if "level" in frame["payload"]]
    done = [20 + at for at, outcome in enumerate(outcomes) if outcome.done]
    assert levels == sorted(set(levels)), "none twice, none after a later one"
    assert {round(level * 254 / 255) for level in done} <= set(levels)
    assert len(done) > 5


def test_a_broker_that_is_restarted(home: MqttHome, broker: Broker, connect: Connect) -> None:
    broker.stop()
    outcome, took_s = timed(home, ON)
    assert outcome.status is OutcomeStatus.UNREACHABLE
    assert took_s < 2
    broker.start()
    assert eventually(lambda: home.snapshot().connected) < 5
    assert eventually(lambda: the(home, CEILING).state in ("on", "off")) < 5
    assert timed(home, ON)[0].done
    with connect() as newcomer:
        eventually(lambda: newcomer.snapshot().entity(CEILING) is not None, within_s=20)


def test_a_bridge_that_stops_takes_its_devices_away(home: MqttHome, zigbee: Zigbee) -> None:
    zigbee.stop()
    try:
        eventually(lambda: not the(home, CEILING).reachable)
        outcome, took_s = timed(home, ON)
        assert outcome.status is OutcomeStatus.UNREACHABLE
        assert took_s < 0.5
    finally:
        zigbee.start()
    eventually(lambda: the(home, CEILING).state == "off")


def test_a_device_that_is_renamed_goes_by_its_new_name(home: MqttHome, broker: Broker) -> None:
    before = home.snapshot().names_version
    rename = "zigbee2mqtt/bridge/request/device/rename"
    broker.publish(rename, {"from": "office/heater plug", "to": "attic/fan"})
    eventually(lambda: home.snapshot().entity("switch.attic_fan") is not None)
    assert home.snapshot().entity(PLUG) is None
    assert home.snapshot().names_version > before
    assert timed(home, ServiceCall("switch", "turn_on", ("switch.attic_fan",)))[0].done
    broker.publish(rename, {"from": "attic/fan", "to": "office/heater plug"})
    eventually(lambda: home.snapshot().entity(PLUG) is not None)


def test_a_home_file_names_and_places_devices(connect: Connect, zigbee: Zigbee, tmp_path: Path) -> None:
    rooms = tmp_path / "rooms.yaml"
    rooms.write_text(
        "areas:\n  - {id: hall, name: Entrance, aliases: [hall]}\n  - {id: den, name: Den}\n"
        f"entities:\n  - {{id: {PLUG}, name: radiator, aliases: [heater], area: den}}\n"
    )
    with connect(rooms=str(rooms)) as home:
        assert (the(home, PLUG).name, the(home, PLUG).aliases, the(home, PLUG).area_id) == (
            "radiator",
            ("heater",),
            "den",
        )
        assert the(home, WARMTH).area_id == "hall"


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls_with_the_brokers_own_authority(connect: Connect, broker: Broker, zigbee: Zigbee) -> None:
    url = f"mqtts://127.0.0.1:{SECURE_PORT}"
    with connect(url=url, certificate=str(broker.certificate)) as home:
        assert home.snapshot().entity(CEILING) is not None
    with pytest.raises(HomeError, match="certificate verify failed"), connect(url=url):
        pass
