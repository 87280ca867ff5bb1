"""Service calls to a real Home Assistant: their outcomes, and that none is carried out twice or late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from edge.home.home_assistant.home import HomeAssistant
from edge.types import Outcome, OutcomeStatus, ServiceCall
from tests.edge.home.home_assistant.conftest import KITCHEN, connected
from tests.edge.home.waiting import eventually
from tests.testbed.home_assistant import Administrator, HomeAssistantServer
from tests.testbed.namespace import Namespace

ON, OFF = ServiceCall("light", "turn_on", (KITCHEN,)), ServiceCall("light", "turn_off", (KITCHEN,))


def timed(home: HomeAssistant, call: ServiceCall) -> tuple[Outcome, float]:
    begun_s = time.monotonic()
    outcome = home.call(call).result(call.deadline_s + 0.5)
    return outcome, time.monotonic() - begun_s


def is_on(home: HomeAssistant) -> bool:
    entity = home.snapshot().entity(KITCHEN)
    return entity is not None and entity.state == "on"


def test_a_call_is_done_when_the_state_has_changed(home: HomeAssistant, administrator: Administrator) -> None:
    outcome, took_s = timed(home, ServiceCall("light", "turn_on", (KITCHEN,), {"brightness": 128}))
    assert outcome.done, outcome
    assert took_s < 1
    changes = {change.attribute: change.after for change in outcome.changes}
    assert (changes["state"], changes["brightness"]) == ("on", 128)
    lamp = home.snapshot().entity(KITCHEN)
    assert lamp is not None
    assert (lamp.state, lamp.attributes["brightness"]) == ("on", 128)
    assert administrator.state(KITCHEN)["state"] == "on"


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (ServiceCall("light", "turn_on", (KITCHEN,), {"brightness": "much"}), OutcomeStatus.REFUSED),
        (ServiceCall("light", "fly", (KITCHEN,)), OutcomeStatus.REFUSED),
        (ServiceCall("light", "turn_on", ("light.absent",)), OutcomeStatus.UNREACHABLE),
        (ServiceCall("climate", "set_temperature", ("climate.hvac",), {"temperature": 900}), OutcomeStatus.REFUSED),
        (ServiceCall("cover", "set_cover_position", ("cover.kitchen_window",), {"position": 5}), OutcomeStatus.REFUSED),
        (ServiceCall("light", "turn_on", (KITCHEN,), {"brightness": object()}), OutcomeStatus.FAILED),
    ],
)
def test_what_cannot_be_done_says_so(home: HomeAssistant, call: ServiceCall, status: OutcomeStatus) -> None:
    outcome, took_s = timed(home, call)
    assert outcome.status is status, outcome
    assert outcome.reason
    assert took_s < 1


def test_a_target_that_is_not_there_is_left_out(home: HomeAssistant) -> None:
    outcome, _ = timed(home, ServiceCall("light", "turn_on", (KITCHEN, "light.absent")))
    assert outcome.done
    assert outcome.left_out == ("light.absent",)
    assert is_on(home)


def test_a_list_answers(home: HomeAssistant) -> None:
    assert timed(home, ServiceCall("todo", "add_item", ("todo.chores",), {"item": "Dust"}))[0].done
    outcome, _ = timed(home, ServiceCall("todo", "get_items", ("todo.chores",)))
    items = outcome.response["todo.chores"]
    assert isinstance(items, dict)
    assert [item["summary"] for item in items["items"]] == ["Dust"]
    assert timed(home, ServiceCall("todo", "remove_item", ("todo.chores",), {"item": "Dust"}))[0].done


def test_a_script_that_turns_off_everything_is_one_call(home: HomeAssistant, administrator: Administrator) -> None:
    assert timed(home, ON)[0].done
    both = {"assistants": ["conversation"], "entity_ids": ["script.good_night"]}
    administrator.ask("homeassistant/expose_entity", **both, should_expose=True)
    eventually(lambda: home.snapshot().entity("script.good_night") is not None)
    assert timed(home, ServiceCall("script", "turn_on", ("script.good_night",)))[0].done
    eventually(lambda: not is_on(home))


@contextmanager
def told(server: HomeAssistantServer) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the kitchen lights were told to turn on with since the block began, asked of Home Assistant itself."""
    with server.administrator() as administrator:
        events: list[dict[str, Any]] = []
        administrator.subscribe("call_service", events)

        def data() -> list[dict[str, Any]]:
            administrator.ask("get_config")
            calls = [event["data"] for event in events]
            return [
                call["service_data"]
                for call in calls
                if call["service"] == "turn_on" and KITCHEN in call["service_data"].get("entity_id", ())
            ]

        yield data


