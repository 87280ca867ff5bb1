"""Services that open the house ask first, and yes and no are understood in every language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.dialogue.answers import yes_or_no
from edge.dialogue.risk import LIMITS, Risk, risk_of
from edge.dialogue.texts import texts_of
from edge.types import Entity, Parse

if TYPE_CHECKING:
    from conftest import Talker

_REPLIES = Path(__file__).parents[3] / "edge" / "data" / "replies"
_LANGUAGES = sorted(path.stem for path in _REPLIES.glob("*.json") if path.stem != "neutral")


@pytest.mark.parametrize(
    ("service", "device_class", "risk"),
    [
        ("light.turn_on", None, Risk.FREE),
        ("media_player.media_pause", None, Risk.FREE),
        ("cover.open_cover", "blind", Risk.COSTLY),
        ("vacuum.start", None, Risk.COSTLY),
        ("climate.set_temperature", None, Risk.COSTLY),
        ("cover.open_cover", "garage", Risk.GUARDED),
        ("cover.close_cover", "garage", Risk.COSTLY),
        ("lock.unlock", None, Risk.GUARDED),
        ("lock.lock", None, Risk.FREE),
        ("valve.open_valve", None, Risk.GUARDED),
        ("siren.turn_on", None, Risk.GUARDED),
        ("alarm_control_panel.alarm_disarm", None, Risk.GUARDED),
    ],
)
def test_the_class_of_a_service(service: str, device_class: str | None, risk: Risk) -> None:
    domain = service.partition(".")[0]
    entity = Entity(f"{domain}.x", "X", attributes={"device_class": device_class} if device_class else {})
    assert risk_of(service, entity) is risk


def test_riskier_services_need_more_certainty() -> None:
    free, costly, guarded = (LIMITS[risk] for risk in Risk)
    assert free.sure < costly.sure < guarded.sure and free.understood <= costly.understood < guarded.understood


def test_a_yes_unlocks_and_a_no_does_not(say: Talker) -> None:
    say.confidence = 0.9
    assert say("HassTurnOff", "unlock the front door", name="Front Door") == "Unlock Front Door?"
    assert say.reply.expects_answer and say.state("lock.front_door") == "locked"
    assert say(None, "No, thanks.") == "OK, I leave it as it is"
    assert say.reply.refused and say.state("lock.front_door") == "locked"
    say("HassTurnOff", "unlock the front door", name="Front Door")
    assert say(None, "Yes.") == "Unlocking"
    assert say.state("lock.front_door") == "unlocked"


def test_another_command_is_no_yes(say: Talker) -> None:
    say.confidence = 0.9
    say("HassTurnOff", "unlock the front door", name="Front Door")
    say("HassTurnOn", "turn on the kitchen light", name="Kitchen Light")
    assert say.state("light.kitchen") == "on" and say.state("lock.front_door") == "locked"
    assert say(None, "yes").startswith("Sorry") and say.state("lock.front_door") == "locked"


def test_a_yes_comes_in_time(say: Talker) -> None:
    say.confidence = 0.9
    say("HassTurnOff", "unlock the front door", name="Front Door")
    say.clock.advance(31)
    say(None, "yes")
    assert say.state("lock.front_door") == "locked"


def test_no_confidence_is_no_certainty(say: Talker) -> None:
    say.confidence = 0.0
    assert say("HassTurnOff", "unlock the front door", name="Front Door") == "Unlock Front Door?"
    assert say("HassTurnOn", "open the bedroom blinds", name="Bedroom Blinds") == "Open Bedroom Blinds?"


def test_the_question_is_in_the_users_language(say: Talker) -> None:
    say.confidence = 0.9
    assert say("HassTurnOff", "schließ die Front Door auf", "de", name="Front Door") == "Front Door aufschließen?"
    assert say(None, "ja bitte", "de") and say.state("lock.front_door") == "unlocked"


@pytest.mark.parametrize("language", _LANGUAGES)
def test_every_language_says_yes_and_no(language: str) -> None:
    texts = texts_of(language)
    assert texts.yes and texts.no
    assert all(yes_or_no(Parse(None, text=word), texts) is True for word in texts.yes)
    assert all(yes_or_no(Parse(None, text=word), texts) is False for word in texts.no)
