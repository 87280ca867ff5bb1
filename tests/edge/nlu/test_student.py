"""The shipped home bundle through the device program: many languages, an unseen home, rejection, hostile text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge.bundle import Bundle, open_bundle
from edge.errors import ConfigError
from edge.nlu.student import StudentParser
from edge.types import Area, Entity, Floor, Home, Parse, Transcript

HOME = Home(
    areas=(Area("a1", "Scullery"), Area("a2", "Werkstatt"), Area("a3", "书房")),
    floors=(Floor("f1", "Attic"),),
    entities=(
        Entity("light.one", "Gooseneck"),
        Entity("lock.two", "Postern"),
        Entity("media_player.three", "Gramophone"),
        Entity("light.four", "Zauberlampe"),
    ),
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle("home")


def parse(bundle: Bundle, language: str | None, text: str) -> Parse:
    return StudentParser(bundle, HOME, language).parse(Transcript(text))


@pytest.mark.parametrize(
    ("language", "text", "intent", "slots"),
    [
        ("en", "turn on the gooseneck", "HassTurnOn", {"name": "Gooseneck"}),
        ("en", "please turn off the lights in the scullery", "HassTurnOff", {"area": "Scullery", "domain": "light"}),
        ("en", "set the gooseneck brightness to 40 percent", "HassLightSet", {"name": "Gooseneck", "brightness": 40}),
        ("en", "set a timer for twenty minutes", "HassStartTimer", {"minutes": 20}),
        ("en", "what time is it", "HassGetCurrentTime", {}),
        ("de", "schalte die Zauberlampe ein", "HassTurnOn", {"name": "Zauberlampe"}),
        ("de", "mach das licht in der Werkstatt aus", "HassTurnOff", {"area": "Werkstatt", "domain": "light"}),
        ("es", "qué hora es", "HassGetCurrentTime", {}),
        ("fr", "quelle heure est-il", "HassGetCurrentTime", {}),
        ("zh-CN", "打开书房的灯", "HassTurnOn", {"area": "书房", "domain": "light"}),
    ],
)
def test_commands_about_an_unseen_home(
    bundle: Bundle, language: str, text: str, intent: str, slots: dict[str, object]
) -> None:
    found = parse(bundle, language, text)
    assert found.intent == intent
    assert slots.items() <= {slot.name: slot.value for slot in found.slots}.items()


@pytest.mark.parametrize("text", ["", "   ", "?!", "\x00\x07", "\ud800", "🎷🎷"])
def test_text_without_words_is_rejected(bundle: Bundle, text: str) -> None:
    assert parse(bundle, "en", text).intent is None


@pytest.mark.parametrize(
    "text",
    ["the parliament voted on the budget yesterday evening", "who won the world cup in nineteen ninety"],
)
def test_other_talk_is_rejected(bundle: Bundle, text: str) -> None:
    assert parse(bundle, "en", text).intent is None


def test_a_very_long_text_is_answered(bundle: Bundle) -> None:
    assert parse(bundle, "en", "turn on the light " * 2000).text.startswith("turn on")


def test_the_student_hears_the_language(bundle: Bundle) -> None:
    heard = {language: parse(bundle, None, text).language for language, text in (
        ("de", "mach bitte das licht in der Werkstatt aus"),
        ("en", "please turn off the lights in the scullery"),
        ("zh-CN", "打开书房的灯"),
    )}  # fmt: skip
    assert all(language == found for language, found in heard.items())


def test_confidence_is_a_probability(bundle: Bundle) -> None:
    assert 0.0 <= parse(bundle, "en", "turn on the gooseneck").confidence <= 1.0


def test_an_unknown_language_names_the_known_ones(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match="65 languages"):
        StudentParser(bundle, HOME, "tlh")


def test_parsing_loads_no_training_library() -> None:
    code = (
        "from edge.bundle import open_bundle; from edge.nlu.student import StudentParser\n"
        "from edge.types import Home, Transcript; import sys\n"
        "StudentParser(open_bundle('home'), Home(), 'en').parse(Transcript('turn on the light'))\n"
        "print([m for m in ('torch', 'onnxruntime', 'transformers', 'executorch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_alternative_of_the_recognizer_is_tried(bundle: Bundle) -> None:
    parser = StudentParser(bundle, HOME, "en")
    heard = Transcript("torn parliament budget", alternatives=("turn on the gooseneck",))
    assert parser.parse(heard).intent == "HassTurnOn"
    assert parser.parse(heard).text == "turn on the gooseneck"