def test_a_frozen_server_does_not_carry_out_late(home: HomeAssistant, home_assistant: HomeAssistantServer) -> None:
    with told(home_assistant) as seen:
        home_assistant.pause()
        try:
            outcome, took_s = timed(home, ON)
        finally:
            home_assistant.resume()
        assert outcome.status is OutcomeStatus.UNREACHABLE
        assert took_s < 2
        assert eventually(lambda: home.snapshot().connected) < 5
        time.sleep(0.5)
        assert seen() == []
    assert not is_on(home)
    assert timed(home, ON)[0].done


def test_a_network_that_was_cut_carries_out_nothing_late(
    home: HomeAssistant, home_assistant: HomeAssistantServer, network: Namespace
) -> None:
    with told(home_assistant) as seen:
        with network.cut():
            outcome, took_s = timed(home, ON)
            assert outcome.status is OutcomeStatus.UNREACHABLE
            assert took_s < 2
            second, took_s = timed(home, ON)
            assert second.status is OutcomeStatus.UNREACHABLE
            assert took_s < 2
            time.sleep(3)
        assert eventually(lambda: home.snapshot().connected) < 5
        time.sleep(1)
        assert seen() == []
    assert not is_on(home)
    assert timed(home, ON)[0].done


@pytest.mark.slow
def test_a_cut_of_a_minute_ends_within_five_seconds(home: HomeAssistant, network: Namespace) -> None:
    with network.cut():
        eventually(lambda: not home.snapshot().connected, within_s=15)
        time.sleep(50)
    assert eventually(lambda: home.snapshot().connected, within_s=10) < 5
    assert timed(home, ON)[0].done


def test_a_cut_that_nobody_spoke_in_is_noticed(home: HomeAssistant, network: Namespace) -> None:
    with network.cut():
        assert eventually(lambda: not home.snapshot().connected, within_s=15) < 9
    assert eventually(lambda: home.snapshot().connected, within_s=10) < 5


def test_calls_in_a_shaky_network_are_carried_out_once_or_not_at_all(
    home: HomeAssistant, home_assistant: HomeAssistantServer, network: Namespace
) -> None:
    shaking = threading.Event()

    def shake() -> None:
        while not shaking.wait(0.15):
            with network.cut():
                time.sleep(0.05)

    calls = [ServiceCall("light", "turn_on", (KITCHEN,), {"brightness": 100 + number}) for number in range(60)]
    with told(home_assistant) as seen:
        thread = threading.Thread(target=shake)
        thread.start()
        try:
            outcomes = [timed(home, call)[0] for call in calls]
        finally:
            shaking.set()
            thread.join()
        time.sleep(0.5)
        carried_out = [data["brightness"] for data in seen()]
    done = [call.data["brightness"] for call, outcome in zip(calls, outcomes, strict=True) if outcome.done]
    assert carried_out == sorted(set(carried_out)), "none twice, none after a later one"
    assert set(done) <= set(carried_out)
    assert len(done) > 10


def test_a_server_that_is_killed_in_a_call_and_comes_back(
    home: HomeAssistant, home_assistant: HomeAssistantServer
) -> None:
    begun_s = time.monotonic()
    future = home.call(ON)
    home_assistant.kill()
    try:
        outcome = future.result(2.5)
        assert isinstance(outcome.status, OutcomeStatus)
        assert time.monotonic() - begun_s < 2.5
        second, took_s = timed(home, OFF)
        assert second.status is OutcomeStatus.UNREACHABLE
        assert took_s < 2
        eventually(lambda: not home.snapshot().connected)
    finally:
        home_assistant.start()
    assert eventually(lambda: home.snapshot().connected) < 5
    assert timed(home, ON)[0].done
    assert is_on(home)


def test_a_revoked_token_is_told_and_a_new_one_is_taken(home_assistant: HomeAssistantServer) -> None:
    with home_assistant.administrator() as administrator:
        own = administrator.ask("auth/long_lived_access_token", client_name="revoked", lifespan=1)
        tokens = [own]
        with connected(home_assistant.url, lambda: tokens[-1]) as home:
            listed = administrator.ask("auth/refresh_tokens")
            token_id = next(token["id"] for token in listed if token["client_name"] == "revoked")
            administrator.ask("auth/delete_refresh_token", refresh_token_id=token_id)
            eventually(lambda: not home.snapshot().connected)
            outcome, took_s = timed(home, ON)
            assert outcome.status is OutcomeStatus.UNREACHABLE
            assert "token" in outcome.reason
            assert took_s < 2
            tokens.append(home_assistant.token)
            assert eventually(lambda: home.snapshot().connected) < 5
            assert timed(home, ON)[0].done


def test_a_hundred_calls_take_effect_at_once(home: HomeAssistant) -> None:
    times = sorted(timed(home, OFF if number % 2 else ON)[1] for number in range(100))
    assert times[94] < 0.15, f"p95 {times[94] * 1000:.1f} ms"
