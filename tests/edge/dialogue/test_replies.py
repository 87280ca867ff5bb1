"""Replies in every language of home-assistant-intents."""

from __future__ import annotations

from datetime import date, time

import pytest

from edge.dialogue.language import CommandBlock, installed_languages, load_language, match_language
from edge.dialogue.replies import Replies
from edge.dialogue.views import Spoken, timer_view
from edge.errors import EngineError
from edge.home.demo import default_home
from edge.home.simulated import SimulatedHome
from edge.home.timers import Timer
from edge.types import Entity, Parse, Slot, SlotValue

LANGUAGES = installed_languages()
ERROR_VARIABLES = {
    "area": "Bad",
    "floor": "Attic",
    "domain": "light",
    "device_class": "curtain",
    "entity": "Lamp",
    "state": "on",
}
SLOTS: dict[str, SlotValue] = {
    "name": "Lamp",
    "area": "Kitchen",
    "floor": "First Floor",
    "domain": "light",
    "device_class": "curtain",
    "state": "on",
    "item": "apples",
    "brightness": 50,
    "color": "red",
    "temperature": 21,
    "position": 40,
    "percentage": 30,
    "volume_level": 20,
    "volume_step": "up",
    "hours": 1,
    "minutes": 5,
    "seconds": 30,
    "start_hours": 1,
    "start_minutes": 5,
    "start_seconds": 30,
    "search_query": "Queen",
    "media_class": "artist",
    "message": "dinner",
    "conversation_command": "open the door",
    "fan_mode": "high",
    "response": "yes",
    "hvac_mode": "heat",
    "humidity": 45,
    "source": "Radio",
}
RESULTS: dict[str, object] = {
    "time": time(0, 30),
    "date": date(2026, 5, 1),
    "media": {"title": "Queen"},
    "canceled": 2,
    "entries": ["milk", "bread"],
    "count": 2,
    "level": "40",
    "value": "50",
    "example": "Lamp",
    "examples": ["Lamp"],
    "timers": [
        timer_view(Timer("timer.1", 3600, 3600, 0.0, name="pizza"), 3540.0, "Kitchen"),
        timer_view(Timer("timer.2", 90, 90, 0.0, active=False), 61.0, None),
        timer_view(Timer("timer.3", 300, 300, 0.0), 45.0, None),
    ],
}
SILENT = {("HassNevermind", "default"), ("HassRespond", "default")}
DOMAINS = {
    "HassGetWeather": "weather",
    "HassClimateGetTemperature": "climate",
    "HassClimateSetTemperature": "climate",
    "HassSetPosition": "cover",
}


@pytest.fixture(scope="module")
def home() -> SimulatedHome:
    """The demo home; no test here changes it."""
    return SimulatedHome(default_home())


@pytest.fixture(scope="module")
def replies() -> Replies:
    """One renderer for all languages."""
    return Replies()


def of_domain(home: SimulatedHome, domain: str) -> Entity:
    return next(entity for entity in home.snapshot().entities if entity.domain == domain)


