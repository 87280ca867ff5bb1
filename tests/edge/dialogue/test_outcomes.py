"""Replies tell what became of a command, after it happened."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from edge.dialogue.dialogue import open_dialogue
from edge.home.demo import default_home
from edge.home.simulated import SimulatedHome
from edge.types import HomeState, Outcome, OutcomeStatus, Parse, ServiceCall, Slot, StateChange

if TYPE_CHECKING:
    from conftest import Talker


class SlowHome:
    """The demo home, some of whose devices give no answer, or another outcome than done."""

    def __init__(self, outcomes: dict[str, OutcomeStatus | None]) -> None:
        self._home = SimulatedHome(default_home())
        self._outcomes = outcomes
        self.begun: list[ServiceCall] = []
        self.connected = True

    def snapshot(self) -> HomeState:
        return replace(self._home.snapshot(), connected=self.connected)

    def call(self, call: ServiceCall) -> Future[Outcome]:
        self.begun.append(call)
        if call.targets[0] not in self._outcomes:
            return self._home.call(call)
        future: Future[Outcome] = Future()
        status = self._outcomes[call.targets[0]]
        if status is not None:
            future.set_result(Outcome(status, "as the test says"))
        return future

    def changes(self) -> Iterable[StateChange]:
        return self._home.changes()

    def close(self) -> None:
        self._home.close()


def turn_on_coffee(language: str = "en") -> Parse:
    return Parse("HassTurnOn", (Slot("name", "Coffee Machine"),), 1.0, language)


@pytest.mark.parametrize(
    ("status", "language", "reply"),
    [
        (OutcomeStatus.UNREACHABLE, "en", "Sorry, I can't reach Coffee Machine"),
        (OutcomeStatus.REFUSED, "en", "Sorry, Coffee Machine can't do that"),
        (OutcomeStatus.FAILED, "en", "Sorry, that did not work: Coffee Machine reported an error"),
        (OutcomeStatus.TIMED_OUT, "en", "Sorry, Coffee Machine did not answer in time"),
        (OutcomeStatus.UNREACHABLE, "de", "Coffee Machine ist leider nicht erreichbar"),
        (OutcomeStatus.TIMED_OUT, "fr", "Désolé, Coffee Machine n'a pas répondu à temps"),
    ],
)
def test_why_it_was_not_done(status: OutcomeStatus, language: str, reply: str) -> None:
    dialogue = open_dialogue(SlowHome({"switch.coffee": status}))
    action, said = dialogue.handle(turn_on_coffee(language))
    assert (said.text, said.refused) == (reply, True)
    assert action is not None and action.changes == ()
    assert [outcome.status for outcome in action.outcomes] == [status]


def test_a_home_that_never_answers_costs_the_deadline() -> None:
    home = SlowHome({"switch.coffee": None})
    began_s = monotonic()
    action, said = open_dialogue(home).handle(turn_on_coffee())
    took_s = monotonic() - began_s
    assert said.text == "Sorry, Coffee Machine did not answer in time"
    assert action is not None and action.outcomes[0].status is OutcomeStatus.TIMED_OUT
    assert home.begun[0].deadline_s <= took_s < home.begun[0].deadline_s + 1


def test_what_was_done_is_told_beside_what_was_not(say: Talker) -> None:
    say.home.set_state("light.kitchen_counter", "unavailable")
    reply = say("HassTurnOn", "turn on the kitchen lights", area="Kitchen", domain="light")
    assert reply == "Turned on the lights. Sorry, I can't reach Counter Light"
    assert say.changed == {("light.kitchen", "state"): "on"}
    assert not say.reply.refused


def test_an_unavailable_device_is_not_called_on(say: Talker) -> None:
    say.home.set_state("light.kitchen", "unavailable")
    assert say("HassTurnOn", name="Kitchen Light") == "Sorry, I can't reach Kitchen Light"
    assert say.action is not None and say.action.calls == ()
    assert say("HassGetState", "is the kitchen light on", name="Kitchen Light", state="on").startswith("Sorry")


def test_lights_with_one_setting_are_one_call(say: Talker) -> None:
    say("HassTurnOn", "turn on the kitchen lights", area="Kitchen", domain="light")
    assert say.action is not None
    assert [(call.service, call.targets) for call in say.action.calls] == [
        ("turn_on", ("light.kitchen", "light.kitchen_counter"))
    ]


def test_the_reply_tells_the_value_that_was_set(say: Talker) -> None:
    say.home.set_state("climate.living_room", "off")
    assert say("HassClimateSetTemperature", name="Thermostat", temperature=21.5) == "Temperature set to 21.5 degrees"
    assert say.state("climate.living_room") == "heat"


def test_questions_see_what_others_changed(say: Talker) -> None:
    assert say("HassGetState", "is the coffee machine on", name="Coffee Machine", state="on") == "No, off"
    say.home.set_state("switch.coffee", "on")
    assert say("HassGetState", "is the coffee machine on", name="Coffee Machine", state="on") == "Yes, on"


def test_a_language_without_texts_never_answers_in_english(say: Talker) -> None:
    say.home.set_state("light.kitchen", "unavailable")
    reply = say("HassTurnOn", language="ko", name="Kitchen Light")
    assert reply and not set("abcdefghijklmnopqrstuvwxyz") & set(reply.replace("Kitchen Light", "").lower())


def test_nothing_is_told_of_a_home_that_is_out_of_reach() -> None:
    home = SlowHome({})
    dialogue = open_dialogue(home)
    asked = Parse("HassGetState", (Slot("name", "Floor Lamp"), Slot("state", "on")), 1.0, text="is the floor lamp on")
    assert dialogue.handle(asked)[1].text == "Yes, on"
    home.connected = False
    assert dialogue.handle(asked)[1].text == "Sorry, I can't reach Floor Lamp"
    absent = Parse("HassTurnOn", (Slot("area", "Attic", "attic"), Slot("domain", "light")), 1.0)
    action, reply = dialogue.handle(absent)
    assert (action, reply.text, reply.refused) == (None, "Sorry, I can't reach attic", True)
