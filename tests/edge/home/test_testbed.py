"""The servers of the test bed work, so that other tests can rely on them."""

from __future__ import annotations

import time

from tests.testbed.home_assistant import HomeAssistantServer
from tests.testbed.zigbee import LAMP, Broker, Zigbee


def test_home_assistant_switches_a_lamp(home_assistant: HomeAssistantServer) -> None:
    with home_assistant.administrator() as administrator:
        administrator.call("light", "turn_off", "light.kitchen_lights")
        administrator.call("light", "turn_on", "light.kitchen_lights")
        assert administrator.state("light.kitchen_lights")["state"] == "on"


def test_the_radio_receives_what_the_broker_is_told(broker: Broker, zigbee: Zigbee) -> None:
    before = len(zigbee.frames())
    broker.publish("zigbee2mqtt/kitchen/ceiling lamp/set", {"state": "ON"})
    end_s = time.monotonic() + 5
    while len(zigbee.frames()) == before and time.monotonic() < end_s:
        time.sleep(0.02)
    sent = zigbee.frames()[before]
    assert (sent["ieee"], sent["cluster"], sent["command"]) == (LAMP, "genOnOff", "on")