def target_of(home: SimulatedHome, intent: str, block: CommandBlock | None = None) -> Entity:
    """A device that the command may be about."""
    wanted = DOMAINS.get(intent, "light")
    if block is not None:
        wanted = min(block.domains, default=block.constants.get("domain", wanted))
    present = {entity.domain for entity in home.snapshot().entities}
    return of_domain(home, wanted if wanted in present else "light")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reply_of_every_language(language: str, home: SimulatedHome, replies: Replies) -> None:
    pack = load_language(language)
    person = of_domain(home, "person")
    every_slot = tuple(Slot(name, value) for name, value in SLOTS.items())
    results = {name: value for name, value in RESULTS.items() if name not in SLOTS}
    for intent in pack.replies.keys() | pack.blocks.keys():
        silent = {key for silent_intent, key in SILENT if silent_intent == intent}
        target = target_of(home, intent)
        groups = [((target,), ()), ((person, target), (target,)), ((), (person,))]
        for key in pack.replies.get(intent, {}):
            for matched, unmatched in groups if intent == "HassGetState" else groups[:1]:
                parse = Parse(intent, every_slot, 1.0, language)
                text = replies.say(parse, matched, unmatched, RESULTS, key=key)
                assert text or key in silent, (intent, key)
                assert "{" not in text
        blocks = {(block.reply_key, block.combination, block.domains): block for block in pack.blocks.get(intent, ())}
        for block in blocks.values():
            constants = [Slot(name, value) for name, value in block.constants.items()]
            said = [Slot(name, SLOTS[name]) for name in sorted(block.slots - block.constants.keys())]
            parse = Parse(intent, (*constants, *said), 1.0, language)
            text = replies.say(parse, (target_of(home, intent, block),), (), results)
            assert text or block.reply_key in silent, (intent, block)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_of_every_language(language: str, replies: Replies) -> None:
    pack = load_language(language)
    english = load_language("en")
    for key in english.errors:
        assert replies.error(language, key, **ERROR_VARIABLES), key
    assert pack.errors["no_intent"] == replies.error(language, "no_intent") or "{" in pack.errors["no_intent"]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_language_answers_in_english(language: str, replies: Replies) -> None:
    pack, english = load_language(language), load_language("en")
    assert pack.done and pack.done != english.done
    for key in ("unreachable", "refused", "failed", "timed_out", "unsupported", "nothing_runs"):
        said = replies.error(language, key, entity="Lamp")
        assert said and said != replies.error("en", key, entity="Lamp")
    assert replies.say(Parse("EdgeStop", language=language)) != "Stopped"
    if language != "kw":
        assert replies.state_word(language, Entity("vacuum.a", "A", state="returning")) not in (None, "returning")


def test_language_without_a_reply_says_that_it_is_done(replies: Replies) -> None:
    assert "HassLawnMowerDock" not in load_language("ja").replies
    assert replies.say(Parse("HassLawnMowerDock", language="ja")) == "完了しました"


def test_language_without_words_for_an_answer_says_the_value(replies: Replies, home: SimulatedHome) -> None:
    light = of_domain(home, "light")
    slots = (Slot("name", "Kitchen Light"), Slot("state", "on"))
    assert replies.say(Parse("HassGetState", slots, language="ta"), (), (light,), key="any") == "0"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("de-AT", "de"), ("zh_cn", "zh-CN"), ("PT-br", "pt-BR"), ("sr-latn", "sr-Latn"), ("xx", "en"), ("", "en")],
)
def test_nearest_language(wanted: str, language: str) -> None:
    assert match_language(wanted) == language


@pytest.mark.parametrize(
    ("language", "domain", "value", "word"),
    [
        ("de", "lock", "locked", "abgeschlossen"),
        ("nl", "lock", "locked", "dicht"),
        ("ko", "light", "on", "켜짐"),
        ("en", "window", "on", "open"),
    ],
)
def test_words_for_states_come_from_the_sentences(language: str, domain: str, value: str, word: str) -> None:
    assert load_language(language).words["state", domain, value] == word


def test_home_file_may_say_how_a_state_is_called(replies: Replies) -> None:
    home = SimulatedHome(default_home())
    home.set_state("lock.front_door", attributes={"spoken_state": {"locked": "bolted"}})
    front = next(entity for entity in home.snapshot().entities if entity.id == "lock.front_door")
    parse = Parse("HassGetState", (Slot("name", "Front Door"), Slot("state", "unlocked")), text="is it unlocked")
    assert replies.say(parse, (), (front,)) == "No, bolted"


def test_spoken_value_equals_its_meaning() -> None:
    spoken = Spoken("Gardine", "curtain")
    assert spoken == "curtain"
    assert spoken == "Gardine"
    assert spoken != "blind"
    assert {"curtain": 1}[spoken] == 1
    assert f"{spoken}" == "Gardine"


def test_template_cannot_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = load_language("en")
    pack.replies["HassNevermind"]["default"] = "{{ ''.__class__.__mro__ }}"
    monkeypatch.setattr("edge.dialogue.replies.load_language", lambda language: pack)
    with pytest.raises(EngineError, match="HassNevermind"):
        Replies().say(Parse("HassNevermind"))
